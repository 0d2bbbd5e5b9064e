//! The fields that are read of the forges' payloads, as their documentation names them; all others are skipped.

use serde::Deserialize;

/// A repository in any forge's words.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Place {
    clone_url: Option<String>,
    html_url: Option<String>,
    ssh_url: Option<String>,
    git_http_url: Option<String>,
    git_ssh_url: Option<String>,
    web_url: Option<String>,
    homepage: Option<String>,
    links: Option<Links>,
    /// Bitbucket: tells a pull request's source from its destination. GitHub and Gitea: the same.
    pub(super) full_name: Option<String>,
}

/// Bitbucket's way of giving addresses.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Links {
    html: Option<Link>,
    clone: Vec<Link>,
}

#[derive(Debug, Deserialize)]
struct Link {
    href: String,
}

impl Place {
    /// Its addresses, whatever the forge calls them.
    pub(super) fn urls(&self) -> impl Iterator<Item = &str> {
        let plain = [
            &self.clone_url,
            &self.git_http_url,
            &self.html_url,
            &self.web_url,
            &self.homepage,
            &self.ssh_url,
            &self.git_ssh_url,
        ];
        let links = self.links.iter().flat_map(|links| links.html.iter().chain(&links.clone));
        plain.into_iter().flatten().map(String::as_str).chain(links.map(|link| link.href.as_str()))
    }
}

/// Who wrote a commit.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Person {
    pub(super) name: Option<String>,
    #[serde(rename = "displayName")]
    pub(super) display_name: Option<String>,
}

/// A commit of GitHub, Gitea and GitLab.
#[derive(Debug, Deserialize)]
pub(super) struct Commit {
    pub(super) id: String,
    #[serde(default)]
    pub(super) message: String,
    #[serde(default)]
    pub(super) author: Person,
    added: Option<Vec<String>>,
    modified: Option<Vec<String>>,
    removed: Option<Vec<String>>,
}

impl Commit {
    /// The paths that it changed; `None` where the forge does not tell.
    pub(super) fn paths(&self) -> Option<impl Iterator<Item = &str>> {
        let lists = [&self.added, &self.modified, &self.removed];
        lists.iter().any(|list| list.is_some()).then(|| lists.into_iter().flatten().flatten().map(String::as_str))
    }
}

/// GitHub's and Gitea's `push`.
#[derive(Debug, Deserialize)]
pub(super) struct HubPush {
    pub(super) r#ref: String,
    pub(super) after: String,
    #[serde(default)]
    pub(super) deleted: bool,
    #[serde(default)]
    pub(super) forced: bool,
    pub(super) head_commit: Option<Commit>,
    #[serde(default)]
    pub(super) commits: Vec<Commit>,
    /// Gitea's alone: it tells of a few commits only.
    pub(super) total_commits: Option<usize>,
    pub(super) repository: Place,
}

/// GitHub's and Gitea's `delete`.
#[derive(Debug, Deserialize)]
pub(super) struct HubDelete {
    pub(super) r#ref: String,
    pub(super) ref_type: String,
    pub(super) repository: Place,
}

/// GitLab's `Push Hook` and `Tag Push Hook`.
#[derive(Debug, Deserialize)]
pub(super) struct LabPush {
    pub(super) r#ref: String,
    pub(super) after: String,
    /// The commit that a tag stands on; `after` may be the tag object.
    pub(super) checkout_sha: Option<String>,
    #[serde(default)]
    pub(super) commits: Vec<Commit>,
    /// It tells of the newest twenty commits only.
    pub(super) total_commits_count: Option<usize>,
    pub(super) user_name: Option<String>,
    pub(super) project: Place,
}

/// Bitbucket Cloud's `repo:push`.
#[derive(Debug, Deserialize)]
pub(super) struct BucketPush {
    pub(super) push: BucketChanges,
    pub(super) repository: Place,
}

#[derive(Debug, Deserialize)]
pub(super) struct BucketChanges {
    pub(super) changes: Vec<BucketChange>,
}

/// `new` is null for a deleted reference, `old` for a created one.
#[derive(Debug, Deserialize)]
pub(super) struct BucketChange {
    pub(super) new: Option<BucketRef>,
    pub(super) old: Option<BucketRef>,
}

#[derive(Debug, Deserialize)]
pub(super) struct BucketRef {
    pub(super) r#type: String,
    pub(super) name: String,
    pub(super) target: Option<BucketCommit>,
}

#[derive(Debug, Deserialize)]
pub(super) struct BucketCommit {
    pub(super) hash: String,
    #[serde(default)]
    pub(super) message: String,
    pub(super) author: Option<BucketAuthor>,
}

#[derive(Debug, Deserialize)]
pub(super) struct BucketAuthor {
    /// `Name <address>`.
    pub(super) raw: Option<String>,
}

/// Bitbucket Data Center's `repo:refs_changed`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServerPush {
    pub(super) changes: Vec<ServerChange>,
    pub(super) repository: Place,
    pub(super) to_commit: Option<ServerCommit>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServerChange {
    pub(super) r#ref: ServerRef,
    pub(super) to_hash: String,
    pub(super) r#type: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct ServerRef {
    pub(super) id: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct ServerCommit {
    pub(super) id: String,
    #[serde(default)]
    pub(super) message: String,
    #[serde(default)]
    pub(super) author: Person,
}

/// GitHub's and Gitea's `pull_request`.
#[derive(Debug, Deserialize)]
pub(super) struct HubPull {
    pub(super) action: String,
    pub(super) number: u64,
    pub(super) pull_request: HubPullBody,
    pub(super) repository: Place,
}

#[derive(Debug, Deserialize)]
pub(super) struct HubPullBody {
    #[serde(default)]
    pub(super) title: String,
    pub(super) user: Option<HubUser>,
    pub(super) head: HubPullEnd,
    pub(super) base: HubPullEnd,
    #[serde(default)]
    pub(super) merged: bool,
    pub(super) updated_at: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct HubUser {
    #[serde(default)]
    pub(super) login: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct HubPullEnd {
    pub(super) r#ref: String,
    #[serde(default)]
    pub(super) sha: String,
    /// Null once a fork was deleted.
    pub(super) repo: Option<Place>,
}

/// GitLab's `Merge Request Hook`.
#[derive(Debug, Deserialize)]
pub(super) struct LabMerge {
    /// Who did it.
    #[serde(default)]
    pub(super) user: Person,
    pub(super) object_attributes: LabMergeBody,
    pub(super) project: Place,
}

#[derive(Debug, Deserialize)]
pub(super) struct LabMergeBody {
    pub(super) iid: u64,
    #[serde(default)]
    pub(super) action: String,
    #[serde(default)]
    pub(super) title: String,
    pub(super) source_branch: String,
    pub(super) target_branch: String,
    pub(super) source_project_id: Option<u64>,
    pub(super) target_project_id: Option<u64>,
    pub(super) last_commit: Option<Commit>,
    pub(super) updated_at: Option<String>,
}

/// Bitbucket Cloud's `pullrequest:*`.
#[derive(Debug, Deserialize)]
pub(super) struct BucketPull {
    pub(super) pullrequest: BucketPullBody,
    pub(super) repository: Place,
}

#[derive(Debug, Deserialize)]
pub(super) struct BucketPullBody {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) title: String,
    pub(super) author: Option<BucketUser>,
    pub(super) source: BucketPullEnd,
    pub(super) destination: BucketPullEnd,
    pub(super) updated_on: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct BucketUser {
    #[serde(default)]
    pub(super) display_name: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct BucketPullEnd {
    pub(super) branch: BucketBranch,
    pub(super) repository: Option<Place>,
}

#[derive(Debug, Deserialize)]
pub(super) struct BucketBranch {
    pub(super) name: String,
}

/// Bitbucket Data Center's `pr:*`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServerPull {
    pub(super) pull_request: ServerPullBody,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServerPullBody {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) title: String,
    pub(super) author: Option<ServerAuthor>,
    pub(super) from_ref: ServerPullEnd,
    pub(super) to_ref: ServerPullEnd,
    /// Milliseconds since 1970.
    pub(super) updated_date: Option<i64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ServerAuthor {
    pub(super) user: Person,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServerPullEnd {
    /// `refs/heads/…`
    pub(super) id: String,
    #[serde(default)]
    pub(super) latest_commit: String,
    pub(super) repository: ServerPlace,
}

/// A repository with its number, which tells a fork from its origin.
#[derive(Debug, Deserialize)]
pub(super) struct ServerPlace {
    pub(super) id: Option<u64>,
    #[serde(flatten)]
    pub(super) place: Place,
}

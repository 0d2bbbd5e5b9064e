//! Pull and merge requests, in one vocabulary for all forges.

use super::{
    payload::{Payload, commit, first_line, name, reference, text, urls},
    shapes,
};
use model::names::CommitSha;
use std::fmt;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// What happened to a pull or merge request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PullAction {
    /// Made, or opened again.
    Opened,
    /// Its commits or its words changed.
    Updated,
    /// Closed and merged.
    Merged,
    /// Closed without being merged.
    Closed,
    /// Something else; the forge's own word for it.
    Other(String),
}

impl fmt::Display for PullAction {
    /// In plain words: it *was …*
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Opened => "opened",
            Self::Updated => "updated",
            Self::Merged => "merged",
            Self::Closed => "closed",
            Self::Other(word) => return write!(f, "changed (“{word}”)"),
        })
    }
}

/// A pull or merge request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    /// What the forge calls it: `Pull request` or `Merge request`.
    pub noun: &'static str,
    /// Its number in the repository.
    pub number: u64,
    /// What happened.
    pub action: PullAction,
    /// Its title.
    pub title: String,
    /// Who wrote it, where the forge tells.
    pub author: Option<String>,
    /// The branch to be merged.
    pub source_branch: String,
    /// The branch to merge into.
    pub target_branch: String,
    /// Newest commit, where the forge gives its full id.
    pub commit: Option<CommitSha>,
    /// It comes from another repository: whoever wrote it may not be trusted with secrets.
    pub from_fork: bool,
    /// When it was changed last, where the forge tells: what comes late is known by it.
    pub changed_at: Option<OffsetDateTime>,
    /// The target repository's addresses.
    pub repository_urls: Vec<String>,
}

/// GitHub's and Gitea's.
pub(super) fn hub_pull(pull: shapes::HubPull) -> Payload {
    let shapes::HubPullBody { title, user, head, base, merged, updated_at } = pull.pull_request;
    Payload::PullRequest(PullRequest {
        noun: "Pull request",
        number: pull.number,
        action: match pull.action.as_str() {
            "opened" | "reopened" => PullAction::Opened,
            // GitHub's word, Gitea's word, and the words of both for title, text and target.
            "synchronize" | "synchronized" | "edited" => PullAction::Updated,
            "closed" if merged => PullAction::Merged,
            "closed" => PullAction::Closed,
            other => PullAction::Other(text(other)),
        },
        title: text(&title),
        author: user.and_then(|user| first_line(&user.login)),
        source_branch: name(&head.r#ref),
        target_branch: name(&base.r#ref),
        commit: commit(&head.sha),
        // Gitea and Forgejo let whoever may read propose commits without a fork, at a reference that is no branch
        // (their documentation, “AGit workflow”); they then name the repository itself as the head's.
        from_fork: head.r#ref.starts_with("refs/") || !same_repository(head.repo.as_ref(), base.repo.as_ref()),
        changed_at: updated_at.as_deref().and_then(moment),
        repository_urls: urls(&pull.repository),
    })
}

/// GitLab's.
pub(super) fn lab_merge(merge: shapes::LabMerge) -> Payload {
    let body = merge.object_attributes;
    Payload::PullRequest(PullRequest {
        noun: "Merge request",
        number: body.iid,
        action: match body.action.as_str() {
            "open" | "reopen" => PullAction::Opened,
            "update" => PullAction::Updated,
            "merge" => PullAction::Merged,
            "close" => PullAction::Closed,
            other => PullAction::Other(text(other)),
        },
        title: text(&body.title),
        // Whoever did something about it; that is its author only where it was made.
        author: Some(merge.user).filter(|_| body.action == "open").and_then(|user| first_line(&user.name?)),
        source_branch: name(&body.source_branch),
        target_branch: name(&body.target_branch),
        commit: body.last_commit.and_then(|last| commit(&last.id)),
        from_fork: body.source_project_id.is_none() || body.source_project_id != body.target_project_id,
        changed_at: body.updated_at.as_deref().and_then(moment),
        repository_urls: urls(&merge.project),
    })
}

/// Bitbucket Cloud's.
pub(super) fn bucket_pull(pull: shapes::BucketPull, event: &str) -> Payload {
    let body = pull.pullrequest;
    Payload::PullRequest(PullRequest {
        noun: "Pull request",
        number: body.id,
        action: bucket_action(event),
        title: text(&body.title),
        author: body.author.and_then(|author| first_line(&author.display_name)),
        source_branch: name(&body.source.branch.name),
        target_branch: name(&body.destination.branch.name),
        // Bitbucket shortens the commit's id here.
        commit: None,
        from_fork: !same_repository(body.source.repository.as_ref(), body.destination.repository.as_ref()),
        changed_at: body.updated_on.as_deref().and_then(moment),
        repository_urls: urls(&pull.repository),
    })
}

/// Bitbucket Data Center's.
pub(super) fn server_pull(pull: &shapes::ServerPull, event: &str) -> Payload {
    let body = &pull.pull_request;
    Payload::PullRequest(PullRequest {
        noun: "Pull request",
        number: body.id,
        action: bucket_action(event),
        title: text(&body.title),
        author: body
            .author
            .as_ref()
            .and_then(|author| author.user.display_name.as_deref().or(author.user.name.as_deref()))
            .and_then(first_line),
        source_branch: reference(&body.from_ref.id).1,
        target_branch: reference(&body.to_ref.id).1,
        commit: commit(&body.from_ref.latest_commit),
        from_fork: body.from_ref.repository.id.is_none() || body.from_ref.repository.id != body.to_ref.repository.id,
        changed_at: body.updated_date.and_then(|milliseconds| {
            OffsetDateTime::from_unix_timestamp_nanos(i128::from(milliseconds) * 1_000_000).ok()
        }),
        repository_urls: urls(&body.to_ref.repository.place),
    })
}

/// Of Bitbucket Cloud's and Data Center's events of pull requests.
fn bucket_action(event: &str) -> PullAction {
    let (_, word) = event.split_once(':').unwrap_or(("", event));
    match word {
        "created" | "opened" => PullAction::Opened,
        "updated" | "from_ref_updated" | "to_ref_updated" | "modified" => PullAction::Updated,
        "fulfilled" | "merged" => PullAction::Merged,
        "rejected" | "declined" | "deleted" => PullAction::Closed,
        other => PullAction::Other(text(other)),
    }
}

/// A time as RFC 3339 has it, or as GitLab also writes it (`2026-05-01 10:00:00 UTC`); to the microsecond, which is what
/// the database keeps.
fn moment(text: &str) -> Option<OffsetDateTime> {
    let plain = text.strip_suffix(" UTC").map(|rest| format!("{}Z", rest.replacen(' ', "T", 1)));
    let time = OffsetDateTime::parse(plain.as_deref().unwrap_or(text), &Rfc3339).ok()?;
    time.replace_microsecond(time.microsecond()).ok()
}

/// Both are known and the same; an unknown one is never taken for a known one.
fn same_repository(one: Option<&shapes::Place>, other: Option<&shapes::Place>) -> bool {
    let name = |place: Option<&shapes::Place>| place.and_then(|place| place.full_name.clone());
    name(one).is_some_and(|one| Some(one) == name(other))
}

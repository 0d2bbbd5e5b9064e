//! Which forge a repository lies on, and where that one's API is. Pure.

use crate::webhook::Provider;
use model::names::RepoUrl;
use url::Url;

/// Where GitHub is, as the operator has set it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitHub {
    /// For people and Git, such as `https://github.com`.
    pub url: Url,
    /// Its API, such as `https://api.github.com`, or `https://host/api/v3` for Enterprise.
    pub api: Url,
}

/// A repository on a forge, and how that one is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub(super) provider: Provider,
    /// The API's address, without a slash at its end.
    pub(super) api: String,
    /// The repository's folders, the name last, without `.git`.
    pub(super) path: Vec<String>,
    /// Bitbucket Data Center, which has another API than Bitbucket Cloud.
    pub(super) is_data_center: bool,
    /// The operator has set the API's address.
    pub(super) is_operators: bool,
}

impl Target {
    /// The forge of a repository's address: known by its host, else the one that sends the site's webhooks; `None` where
    /// it is not known.
    ///
    /// The API's addresses are those of the forges' documentation: `/api/v4` on GitLab, `/api/v1` on Gitea and Forgejo,
    /// `/api/v3` on GitHub Enterprise, `/rest/api/latest` on Bitbucket Data Center.
    pub fn of(repository: &RepoUrl, sender: Option<Provider>, github: &GitHub) -> Option<Self> {
        let url = Url::parse(repository.as_str()).ok()?;
        let host = url.host_str()?.to_ascii_lowercase();
        let is_operators = url.origin() == github.url.origin();
        let provider = match host.as_str() {
            _ if is_operators => Provider::GitHub,
            "github.com" => Provider::GitHub,
            "gitlab.com" => Provider::GitLab,
            "bitbucket.org" => Provider::Bitbucket,
            "codeberg.org" => Provider::Gitea,
            _ => sender?,
        };
        let origin = url.origin().ascii_serialization();
        let mut path: Vec<String> =
            url.path_segments()?.filter(|part| !part.is_empty()).map(decoded).collect::<Option<_>>()?;
        let name = path.pop()?;
        path.push(name.strip_suffix(".git").unwrap_or(&name).to_owned());
        let is_data_center = provider == Provider::Bitbucket && host != "bitbucket.org";
        let api = match provider {
            Provider::GitHub if is_operators => github.api.as_str().trim_end_matches('/').to_owned(),
            Provider::GitHub if host == "github.com" => "https://api.github.com".to_owned(),
            Provider::GitHub => format!("{origin}/api/v3"),
            Provider::GitLab => format!("{origin}/api/v4"),
            Provider::Gitea => format!("{origin}{}/api/v1", folders_before(&mut path, 2)),
            Provider::Bitbucket if is_data_center => {
                let at = path.iter().position(|part| part == "scm")?;
                let rest = path.split_off(at + 1);
                path.pop();
                let prefix: String = path.iter().flat_map(|part| ["/", part]).collect();
                path = rest;
                format!("{origin}{prefix}/rest/api/latest")
            }
            Provider::Bitbucket => "https://api.bitbucket.org/2.0".to_owned(),
        };
        let enough = if provider == Provider::GitLab { path.len() >= 2 } else { path.len() == 2 };
        enough.then_some(Self { provider, api, path, is_data_center, is_operators })
    }

    /// The permission that a token needs, in the forge's own words.
    pub(super) fn permission(&self) -> &'static str {
        match self.provider {
            Provider::GitHub => "“Commit statuses: Read and write” (a classic token: the scope “repo:status”)",
            Provider::GitLab => "“api”, of somebody with the role Developer or higher",
            Provider::Gitea => "“repository: Read and Write” (write:repository)",
            Provider::Bitbucket if self.is_data_center => "“Repository read”",
            Provider::Bitbucket => "“Repositories: Write”",
        }
    }
}

fn decoded(part: &str) -> Option<String> {
    percent_encoding::percent_decode_str(part).decode_utf8().ok().map(Into::into)
}

/// Takes all folders but the last `kept` away: the forge does not lie at its host's root.
fn folders_before(path: &mut Vec<String>, kept: usize) -> String {
    let rest = path.split_off(path.len().saturating_sub(kept));
    std::mem::replace(path, rest).iter().flat_map(|part| ["/", part]).collect()
}

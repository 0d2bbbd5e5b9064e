//! Where a repository's commits and pull requests are on its forge's pages, by the address that it is fetched from.

use crate::webhook::Provider;
use url::Url;

/// The page of a commit; `None` for an address that is none.
pub fn commit(provider: Provider, repository: &str, commit: &str) -> Option<String> {
    let page = page(provider, repository)?;
    Some(match provider {
        Provider::GitHub | Provider::Gitea => format!("{page}/commit/{commit}"),
        Provider::GitLab => format!("{page}/-/commit/{commit}"),
        Provider::Bitbucket => format!("{page}/commits/{commit}"),
    })
}

/// The page of a pull or merge request; `None` for an address that is none.
pub fn pull_request(provider: Provider, repository: &str, number: i64) -> Option<String> {
    let page = page(provider, repository)?;
    Some(match provider {
        Provider::GitHub => format!("{page}/pull/{number}"),
        Provider::Gitea => format!("{page}/pulls/{number}"),
        Provider::GitLab => format!("{page}/-/merge_requests/{number}"),
        Provider::Bitbucket => format!("{page}/pull-requests/{number}"),
    })
}

/// The kind of forge that an address is likely to be of, where no webhook told it: by its host's name, and else one
/// whose links look like those of most.
pub fn likely_provider(repository: &str) -> Provider {
    let host = web(repository).and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    if host.contains("gitlab") {
        Provider::GitLab
    } else if host.contains("bitbucket") {
        Provider::Bitbucket
    } else if host == "github.com" {
        Provider::GitHub
    } else {
        Provider::Gitea
    }
}

/// The repository's own page.
fn page(provider: Provider, repository: &str) -> Option<String> {
    let url = web(repository)?;
    let path = url.path().trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    let origin = url.origin().ascii_serialization();
    // Bitbucket Data Center serves Git and pages at different paths
    // (<https://confluence.atlassian.com/bitbucketserver/clone-a-repository-790632786.html>).
    match (provider, path.strip_prefix("scm/").and_then(|rest| rest.split_once('/'))) {
        (Provider::Bitbucket, Some((project, name))) => Some(format!("{origin}/projects/{project}/repos/{name}")),
        _ if path.is_empty() => None,
        _ => Some(format!("{origin}/{path}")),
    }
}

/// The address on the web of one in any form, without anybody's name or password.
fn web(repository: &str) -> Option<Url> {
    if let Some((scheme, rest)) = repository.split_once("://") {
        if matches!(scheme, "http" | "https") {
            return Url::parse(repository).ok();
        }
        let url = Url::parse(&format!("https://{rest}")).ok()?;
        return Url::parse(&format!("https://{}{}", url.host_str()?, url.path())).ok();
    }
    let (host, path) = repository.split_once(':')?;
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    Url::parse(&format!("https://{host}/{path}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_forge_has_its_own_pages() {
        for (provider, repository, of_commit, of_pull) in [
            (Provider::GitHub, "https://github.com/a/b.git", "/a/b/commit/c0ffee", "/a/b/pull/7"),
            (Provider::GitLab, "https://gitlab.com/g/s/b", "/g/s/b/-/commit/c0ffee", "/g/s/b/-/merge_requests/7"),
            (Provider::Bitbucket, "https://bitbucket.org/a/b.git", "/a/b/commits/c0ffee", "/a/b/pull-requests/7"),
            (Provider::Gitea, "https://codeberg.org/a/b.git/", "/a/b/commit/c0ffee", "/a/b/pulls/7"),
            (
                Provider::Bitbucket,
                "https://git.example.org/scm/PRJ/b.git",
                "/projects/PRJ/repos/b/commits/c0ffee",
                "/projects/PRJ/repos/b/pull-requests/7",
            ),
        ] {
            let origin = web(repository).unwrap().origin().ascii_serialization();
            assert_eq!(commit(provider, repository, "c0ffee").unwrap(), format!("{origin}{of_commit}"));
            assert_eq!(pull_request(provider, repository, 7).unwrap(), format!("{origin}{of_pull}"));
        }
    }

    #[test]
    fn whichever_way_a_repository_is_fetched_its_page_is_on_the_web_and_names_nobody() {
        for repository in [
            "https://ada:t0ken@github.com/a/b.git",
            "ssh://git@github.com:22/a/b.git",
            "git@github.com:a/b.git",
            "git://github.com/a/b",
        ] {
            let found = commit(Provider::GitHub, repository, "c0ffee").unwrap();
            assert_eq!(found, "https://github.com/a/b/commit/c0ffee", "{repository}");
        }
        let with_port = commit(Provider::Gitea, "http://127.0.0.1:3000/a/b.git", "c0ffee");
        assert_eq!(with_port.unwrap(), "http://127.0.0.1:3000/a/b/commit/c0ffee");
        for nothing in ["", "b", "https://", "https://github.com/"] {
            assert_eq!(commit(Provider::GitHub, nothing, "c0ffee"), None, "{nothing}");
        }
    }

    #[test]
    fn a_forge_is_guessed_by_its_hosts_name() {
        for (repository, provider) in [
            ("https://github.com/a/b", Provider::GitHub),
            ("https://gitlab.example.org/a/b", Provider::GitLab),
            ("git@bitbucket.org:a/b.git", Provider::Bitbucket),
            ("https://git.example.org/a/b", Provider::Gitea),
        ] {
            assert_eq!(likely_provider(repository), provider, "{repository}");
        }
    }
}

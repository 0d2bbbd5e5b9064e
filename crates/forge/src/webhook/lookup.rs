//! The one look into a body before its signature is checked: only which repository it speaks of, to find whose secret
//! to try. Nothing read here is believed.

use super::{Provider, RepositoryKey, Unreadable, payload::json_of, shapes::Place};
use http::HeaderMap;
use serde::Deserialize;

/// More addresses than any forge sends are not looked at.
const MAX_URLS: usize = 8;

/// The part of every forge's payload that names the repository; all else is skipped without being kept.
#[derive(Deserialize)]
struct Unverified {
    #[serde(default)]
    repository: Option<Place>,
    #[serde(default)]
    project: Option<Place>,
}

/// The repositories that a body claims to come from, without repeats; none if it names none.
///
/// **Not verified**: good for choosing which secrets to try, and for nothing else.
///
/// # Errors
/// [`Unreadable`] if it is not JSON at all.
pub fn repository_urls_unverified(
    provider: Provider,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Vec<RepositoryKey>, Unreadable> {
    let unreadable = |reason: String| Unreadable { provider, reason };
    let json = json_of(headers, body).map_err(unreadable)?;
    let claims: Unverified = match serde_json::from_slice(&json) {
        Ok(claims) => claims,
        // JSON of another shape: whose it is stays unknown.
        Err(error) if error.is_data() => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error.to_string())),
    };
    // Elsewhere `project` is another thing: on GitHub a board, on Bitbucket a group of repositories.
    let project = claims.project.filter(|_| provider == Provider::GitLab);
    let mut keys = Vec::new();
    for url in claims.repository.iter().chain(&project).flat_map(Place::urls).take(MAX_URLS) {
        if let Some(key) = RepositoryKey::of(url).filter(|key| !keys.contains(key)) {
            keys.push(key);
        }
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(provider: Provider, body: &str) -> Vec<String> {
        repository_urls_unverified(provider, &HeaderMap::new(), body.as_bytes())
            .unwrap()
            .into_iter()
            .map(|key| key.as_str().to_owned())
            .collect()
    }

    #[test]
    fn each_forges_repository_is_found() {
        let expected = vec!["example.org/me/site".to_owned()];
        let github = r#"{"repository": {"clone_url": "https://example.org/me/site.git", "ssh_url": "git@example.org:me/site.git"}}"#;
        assert_eq!(keys(Provider::GitHub, github), expected);
        assert_eq!(keys(Provider::Gitea, github), expected);
        let gitlab = r#"{"project": {"git_http_url": "https://example.org/me/site.git", "web_url": "https://example.org/me/site"}}"#;
        assert_eq!(keys(Provider::GitLab, gitlab), expected);
        let cloud = r#"{"repository": {"links": {"html": {"href": "https://example.org/me/site"}}}}"#;
        assert_eq!(keys(Provider::Bitbucket, cloud), expected);
        let server =
            r#"{"repository": {"links": {"clone": [{"href": "https://example.org/me/site.git", "name": "http"}]}}}"#;
        assert_eq!(keys(Provider::Bitbucket, server), expected);
    }

    #[test]
    fn json_of_another_shape_names_no_repository() {
        let deep = "[".repeat(100_000);
        for body in [deep.as_str(), "[]", "null", r#"{"repository": 7}"#, r#"{"repository": {"clone_url": {}}}"#, "{}"]
        {
            assert!(keys(Provider::GitHub, body).is_empty(), "{body}");
        }
    }

    #[test]
    fn what_is_no_json_is_unreadable() {
        for body in ["", "{", "hello"] {
            assert!(repository_urls_unverified(Provider::GitHub, &HeaderMap::new(), body.as_bytes()).is_err());
        }
    }
}

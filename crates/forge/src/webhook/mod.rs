//! Webhooks of the forges: who sent one, whether its signature is right, and what it says.
//!
//! The order is the caller's duty: find the site ([`repository_urls_unverified`] or an id in the path), then
//! [`verify`] the raw bytes, and only then [`parse`] them.

mod lookup;
mod payload;
mod pulls;
mod repository;
mod shapes;
mod signature;

pub use lookup::repository_urls_unverified;
pub use payload::{Payload, Push, RefChange, RefKind, Unreadable, parse};
pub use pulls::{PullAction, PullRequest};
pub use repository::RepositoryKey;
pub use signature::{BadSignature, is_signed, verify};

use http::HeaderMap;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// What the names of headers hold that prove who sent a webhook, the forge or a proxy on the way; whoever reads a stored
/// delivery must not learn them.
const SECRET_WORDS: &[&str] = &["signature", "token", "secret", "authorization", "cookie", "password", "api-key"];

/// A kind of forge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Provider {
    /// GitHub.
    GitHub,
    /// GitLab.
    GitLab,
    /// Bitbucket Cloud and Data Center.
    Bitbucket,
    /// Gitea and Forgejo.
    Gitea,
}

impl Provider {
    /// The forge that sent these headers; `None` if they are no forge's.
    ///
    /// Gitea and Forgejo send GitHub's headers along with their own, so theirs are looked at first.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let has = |names: &[&str]| names.iter().any(|name| headers.contains_key(*name));
        if has(&["x-gitea-event", "x-forgejo-event", "x-gitea-signature", "x-forgejo-signature"]) {
            Some(Self::Gitea)
        } else if has(&["x-gitlab-event", "x-gitlab-token"]) {
            Some(Self::GitLab)
        } else if has(&["x-github-event", "x-hub-signature-256"]) {
            Some(Self::GitHub)
        } else if has(&["x-event-key"]) {
            Some(Self::Bitbucket)
        } else {
            None
        }
    }

    /// The word used in the database and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GitHub => "github",
            Self::GitLab => "gitlab",
            Self::Bitbucket => "bitbucket",
            Self::Gitea => "gitea",
        }
    }

    /// Reads the stored word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::GitHub, Self::GitLab, Self::Bitbucket, Self::Gitea].into_iter().find(|it| it.as_str() == word)
    }

    /// The forge's own name of the event, such as `push`, `Push Hook` or `repo:push`; `unknown` without one.
    pub fn event(self, headers: &HeaderMap) -> &str {
        let names: &[&str] = match self {
            Self::GitHub => &["x-github-event"],
            Self::GitLab => &["x-gitlab-event"],
            Self::Bitbucket => &["x-event-key"],
            Self::Gitea => &["x-forgejo-event", "x-gitea-event"],
        };
        word(headers, names).unwrap_or("unknown")
    }

    /// The forge's id of this delivery, the same when it sends it again; a hash of the body where it names none.
    ///
    /// GitLab's `Idempotency-Key` stays the same over retries. Its event id, all that older versions send, is shared by
    /// webhooks that cause each other, so it counts together with the body. Bitbucket's `X-Hook-UUID` names the hook, not the delivery, and is not used.
    pub fn delivery_key(self, headers: &HeaderMap, body: &[u8]) -> String {
        let names: &[&str] = match self {
            Self::GitHub => &["x-github-delivery"],
            Self::GitLab => &["idempotency-key"],
            Self::Bitbucket => &["x-request-uuid", "x-request-id"],
            Self::Gitea => &["x-forgejo-delivery", "x-gitea-delivery"],
        };
        if let Some(id) = word(headers, names) {
            return id.trim().to_owned();
        }
        let content = format!("sha256:{}", hex::encode(Sha256::digest(body)));
        match word(headers, &["x-gitlab-event-uuid"]).filter(|_| self == Self::GitLab) {
            Some(event) => format!("{}:{content}", event.trim()),
            None => content,
        }
    }
}

/// The first of these headers that is a short piece of plain text.
fn word<'a>(headers: &'a HeaderMap, names: &[&str]) -> Option<&'a str> {
    names
        .iter()
        .filter_map(|name| headers.get(*name)?.to_str().ok())
        .find(|value| !value.trim().is_empty() && value.len() <= 200)
}

/// The headers as they may be kept: names in lower case, secrets hidden, what is not text left out.
pub fn headers_to_keep(headers: &HeaderMap) -> BTreeMap<String, String> {
    headers
        .iter()
        .filter_map(|(name, value)| {
            let is_secret = SECRET_WORDS.iter().any(|word| name.as_str().contains(word));
            let value = if is_secret { "[hidden]" } else { value.to_str().ok()? };
            Some((name.as_str().to_owned(), value.to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(k, v)| (k.parse().unwrap(), v.parse().unwrap())).collect()
    }

    #[test]
    fn a_forge_is_told_by_its_headers() {
        for (pairs, provider) in [
            (&[("x-github-event", "push")][..], Some(Provider::GitHub)),
            (&[("x-gitlab-event", "Push Hook")], Some(Provider::GitLab)),
            (&[("x-event-key", "repo:push"), ("x-hub-signature", "sha256=0")], Some(Provider::Bitbucket)),
            (&[("x-gitea-event", "push"), ("x-github-event", "push")], Some(Provider::Gitea)),
            (&[("x-forgejo-event", "push"), ("x-gitea-event", "push")], Some(Provider::Gitea)),
            (&[("content-type", "application/json")], None),
        ] {
            assert_eq!(Provider::of(&headers(pairs)), provider, "{pairs:?}");
        }
    }

    #[test]
    fn a_delivery_is_known_by_the_forges_id_and_else_by_its_content() {
        let github = headers(&[("x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958")]);
        assert_eq!(Provider::GitHub.delivery_key(&github, b"{}"), "72d3162e-cc78-11e3-81ab-4c9367dc0958");
        let gitlab = headers(&[("x-gitlab-event-uuid", "shared"), ("idempotency-key", "own")]);
        assert_eq!(Provider::GitLab.delivery_key(&gitlab, b"{}"), "own");
        let older = headers(&[("x-gitlab-event-uuid", "shared")]);
        let (one, two) = (Provider::GitLab.delivery_key(&older, b"1"), Provider::GitLab.delivery_key(&older, b"2"));
        assert!(one != two && one == Provider::GitLab.delivery_key(&older, b"1"));
        let cloud = headers(&[("x-request-uuid", "own"), ("x-hook-uuid", "the-hook"), ("x-attempt-number", "2")]);
        assert_eq!(Provider::Bitbucket.delivery_key(&cloud, b"{}"), "own");
        let data_center = headers(&[("x-request-id", "own")]);
        assert_eq!(Provider::Bitbucket.delivery_key(&data_center, b"{}"), "own");
        for name in ["x-gitea-delivery", "x-forgejo-delivery"] {
            assert_eq!(Provider::Gitea.delivery_key(&headers(&[(name, "own")]), b"{}"), "own");
        }
        for provider in [Provider::GitHub, Provider::GitLab, Provider::Bitbucket, Provider::Gitea] {
            let of = |body: &[u8]| provider.delivery_key(&HeaderMap::new(), body);
            assert!(of(b"1").starts_with("sha256:") && of(b"1") == of(b"1") && of(b"1") != of(b"2"), "{provider:?}");
        }
        let bitbucket = headers(&[("x-hook-uuid", "the-hook")]);
        let (one, two) =
            (Provider::Bitbucket.delivery_key(&bitbucket, b"1"), Provider::Bitbucket.delivery_key(&bitbucket, b"2"));
        assert!(one.starts_with("sha256:") && one != two);
    }

    #[test]
    fn what_is_kept_of_the_headers_holds_no_secret() {
        let kept = headers_to_keep(&headers(&[
            ("X-Gitlab-Token", "hush"),
            ("X-Hub-Signature-256", "sha256=hush"),
            ("Authorization", "Basic hush"),
            ("Proxy-Authorization", "Basic hush"),
            ("Cookie", "a=hush"),
            ("X-Forgejo-Signature", "hush"),
            ("X-Original-Api-Key", "hush"),
            ("X-GitHub-Event", "push"),
        ]));
        assert!(kept.values().all(|value| !value.contains("hush")));
        assert_eq!(kept["x-github-event"], "push");
        assert_eq!(kept["x-gitlab-token"], "[hidden]");
    }
}

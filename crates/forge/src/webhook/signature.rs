//! Signatures of webhooks, checked over the raw bytes and in constant time, before anything is parsed.

use super::Provider;
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// The signature is missing or wrong; deliberately says no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature is missing or wrong")]
pub struct BadSignature;

/// Whether there is a signature at all, right or wrong.
pub fn is_signed(provider: Provider, headers: &HeaderMap) -> bool {
    signature_headers(provider).iter().any(|name| headers.contains_key(*name))
}

fn signature_headers(provider: Provider) -> &'static [&'static str] {
    match provider {
        Provider::GitHub => &["x-hub-signature-256"],
        Provider::GitLab => &["x-gitlab-token"],
        Provider::Bitbucket => &["x-hub-signature"],
        Provider::Gitea => &["x-gitea-signature", "x-forgejo-signature"],
    }
}

/// Checks that whoever sent this knows the secret.
///
/// GitHub, Bitbucket, Gitea and Forgejo send HMAC-SHA256 of the body in lower-case hexadecimal digits; GitLab sends the
/// secret itself. Sources: the forges' documentation on validating webhook deliveries.
///
/// # Errors
/// [`BadSignature`] for anything but exactly the right signature in the forge's own header.
pub fn verify(provider: Provider, headers: &HeaderMap, body: &[u8], secret: &[u8]) -> Result<(), BadSignature> {
    let sent = signature_headers(provider).iter().find_map(|name| headers.get(*name)).map(http::HeaderValue::as_bytes);
    // An empty secret would make everybody's signature right.
    if secret.is_empty() {
        return Err(BadSignature);
    }
    if provider == Provider::GitLab {
        let token = sent.ok_or(BadSignature)?;
        return if bool::from(token.ct_eq(secret)) { Ok(()) } else { Err(BadSignature) };
    }
    let prefix: &[u8] = if provider == Provider::Gitea { b"" } else { b"sha256=" };
    // The body is hashed even without a usable header, so that the answer takes the same time.
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).map_err(|_| BadSignature)?;
    mac.update(body);
    let sent = sent.and_then(|value| value.strip_prefix(prefix)).and_then(lower_hex).unwrap_or_default();
    mac.verify_slice(&sent).map_err(|_| BadSignature)
}

/// 64 lower-case hexadecimal digits as bytes: a signature has one spelling, so that no changed one is accepted.
fn lower_hex(digits: &[u8]) -> Option<Vec<u8>> {
    let well_formed = digits.len() == 64 && digits.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    well_formed.then(|| hex::decode(digits).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    const SECRET: &[u8] = b"It's a Secret to Everybody";
    const ALL: [Provider; 4] = [Provider::GitHub, Provider::GitLab, Provider::Bitbucket, Provider::Gitea];

    fn sign(body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET).unwrap();
        mac.update(body);
        hex::encode(mac.finalize().into_bytes())
    }

    fn signed(provider: Provider, body: &[u8]) -> (&'static str, String) {
        match provider {
            Provider::GitHub => ("x-hub-signature-256", format!("sha256={}", sign(body))),
            Provider::Bitbucket => ("x-hub-signature", format!("sha256={}", sign(body))),
            Provider::Gitea => ("x-gitea-signature", sign(body)),
            Provider::GitLab => ("x-gitlab-token", String::from_utf8(SECRET.to_vec()).unwrap()),
        }
    }

    fn check(provider: Provider, name: &'static str, value: &[u8], body: &[u8]) -> Result<(), BadSignature> {
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.insert(name, value);
        }
        verify(provider, &headers, body, SECRET)
    }

    #[test]
    fn githubs_published_example_is_accepted() {
        // https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
        let value = b"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        assert_eq!(check(Provider::GitHub, "x-hub-signature-256", value, b"Hello, World!"), Ok(()));
    }

    #[test]
    fn the_right_signature_is_accepted_from_every_forge() {
        for provider in ALL {
            let (name, value) = signed(provider, b"{\"ref\":\"refs/heads/main\"}");
            assert_eq!(check(provider, name, value.as_bytes(), b"{\"ref\":\"refs/heads/main\"}"), Ok(()));
        }
    }

    #[test]
    fn no_signature_an_empty_one_and_another_forges_header_are_refused() {
        for provider in ALL {
            assert_eq!(verify(provider, &HeaderMap::new(), b"x", SECRET), Err(BadSignature));
            assert!(!is_signed(provider, &HeaderMap::new()));
            let (name, value) = signed(provider, b"x");
            assert_eq!(check(provider, name, b"", b"x"), Err(BadSignature));
            assert_eq!(check(provider, name, b"sha256=", b"x"), Err(BadSignature));
            assert_eq!(check(provider, "x-signature", value.as_bytes(), b"x"), Err(BadSignature));
            assert_eq!(check(provider, name, value.to_uppercase().as_bytes(), b"x"), Err(BadSignature));
        }
    }

    #[test]
    fn an_empty_secret_verifies_nothing() {
        let mac = Hmac::<Sha256>::new_from_slice(b"").unwrap().finalize().into_bytes();
        let mut headers = HeaderMap::new();
        headers.insert("x-gitea-signature", hex::encode(mac).parse().unwrap());
        headers.insert("x-gitlab-token", HeaderValue::from_static(""));
        assert_eq!(verify(Provider::Gitea, &headers, b"", b""), Err(BadSignature));
        assert_eq!(verify(Provider::GitLab, &headers, b"", b""), Err(BadSignature));
    }

    proptest! {
        #[test]
        fn no_changed_signature_is_accepted(
            which in 0..4_usize, body in proptest::collection::vec(any::<u8>(), 0..200), at in any::<prop::sample::Index>(), to in any::<u8>()
        ) {
            let (name, value) = signed(ALL[which], &body);
            let mut changed = value.clone().into_bytes();
            let at = at.index(changed.len());
            prop_assume!(changed[at] != to);
            changed[at] = to;
            prop_assert_eq!(check(ALL[which], name, &changed, &body), Err(BadSignature));
            prop_assert_eq!(check(ALL[which], name, &value.as_bytes()[..at], &body), Err(BadSignature));
        }

        #[test]
        fn no_other_signature_is_accepted(
            which in 0..4_usize, body in proptest::collection::vec(any::<u8>(), 0..200),
            other in prop_oneof!["[0-9a-f]{64}", "sha256=[0-9a-f]{64}", "sha1=[0-9a-f]{40}", "[ -~]{0,100}"], at in any::<prop::sample::Index>()
        ) {
            let (name, value) = signed(ALL[which], &body);
            prop_assume!(other != value);
            prop_assert_eq!(check(ALL[which], name, other.as_bytes(), &body), Err(BadSignature));
            for longer in [format!("{value}{other}"), format!("{other}{value}")] {
                prop_assume!(!other.trim().is_empty());
                prop_assert_eq!(check(ALL[which], name, longer.as_bytes(), &body), Err(BadSignature));
            }
            // Another body's signature is another one.
            let mut longer = body.clone();
            longer.insert(at.index(body.len() + 1), b'x');
            if ALL[which] != Provider::GitLab {
                prop_assert_eq!(check(ALL[which], name, signed(ALL[which], &longer).1.as_bytes(), &body), Err(BadSignature));
                prop_assert_eq!(check(ALL[which], name, value.as_bytes(), &longer), Err(BadSignature));
            }
        }

        #[test]
        fn no_changed_body_is_accepted(
            body in proptest::collection::vec(any::<u8>(), 1..200), at in any::<prop::sample::Index>(), to in any::<u8>()
        ) {
            let at = at.index(body.len());
            prop_assume!(body[at] != to);
            let mut changed = body.clone();
            changed[at] = to;
            // GitLab's token does not depend on the body; its integrity rests on TLS.
            for provider in [Provider::GitHub, Provider::Bitbucket, Provider::Gitea] {
                let (name, value) = signed(provider, &body);
                prop_assert_eq!(check(provider, name, value.as_bytes(), &changed), Err(BadSignature));
                prop_assert_eq!(check(provider, name, value.as_bytes(), &body[..at]), Err(BadSignature));
            }
        }
    }
}

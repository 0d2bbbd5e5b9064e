//! What must hold for whatever a stranger sends, as checks that a fuzzer feeds (`scripts/fuzz`) and that the tests run
//! over the seeds in `fuzz/seeds`. Each panics when its rule is broken.
#![expect(clippy::missing_panics_doc, reason = "a panic is how a fuzzer is told")]

use crate::{
    discover::discover,
    push::Commands,
    webhook::{Payload, Provider, headers_to_keep, is_signed, parse, repository_urls_unverified, verify},
};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue};
use sha2::Sha256;

const SECRET: &[u8] = b"a secret of 24 letters..";
/// The longest text that is kept.
const MOST_CHARACTERS: usize = 250;

/// A webhook, written as in HTTP: header lines, an empty line, the body.
fn message(data: &[u8]) -> (HeaderMap, &[u8]) {
    let mut headers = HeaderMap::new();
    let mut rest = data;
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let (line, after) = (&rest[..end], &rest[end + 1..]);
        rest = after;
        if line.is_empty() {
            break;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let value = line[colon + 1..].trim_ascii();
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(&line[..colon]), HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    }
    (headers, rest)
}

/// A payload is read or refused, and what is kept of it is short and has one line.
pub fn payload(data: &[u8]) {
    let (headers, body) = message(data);
    let _ = headers_to_keep(&headers);
    for provider in [Provider::GitHub, Provider::GitLab, Provider::Bitbucket, Provider::Gitea] {
        assert!(!provider.delivery_key(&headers, body).is_empty());
        if let Ok(keys) = repository_urls_unverified(provider, &headers, body) {
            assert!(keys.len() <= 8);
        }
        match parse(provider, &headers, body) {
            Ok(Payload::Push(push)) => {
                for change in &push.changes {
                    assert!(change.name.chars().count() <= MOST_CHARACTERS, "{change:?}");
                    assert!(!change.deleted || change.commit.is_none(), "a deleted branch stands nowhere: {change:?}");
                    for text in [&change.message, &change.author].into_iter().flatten() {
                        assert!(text.chars().count() <= MOST_CHARACTERS && !text.contains('\n'), "{text:?}");
                    }
                }
            }
            Ok(Payload::PullRequest(pull)) => {
                assert!(pull.title.chars().count() <= MOST_CHARACTERS && !pull.title.contains('\n'), "{pull:?}");
            }
            Ok(Payload::Other(event)) => assert!(event.chars().count() <= MOST_CHARACTERS),
            Ok(Payload::Ping) => {}
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

/// No header but the right one is a signature.
pub fn signature(data: &[u8]) {
    let (headers, body) = message(data);
    let right = {
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET).expect("HMAC takes any key");
        mac.update(body);
        hex::encode(mac.finalize().into_bytes())
    };
    for provider in [Provider::GitHub, Provider::GitLab, Provider::Bitbucket, Provider::Gitea] {
        let accepted = verify(provider, &headers, body, SECRET).is_ok();
        let (names, value): (&[&str], Vec<u8>) = match provider {
            Provider::GitHub => (&["x-hub-signature-256"], format!("sha256={right}").into()),
            Provider::Bitbucket => (&["x-hub-signature"], format!("sha256={right}").into()),
            Provider::Gitea => (&["x-gitea-signature", "x-forgejo-signature"], right.clone().into()),
            Provider::GitLab => (&["x-gitlab-token"], SECRET.to_vec()),
        };
        let sent = names.iter().find_map(|name| headers.get(*name));
        assert_eq!(accepted, sent.is_some_and(|sent| sent.as_bytes() == value), "{provider:?} {headers:?}");
        assert!(!accepted || is_signed(provider, &headers));
        assert!(verify(provider, &headers, body, b"").is_err(), "an empty secret signs nothing");
    }
}

/// A `webmeteor.toml` is read or refused in words, and what it asks for is within the rules.
pub fn manifest(data: &[u8]) {
    thread_local! {
        /// On a file system in memory where there is one: thousands of files a second are written.
        static REPOSITORY: tempfile::TempDir = {
            let memory = std::path::Path::new("/dev/shm");
            let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
            let folder = tempfile::tempdir_in(parent).expect("a folder can be made");
            std::fs::create_dir(folder.path().join("www")).expect("a folder can be made");
            std::fs::write(folder.path().join("www/Dockerfile"), "FROM scratch\n").expect("a file can be written");
            folder
        };
    }
    REPOSITORY.with(|repository| {
        std::fs::write(repository.path().join("webmeteor.toml"), data).expect("a file can be written");
        match discover(repository.path()) {
            Ok(found) => {
                assert!(!found.services.is_empty());
                for service in &found.services {
                    assert!(service.port > 0 && service.memory_bytes > 0 && service.cpu_millis > 0, "{service:?}");
                    assert!(service.route.as_deref().is_none_or(|route| route.starts_with('/')), "{service:?}");
                    assert!(service.volumes.values().all(|path| path.starts_with('/')), "{service:?}");
                }
                let written = serde_json::to_string(&found).expect("it can be stored");
                assert_eq!(serde_json::from_str::<model::site::Manifest>(&written).ok(), Some(found));
            }
            Err(error) => assert!(!error.message.is_empty()),
        }
    });
}

/// The commands of a push are the same wherever the stream is cut, name watched branches only, and never pile up.
pub fn push(data: &[u8]) {
    let Some((cut, request)) = data.split_first() else { return };
    let watched = ["main".to_owned(), "staging".to_owned()];
    let mut whole = Commands::watching(&watched);
    whole.read(request);
    let mut pieces = Commands::watching(&watched);
    for piece in request.chunks(usize::from(*cut).max(1)) {
        pieces.read(piece);
        assert!(pieces.pending() <= 0xffff, "only a part of one line is kept");
    }
    assert_eq!(whole.moved(), pieces.moved());
    assert_eq!((&whole.others, whole.has_side_band), (&pieces.others, pieces.has_side_band));
    for moved in whole.moved() {
        assert!(watched.contains(&moved.branch));
        assert_ne!(moved.from, moved.to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over_seeds(name: &str, check: fn(&[u8])) {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(name);
        let seeds: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(!seeds.is_empty(), "{} holds the seeds", folder.display());
        for seed in seeds {
            let data = std::fs::read(&seed).unwrap();
            let held = std::panic::catch_unwind(|| {
                check(&data);
                // What is cut off is refused, and breaks nothing.
                (0..data.len()).step_by(7).for_each(|end| check(&data[..end]));
            });
            assert!(held.is_ok(), "{} breaks its rule", seed.display());
        }
    }

    #[test]
    fn every_payload_that_is_kept_as_a_seed_holds() {
        over_seeds("payload", payload);
    }

    #[test]
    fn every_signature_that_is_kept_as_a_seed_holds() {
        over_seeds("signature", signature);
    }

    #[test]
    fn every_manifest_that_is_kept_as_a_seed_holds() {
        over_seeds("manifest", manifest);
    }

    #[test]
    fn every_push_that_is_kept_as_a_seed_holds() {
        over_seeds("push", push);
    }

    #[test]
    fn the_seeds_reach_what_they_are_for() {
        let seed = |path: &str| {
            let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
            std::fs::read(root.join(path)).unwrap()
        };
        let github = seed("payload/github-push");
        let (headers, body) = message(&github);
        assert!(matches!(parse(Provider::GitHub, &headers, body), Ok(Payload::Push(push)) if push.changes.len() == 1));
        let signed = seed("signature/github");
        let (headers, body) = message(&signed);
        assert!(verify(Provider::GitHub, &headers, body, SECRET).is_ok());
        let repository = tempfile::tempdir().unwrap();
        std::fs::create_dir(repository.path().join("www")).unwrap();
        std::fs::write(repository.path().join("www/Dockerfile"), "FROM scratch\n").unwrap();
        std::fs::write(repository.path().join("webmeteor.toml"), seed("manifest/services")).unwrap();
        assert_eq!(discover(repository.path()).unwrap().services.len(), 2);
        let mut commands = Commands::watching(&["main".into()]);
        commands.read(&seed("push/branch-and-tag")[1..]);
        assert_eq!((commands.moved().len(), commands.others.len()), (1, 1));
    }
}

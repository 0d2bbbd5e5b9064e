//! The example payloads that are published for GitHub's webhooks (the npm package `@octokit/webhooks-examples`): each is
//! verified and parsed as a webhook that comes in, and what comes of it is compared with what stands in its JSON.
#![allow(clippy::unwrap_used)]

use forge::webhook::{
    Payload, Provider, PullAction, RefKind, RepositoryKey, is_signed, parse, repository_urls_unverified, verify,
};
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use serde_json::Value;
use sha2::Sha256;
use std::fs;

const EXAMPLES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../end2end/node_modules/@octokit/webhooks-examples/api.github.com/index.json"
);
const SECRET: &[u8] = b"of these examples";

/// An example as GitHub would send it: its event's name, its JSON, and the bytes of that.
struct Example {
    event: String,
    json: Value,
    body: Vec<u8>,
}

impl Example {
    fn new(event: &str, json: Value) -> Self {
        Self { event: event.to_owned(), body: serde_json::to_vec(&json).unwrap(), json }
    }

    fn headers(&self) -> HeaderMap {
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET).unwrap();
        mac.update(&self.body);
        let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
        HeaderMap::from_iter([
            ("content-type".parse().unwrap(), "application/json".parse().unwrap()),
            ("x-github-event".parse().unwrap(), self.event.parse().unwrap()),
            ("x-hub-signature-256".parse().unwrap(), signature.parse().unwrap()),
        ])
    }

    /// What comes of it on the way of a webhook that comes in: the forge by the headers, the repository, the signature,
    /// the payload.
    fn received(&self) -> Payload {
        let headers = self.headers();
        assert_eq!(Provider::of(&headers), Some(Provider::GitHub));
        let provider = Provider::GitHub;
        assert_eq!(provider.event(&headers), self.event);
        let keys = repository_urls_unverified(provider, &headers, &self.body).unwrap();
        let named = self.json.get("repository").map(|it| RepositoryKey::of(it["clone_url"].as_str().unwrap()).unwrap());
        assert_eq!(keys.first(), named.as_ref());
        assert!(is_signed(provider, &headers));
        verify(provider, &headers, &self.body, SECRET).unwrap();
        parse(provider, &headers, &self.body).unwrap()
    }

    fn text(&self, pointer: &str) -> Option<&str> {
        self.json.pointer(pointer).and_then(Value::as_str)
    }
}

/// All published examples of an event.
fn examples(event: &str) -> Vec<Example> {
    let text = fs::read_to_string(EXAMPLES).unwrap_or_else(|error| {
        panic!("The published payloads are not here ({EXAMPLES}: {error}). Run scripts/setup --tests, then this again.")
    });
    let all: Vec<Value> = serde_json::from_str(&text).unwrap();
    let found = all.into_iter().find(|it| it["name"] == event).unwrap_or_else(|| panic!("no examples of {event}"));
    let found: Vec<_> =
        found["examples"].as_array().unwrap().iter().map(|json| Example::new(event, json.clone())).collect();
    assert!(!found.is_empty(), "{event}");
    found
}

/// The addresses of the repository, by whatever name they are told.
fn assert_repository(urls: &[String], example: &Example) {
    for name in ["clone_url", "html_url"] {
        let url = example.text(&format!("/repository/{name}")).unwrap();
        assert!(urls.iter().any(|it| it == url), "{name} {url} is not among {urls:?}");
    }
    let keys: Vec<_> = urls.iter().map(|url| RepositoryKey::of(url).unwrap()).collect();
    assert!(keys.iter().all(|key| *key == keys[0]), "one repository by all its addresses: {keys:?}");
}

#[test]
fn a_push_tells_what_became_of_its_reference() {
    let (mut branches, mut tags, mut deleted) = (0, 0, 0);
    for example in examples("push") {
        let Payload::Push(push) = example.received() else { panic!("{}", example.json) };
        assert_repository(&push.repository_urls, &example);
        let [change] = &push.changes[..] else { panic!("{:?}", push.changes) };
        let full = example.text("/ref").unwrap();
        let (kind, prefix) = if full.starts_with("refs/tags/") {
            (RefKind::Tag, "refs/tags/")
        } else {
            (RefKind::Branch, "refs/heads/")
        };
        assert_eq!((change.kind, format!("{prefix}{}", change.name)), (kind, full.to_owned()));
        let is_deleted = example.json["deleted"].as_bool().unwrap();
        assert_eq!(change.deleted, is_deleted);
        let commit = change.commit.as_ref().map(AsRef::as_ref);
        assert_eq!(commit, example.text("/after").filter(|_| !is_deleted));
        assert_eq!(commit, example.text("/head_commit/id"), "the newest commit is the one that is deployed");
        let message = example.text("/head_commit/message").and_then(|message| message.lines().next());
        assert_eq!(change.message.as_deref(), message);
        assert_eq!(change.author.as_deref(), example.text("/head_commit/author/name"));
        assert_eq!(change.skip, None);
        let commits = example.json["commits"].as_array().unwrap();
        let paths = commits.iter().flat_map(|commit| ["added", "removed", "modified"].map(|how| commit[how].clone()));
        let mut paths: Vec<String> =
            paths.flat_map(|paths| serde_json::from_value::<Vec<String>>(paths).unwrap()).collect();
        paths.sort();
        let is_told = !commits.is_empty() && example.json["forced"] == false;
        let changed = change.changed.clone().map(|mut changed| {
            changed.sort();
            changed
        });
        assert_eq!(changed, is_told.then_some(paths));
        *if kind == RefKind::Tag { &mut tags } else { &mut branches } += 1;
        deleted += usize::from(is_deleted);
    }
    assert!(branches > 0 && tags > 0 && deleted > 0, "{branches} branches, {tags} tags, {deleted} deleted");
}

#[test]
fn a_ping_is_a_ping() {
    for example in examples("ping") {
        // An organisation's webhook has no repository, and says hello all the same.
        assert_eq!(example.received(), Payload::Ping);
    }
}

#[test]
fn a_pull_request_tells_what_is_to_be_merged_and_from_where() {
    let mut opened = 0;
    for example in examples("pull_request") {
        assert_pull(&example, false);
        opened += usize::from(example.text("/action") == Some("opened"));
        // None of the published ones comes from elsewhere: the same with the head's repository being another one, or gone.
        let mut json = example.json.clone();
        json["pull_request"]["head"]["repo"]["full_name"] = "somebody/Hello-World".into();
        assert_pull(&Example::new("pull_request", json.clone()), true);
        json["pull_request"]["head"]["repo"] = Value::Null;
        assert_pull(&Example::new("pull_request", json), true);
    }
    assert!(opened > 0);
}

fn assert_pull(example: &Example, from_fork: bool) {
    let Payload::PullRequest(pull) = example.received() else { panic!("{}", example.json) };
    assert_repository(&pull.repository_urls, example);
    let is_merged = example.json["pull_request"]["merged"].as_bool().unwrap();
    let action = match example.text("/action").unwrap() {
        "opened" | "reopened" => PullAction::Opened,
        "synchronize" | "edited" => PullAction::Updated,
        "closed" if is_merged => PullAction::Merged,
        "closed" => PullAction::Closed,
        other => PullAction::Other(other.to_owned()),
    };
    assert_eq!(pull.action, action);
    assert_eq!(Some(pull.number), example.json["number"].as_u64());
    assert_eq!(Some(&*pull.title), example.text("/pull_request/title"));
    assert_eq!(pull.author.as_deref(), example.text("/pull_request/user/login"));
    assert_eq!(Some(&*pull.source_branch), example.text("/pull_request/head/ref"));
    assert_eq!(Some(&*pull.target_branch), example.text("/pull_request/base/ref"));
    assert_eq!(pull.commit.as_ref().map(AsRef::as_ref), example.text("/pull_request/head/sha"));
    assert_eq!(pull.from_fork, from_fork);
    assert!(pull.changed_at.is_some() && example.text("/pull_request/updated_at").is_some());
}

#[test]
fn a_deleted_reference_is_told_as_gone_and_a_new_one_by_its_push_alone() {
    for example in examples("delete") {
        let Payload::Push(push) = example.received() else { panic!("{}", example.json) };
        assert_repository(&push.repository_urls, &example);
        let [change] = &push.changes[..] else { panic!("{:?}", push.changes) };
        let kind = if example.json["ref_type"] == "tag" { RefKind::Tag } else { RefKind::Branch };
        assert_eq!((change.kind, change.deleted, &change.commit), (kind, true, &None));
        assert_eq!(Some(&*change.name), example.text("/ref"));
    }
    for example in examples("create") {
        assert_eq!(example.received(), Payload::Other("create".to_owned()));
    }
}

#[test]
fn one_byte_of_body_or_signature_that_is_another_is_no_longer_signed() {
    for event in ["push", "ping", "pull_request", "create", "delete"] {
        for example in examples(event) {
            let headers = example.headers();
            let check = |headers: &HeaderMap, body: &[u8]| verify(Provider::GitHub, headers, body, SECRET);
            check(&headers, &example.body).unwrap();
            let last = example.body.len() - 1;
            for place in [0, last / 3, last / 2, last] {
                let mut changed = example.body.clone();
                changed[place] ^= 1;
                assert!(check(&headers, &changed).is_err(), "{event}: byte {place}");
            }
            assert!(check(&headers, &example.body[..last]).is_err());
            let mut changed = headers.clone();
            let mut signature = headers["x-hub-signature-256"].as_bytes().to_vec();
            let end = signature.len() - 1;
            signature[end] = if signature[end] == b'0' { b'1' } else { b'0' };
            changed.insert("x-hub-signature-256", http::HeaderValue::from_bytes(&signature).unwrap());
            assert!(check(&changed, &example.body).is_err());
            assert!(verify(Provider::GitHub, &headers, &example.body, b"another").is_err());
        }
    }
}

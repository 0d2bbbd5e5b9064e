//! What a verified webhook says, in one vocabulary for all forges.

use super::{
    Provider,
    pulls::{PullRequest, bucket_pull, hub_pull, lab_merge, server_pull},
    shapes,
};
use crate::skip;
use http::{HeaderMap, header::CONTENT_TYPE};
use model::names::CommitSha;
use serde::de::DeserializeOwned;
use std::borrow::Cow;

/// The longest text kept of a message or a person's name, in characters.
const MAX_TEXT: usize = 200;
/// The longest name kept of a reference; longer than any branch that is deployed.
const MAX_NAME: usize = 250;

/// What a webhook says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// A trial after the webhook was set up.
    Ping,
    /// References moved.
    Push(Push),
    /// A pull or merge request was opened, changed or closed.
    PullRequest(PullRequest),
    /// Something else; the forge's own word for it.
    Other(String),
}

/// A push; Bitbucket tells of several references in one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// What happened to each reference.
    pub changes: Vec<RefChange>,
    /// The repository's addresses as the forge gives them.
    pub repository_urls: Vec<String>,
}

/// What a reference is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefKind {
    /// `refs/heads/…`.
    Branch,
    /// `refs/tags/…`.
    Tag,
    /// Anything else, such as notes.
    Other,
}

/// One reference that was made, moved or deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefChange {
    /// Branch or tag.
    pub kind: RefKind,
    /// Its short name; not checked against the rules of branch names.
    pub name: String,
    /// It is gone.
    pub deleted: bool,
    /// Where it stands now; `None` when deleted.
    pub commit: Option<CommitSha>,
    /// First line of that commit's message.
    pub message: Option<String>,
    /// That commit's author.
    pub author: Option<String>,
    /// The words in that commit's message that ask for no deployment.
    pub skip: Option<&'static str>,
    /// The paths that were changed; `None` where the forge does not tell, or not of all commits.
    pub changed: Option<Vec<String>>,
}

/// The body is not what the forge's documentation says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the body cannot be read as a webhook of {provider}: {reason}", provider = .provider.as_str())]
pub struct Unreadable {
    /// Whose shape was expected.
    pub provider: Provider,
    /// What is wrong with it.
    pub reason: String,
}

/// Reads a webhook whose signature was checked.
///
/// # Errors
/// [`Unreadable`] if it is not JSON (plain, or GitHub's form with a `payload` field) or lacks a documented field.
pub fn parse(provider: Provider, headers: &HeaderMap, body: &[u8]) -> Result<Payload, Unreadable> {
    let unreadable = |reason: String| Unreadable { provider, reason };
    let json = json_of(headers, body).map_err(unreadable)?;
    let event = provider.event(headers);
    match (provider, event) {
        (Provider::GitHub, "ping") | (Provider::Bitbucket, "diagnostics:ping") => Ok(Payload::Ping),
        (Provider::GitHub | Provider::Gitea, "push") => read(&json).map(|push| hub_push(&push)),
        (Provider::GitHub | Provider::Gitea, "delete") => read(&json).map(|gone| hub_delete(&gone)),
        (Provider::GitHub | Provider::Gitea, "pull_request") => read(&json).map(hub_pull),
        (Provider::GitLab, "Push Hook" | "Tag Push Hook") => read(&json).map(|push| lab_push(&push)),
        (Provider::GitLab, "Merge Request Hook") => read(&json).map(lab_merge),
        (Provider::Bitbucket, "repo:push") => read(&json).map(bucket_push),
        (Provider::Bitbucket, "repo:refs_changed") => read(&json).map(|push| server_push(&push)),
        (
            Provider::Bitbucket,
            "pullrequest:created" | "pullrequest:updated" | "pullrequest:fulfilled" | "pullrequest:rejected",
        ) => read(&json).map(|pull| bucket_pull(pull, event)),
        (
            Provider::Bitbucket,
            "pr:opened"
            | "pr:from_ref_updated"
            | "pr:to_ref_updated"
            | "pr:modified"
            | "pr:merged"
            | "pr:declined"
            | "pr:deleted",
        ) => read(&json).map(|pull| server_pull(&pull, event)),
        _ => read::<serde::de::IgnoredAny>(&json).map(|_| Payload::Other(text(event))),
    }
    .map_err(unreadable)
}

/// The JSON in a body. GitHub's webhooks are forms with the JSON in a field unless set up otherwise.
pub(super) fn json_of<'a>(headers: &HeaderMap, body: &'a [u8]) -> Result<Cow<'a, [u8]>, String> {
    let is_form = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.trim().to_ascii_lowercase().starts_with("application/x-www-form-urlencoded"));
    if !is_form {
        return Ok(Cow::Borrowed(body));
    }
    url::form_urlencoded::parse(body)
        .find(|(name, _)| name == "payload")
        .map(|(_, json)| Cow::Owned(json.into_owned().into_bytes()))
        .ok_or_else(|| "the form has no field “payload”".to_owned())
}

fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, String> {
    serde_json::from_slice(json).map_err(|e| e.to_string())
}

fn hub_push(push: &shapes::HubPush) -> Payload {
    let (kind, name) = reference(&push.r#ref);
    let commit = commit(&push.after).filter(|_| !push.deleted);
    let head = push.head_commit.as_ref();
    Payload::Push(Push {
        changes: vec![RefChange {
            kind,
            name,
            deleted: commit.is_none(),
            commit,
            message: head.and_then(|head| first_line(&head.message)),
            author: head.and_then(|head| head.author.name.as_deref()).and_then(first_line),
            skip: head.and_then(|head| skip::mark(&head.message)),
            // A forced push takes commits away too, and of those nothing is told.
            changed: (!push.forced).then(|| changed(&push.commits, push.total_commits)).flatten(),
        }],
        repository_urls: urls(&push.repository),
    })
}

/// Gitea tells of a deleted branch by this event alone, GitHub by a push beside it.
fn hub_delete(gone: &shapes::HubDelete) -> Payload {
    Payload::Push(Push {
        changes: vec![RefChange {
            kind: match gone.ref_type.as_str() {
                "branch" => RefKind::Branch,
                "tag" => RefKind::Tag,
                _ => RefKind::Other,
            },
            name: name(gone.r#ref.trim_start_matches("refs/heads/").trim_start_matches("refs/tags/")),
            deleted: true,
            commit: None,
            message: None,
            author: None,
            skip: None,
            changed: None,
        }],
        repository_urls: urls(&gone.repository),
    })
}

fn lab_push(push: &shapes::LabPush) -> Payload {
    let (kind, name) = reference(&push.r#ref);
    let commit = commit(push.checkout_sha.as_deref().unwrap_or(&push.after));
    let head = push.commits.iter().find(|candidate| commit.as_ref().is_some_and(|sha| sha.as_str() == candidate.id));
    let author = head.and_then(|head| head.author.name.as_deref()).or(push.user_name.as_deref());
    Payload::Push(Push {
        changes: vec![RefChange {
            kind,
            name,
            deleted: commit.is_none(),
            message: head.and_then(|head| first_line(&head.message)),
            author: author.and_then(first_line),
            skip: head.and_then(|head| skip::mark(&head.message)),
            changed: changed(&push.commits, push.total_commits_count),
            commit,
        }],
        repository_urls: urls(&push.project),
    })
}

fn bucket_push(push: shapes::BucketPush) -> Payload {
    let changes = push.push.changes.into_iter().filter_map(|change| {
        let deleted = change.new.is_none();
        let end = change.new.or(change.old)?;
        let target = end.target.filter(|_| !deleted);
        Some(RefChange {
            kind: match end.r#type.as_str() {
                "branch" | "named_branch" => RefKind::Branch,
                "tag" | "annotated_tag" => RefKind::Tag,
                _ => RefKind::Other,
            },
            name: name(&end.name),
            deleted,
            commit: target.as_ref().and_then(|target| commit(&target.hash)),
            message: target.as_ref().and_then(|target| first_line(&target.message)),
            skip: target.as_ref().and_then(|target| skip::mark(&target.message)),
            changed: None,
            author: target
                .and_then(|target| target.author?.raw)
                .and_then(|raw| first_line(raw.split('<').next().unwrap_or_default())),
        })
    });
    Payload::Push(Push { changes: changes.collect(), repository_urls: urls(&push.repository) })
}

fn server_push(push: &shapes::ServerPush) -> Payload {
    let head = push.to_commit.as_ref();
    let changes = push.changes.iter().map(|change| {
        let (kind, name) = reference(&change.r#ref.id);
        let commit = commit(&change.to_hash).filter(|_| change.r#type != "DELETE");
        let head = head.filter(|head| commit.as_ref().is_some_and(|sha| sha.as_str() == head.id));
        RefChange {
            kind,
            name,
            deleted: commit.is_none(),
            message: head.and_then(|head| first_line(&head.message)),
            skip: head.and_then(|head| skip::mark(&head.message)),
            changed: None,
            author: head
                .and_then(|head| head.author.display_name.as_deref().or(head.author.name.as_deref()))
                .and_then(first_line),
            commit,
        }
    });
    Payload::Push(Push { changes: changes.collect(), repository_urls: urls(&push.repository) })
}

/// GitHub tells of no more commits of a push (its documentation, `push`).
const MOST_COMMITS: usize = 2048;

/// The paths that these commits changed, if they are all the commits of the push.
fn changed(commits: &[shapes::Commit], total: Option<usize>) -> Option<Vec<String>> {
    let is_whole = !commits.is_empty() && total.map_or(commits.len() < MOST_COMMITS, |total| total == commits.len());
    if !is_whole {
        return None;
    }
    let paths: Option<Vec<_>> = commits.iter().map(shapes::Commit::paths).collect();
    Some(paths?.into_iter().flatten().map(str::to_owned).collect())
}

pub(super) fn reference(full: &str) -> (RefKind, String) {
    match (full.strip_prefix("refs/heads/"), full.strip_prefix("refs/tags/")) {
        (Some(branch), _) => (RefKind::Branch, name(branch)),
        (_, Some(tag)) => (RefKind::Tag, name(tag)),
        _ => (RefKind::Other, name(full)),
    }
}

/// A full commit id; `None` for the id of zeros that stands for a deleted reference.
pub(super) fn commit(id: &str) -> Option<CommitSha> {
    CommitSha::parse(id).ok().filter(|sha| sha.as_str().bytes().any(|b| b != b'0'))
}

pub(super) fn urls(place: &shapes::Place) -> Vec<String> {
    place.urls().map(text).collect()
}

pub(super) fn first_line(raw: &str) -> Option<String> {
    raw.lines().next().map(text).filter(|line| !line.is_empty())
}

/// A reference's name, changed visibly where it could not be shown, so that it never turns into another one's.
pub(super) fn name(raw: &str) -> String {
    raw.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).take(MAX_NAME).collect()
}

/// Text that can be shown and stored: without control characters, of bounded length.
pub(super) fn text(raw: &str) -> String {
    raw.trim().chars().filter(|c| !c.is_control()).take(MAX_TEXT).collect()
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod event_tests;
#[cfg(test)]
#[path = "payload_tests.rs"]
mod tests;

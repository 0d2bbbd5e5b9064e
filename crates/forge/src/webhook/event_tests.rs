//! Every event that matters, from every forge, in the field names that their documentation gives.

use super::*;
use crate::webhook::PullAction;
use serde_json::{Value, json};

const SHA: &str = "b3f1c2d4e5a60718293a4b5c6d7e8f9001122334";
const BEFORE: &str = "da1560886d4f094c3e6c9ef40349f7d38b5d27d7";
const ZEROS: &str = "0000000000000000000000000000000000000000";

/// The forge's header of an event, and its body.
type Sent = (Provider, &'static str, &'static str, Value);

fn read((provider, header, event, body): &Sent) -> Payload {
    let mut headers = HeaderMap::new();
    headers.insert(*header, event.parse().unwrap());
    headers.insert(CONTENT_TYPE, "application/json".parse().unwrap());
    assert_eq!(Provider::of(&headers), Some(*provider), "{event}");
    parse(*provider, &headers, body.to_string().as_bytes()).unwrap_or_else(|error| panic!("{event}: {error}"))
}

/// GitHub and Gitea, which speaks alike.
fn hubs(event: &'static str, body: &Value) -> [Sent; 2] {
    [(Provider::GitHub, "x-github-event", event, body.clone()), (Provider::Gitea, "x-gitea-event", event, body.clone())]
}

fn hub_repository() -> Value {
    json!({
        "id": 1, "name": "site", "full_name": "ada/site", "html_url": "https://example.org/ada/site",
        "clone_url": "https://example.org/ada/site.git", "ssh_url": "git@example.org:ada/site.git"
    })
}

fn lab_project() -> Value {
    json!({
        "id": 15, "name": "site", "web_url": "https://example.org/ada/site", "path_with_namespace": "ada/site",
        "git_ssh_url": "git@example.org:ada/site.git", "git_http_url": "https://example.org/ada/site.git"
    })
}

fn cloud_repository() -> Value {
    json!({
        "type": "repository", "uuid": "{673a6070-3421-46c9-9d48-90745f7bfe8e}", "full_name": "ada/site", "name": "site",
        "links": {"html": {"href": "https://example.org/ada/site"}, "self": {"href": "https://api.example.org/x"}}
    })
}

fn server_repository() -> Value {
    json!({
        "slug": "site", "id": 84, "name": "site", "scmId": "git", "project": {"key": "ADA", "id": 84, "name": "Ada"},
        "links": {"clone": [{"href": "https://example.org/scm/ada/site.git", "name": "http"}]}
    })
}

fn hub_push(reference: &str, after: &str) -> Value {
    let head = json!({"id": after, "message": "Say hello", "author": {"name": "Ada", "email": "ada@example.org"}});
    json!({
        "ref": reference, "before": BEFORE, "after": after, "created": false, "deleted": after == ZEROS, "forced": false,
        "head_commit": if after == ZEROS { Value::Null } else { head }, "commits": [], "total_commits": 0,
        "repository": hub_repository(), "pusher": {"name": "ada"}, "sender": {"login": "ada"}
    })
}

fn lab_push(kind: &str, reference: &str, after: &str) -> Value {
    json!({
        "object_kind": kind, "event_name": kind, "before": BEFORE, "after": after, "ref": reference,
        "checkout_sha": if after == ZEROS { Value::Null } else { json!(after) }, "user_name": "Ada", "project_id": 15,
        "project": lab_project(), "total_commits_count": 1,
        "commits": [{"id": after, "message": "Say hello", "author": {"name": "Ada", "email": "ada@example.org"}}]
    })
}

fn cloud_push(kind: &str, name: &str, is_gone: bool) -> Value {
    let end = json!({"type": kind, "name": name, "target": {
        "type": "commit", "hash": SHA, "message": "Say hello\n", "author": {"type": "author", "raw": "Ada <ada@example.org>"}
    }});
    let (old, new) = if is_gone { (end, Value::Null) } else { (Value::Null, end) };
    json!({
        "actor": {"display_name": "Ada"}, "repository": cloud_repository(),
        "push": {"changes": [{"old": old, "new": new, "created": !is_gone, "closed": is_gone, "forced": false}]}
    })
}

fn server_push(reference: &str, kind: &str, to: &str, what: &str) -> Value {
    json!({
        "eventKey": "repo:refs_changed", "date": "2026-05-01T10:00:00+0000", "actor": {"name": "ada", "id": 1},
        "repository": server_repository(),
        "changes": [{
            "ref": {"id": reference, "displayId": "main", "type": kind}, "refId": reference, "fromHash": BEFORE,
            "toHash": to, "type": what
        }],
        "toCommit": {"id": to, "message": "Say hello", "author": {"name": "ada", "displayName": "Ada"}}
    })
}

fn change(sent: &Sent) -> RefChange {
    match read(sent) {
        Payload::Push(push) => {
            assert!(push.repository_urls.iter().any(|url| url.starts_with("https://example.org/")), "{push:?}");
            push.changes.into_iter().next().unwrap()
        }
        other => panic!("{}: {other:?} is no push", sent.2),
    }
}

#[test]
fn every_forges_push_names_branch_commit_message_and_author() {
    let [github, gitea] = hubs("push", &hub_push("refs/heads/main", SHA));
    let forgejo = (Provider::Gitea, "x-forgejo-event", "push", hub_push("refs/heads/main", SHA));
    for sent in [
        github,
        gitea,
        forgejo,
        (Provider::GitLab, "x-gitlab-event", "Push Hook", lab_push("push", "refs/heads/main", SHA)),
        (Provider::Bitbucket, "x-event-key", "repo:push", cloud_push("branch", "main", false)),
        (
            Provider::Bitbucket,
            "x-event-key",
            "repo:refs_changed",
            server_push("refs/heads/main", "BRANCH", SHA, "UPDATE"),
        ),
    ] {
        let change = change(&sent);
        assert_eq!((change.kind, change.name.as_str(), change.deleted), (RefKind::Branch, "main", false), "{sent:?}");
        assert_eq!(change.commit.unwrap().as_str(), SHA, "{sent:?}");
        assert_eq!((change.message.as_deref(), change.author.as_deref()), (Some("Say hello"), Some("Ada")), "{sent:?}");
    }
}

#[test]
fn every_forges_tag_is_known_as_one() {
    let [github, gitea] = hubs("push", &hub_push("refs/tags/v1", SHA));
    for sent in [
        github,
        gitea,
        (Provider::GitLab, "x-gitlab-event", "Tag Push Hook", lab_push("tag_push", "refs/tags/v1", SHA)),
        (Provider::Bitbucket, "x-event-key", "repo:push", cloud_push("tag", "v1", false)),
        (Provider::Bitbucket, "x-event-key", "repo:refs_changed", server_push("refs/tags/v1", "TAG", SHA, "ADD")),
    ] {
        let change = change(&sent);
        assert_eq!((change.kind, change.name.as_str(), change.deleted), (RefKind::Tag, "v1", false), "{sent:?}");
    }
}

#[test]
fn every_forges_deleted_branch_is_gone_and_has_no_commit() {
    let deleted = json!({
        "ref": "old/one", "ref_type": "branch", "pusher_type": "user", "repository": hub_repository(),
        "sender": {"login": "ada"}
    });
    let [by_push, _] = hubs("push", &hub_push("refs/heads/old/one", ZEROS));
    let [by_event, gitea] = hubs("delete", &deleted);
    for sent in [
        by_push,
        by_event,
        gitea,
        (Provider::GitLab, "x-gitlab-event", "Push Hook", lab_push("push", "refs/heads/old/one", ZEROS)),
        (Provider::Bitbucket, "x-event-key", "repo:push", cloud_push("branch", "old/one", true)),
        (
            Provider::Bitbucket,
            "x-event-key",
            "repo:refs_changed",
            server_push("refs/heads/old/one", "BRANCH", ZEROS, "DELETE"),
        ),
    ] {
        let change = change(&sent);
        assert_eq!((change.kind, change.name.as_str(), change.deleted), (RefKind::Branch, "old/one", true), "{sent:?}");
        assert_eq!(change.commit, None, "{sent:?}");
    }
}

fn hub_pull(action: &str, merged: bool) -> Value {
    let end = |branch: &str, owner: &str| json!({"label": "x", "ref": branch, "sha": SHA, "repo": {"full_name": format!("{owner}/site")}});
    json!({
        "action": action, "number": 7, "repository": hub_repository(), "sender": {"login": "eve"},
        "pull_request": {
            "id": 1, "number": 7, "state": "open", "title": "Better", "merged": merged, "user": {"login": "Eve"},
            "head": end("fix", "eve"), "base": end("main", "ada")
        }
    })
}

fn lab_merge(action: &str) -> Sent {
    let body = json!({
        "object_kind": "merge_request", "event_type": "merge_request", "user": {"name": "Eve"}, "project": lab_project(),
        "object_attributes": {
            "id": 99, "iid": 7, "title": "Better", "state": "opened", "action": action, "source_branch": "fix",
            "target_branch": "main", "source_project_id": 16, "target_project_id": 15,
            "last_commit": {"id": SHA, "message": "x", "author": {"name": "Eve", "email": "eve@example.org"}}
        }
    });
    (Provider::GitLab, "x-gitlab-event", "Merge Request Hook", body)
}

fn cloud_pull(event: &'static str) -> Sent {
    let end = |branch: &str, owner: &str| {
        json!({
            "branch": {"name": branch}, "commit": {"hash": "d3022fc0ca3d"},
            "repository": {"type": "repository", "full_name": format!("{owner}/site")}
        })
    };
    let body = json!({
        "actor": {"display_name": "Eve"}, "repository": cloud_repository(),
        "pullrequest": {
            "id": 7, "title": "Better", "author": {"display_name": "Eve"}, "state": "OPEN", "source": end("fix", "eve"), "destination": end("main", "ada")
        }
    });
    (Provider::Bitbucket, "x-event-key", event, body)
}

fn server_pull(event: &'static str) -> Sent {
    let fork = json!({"slug": "site", "id": 85, "name": "site", "project": {"key": "~EVE"}});
    let body = json!({
        "eventKey": event, "date": "2026-05-01T10:00:00+0000", "actor": {"name": "eve", "id": 2},
        "pullRequest": {
            "id": 7, "version": 0, "title": "Better", "state": "OPEN", "open": true, "closed": false,
            "author": {"user": {"name": "eve", "displayName": "Eve"}, "role": "AUTHOR"},
            "fromRef": {"id": "refs/heads/fix", "displayId": "fix", "latestCommit": SHA, "repository": fork},
            "toRef": {
                "id": "refs/heads/main", "displayId": "main", "latestCommit": BEFORE, "repository": server_repository()
            }
        }
    });
    (Provider::Bitbucket, "x-event-key", event, body)
}

#[test]
fn every_forges_pull_request_is_told_apart_by_what_happened() {
    use PullAction::{Closed, Merged, Opened, Updated};
    let mut all = vec![];
    for (action, merged, expected) in [
        ("opened", false, Opened),
        ("reopened", false, Opened),
        ("synchronize", false, Updated),
        ("synchronized", false, Updated),
        ("edited", false, Updated),
        ("closed", true, Merged),
        ("closed", false, Closed),
        ("labeled", false, PullAction::Other("labeled".into())),
    ] {
        all.extend(hubs("pull_request", &hub_pull(action, merged)).map(|sent| (sent, expected.clone())));
    }
    for (action, expected) in
        [("open", Opened), ("reopen", Opened), ("update", Updated), ("merge", Merged), ("close", Closed)]
    {
        all.push((lab_merge(action), expected));
    }
    for (event, expected) in [
        ("pullrequest:created", Opened),
        ("pullrequest:updated", Updated),
        ("pullrequest:fulfilled", Merged),
        ("pullrequest:rejected", Closed),
    ] {
        all.push((cloud_pull(event), expected));
    }
    for (event, expected) in [
        ("pr:opened", Opened),
        ("pr:from_ref_updated", Updated),
        ("pr:modified", Updated),
        ("pr:merged", Merged),
        ("pr:declined", Closed),
        ("pr:deleted", Closed),
    ] {
        all.push((server_pull(event), expected));
    }
    for (sent, expected) in all {
        let Payload::PullRequest(pull) = read(&sent) else { panic!("{sent:?}") };
        assert_eq!((pull.number, &pull.action, pull.title.as_str()), (7, &expected, "Better"), "{sent:?}");
        assert_eq!((pull.source_branch.as_str(), pull.target_branch.as_str()), ("fix", "main"), "{sent:?}");
        assert!(pull.from_fork, "{sent:?}");
        let is_told =
            sent.0 != Provider::GitLab || expected == Opened && sent.3["object_attributes"]["action"] == "open";
        assert_eq!(pull.author.as_deref(), is_told.then_some("Eve"), "{sent:?}");
        assert_eq!(pull.noun, if sent.0 == Provider::GitLab { "Merge request" } else { "Pull request" });
    }
}

#[test]
fn a_trial_is_a_ping_where_the_forge_has_one_and_else_a_push() {
    let zen = json!({"zen": "Keep it logically awesome.", "hook_id": 1, "hook": {"type": "Repository"}, "repository": hub_repository()});
    let ping = (Provider::GitHub, "x-github-event", "ping", zen);
    assert_eq!(read(&ping), Payload::Ping);
    let ping = (Provider::Bitbucket, "x-event-key", "diagnostics:ping", json!({"test": true}));
    assert_eq!(read(&ping), Payload::Ping);
    // GitLab, Gitea and Forgejo try a webhook with an event of the kind that was chosen, a push mostly.
    let trial = (Provider::GitLab, "x-gitlab-event", "Push Hook", lab_push("push", "refs/heads/main", SHA));
    assert_eq!(change(&trial).name, "main");
}

#[test]
fn what_is_none_of_these_keeps_the_forges_word() {
    for (provider, header, event) in [
        (Provider::GitHub, "x-github-event", "workflow_run"),
        (Provider::GitLab, "x-gitlab-event", "Pipeline Hook"),
        (Provider::Bitbucket, "x-event-key", "repo:commit_comment_created"),
        (Provider::Gitea, "x-gitea-event", "release"),
    ] {
        assert_eq!(read(&(provider, header, event, json!({"a": 1}))), Payload::Other(event.into()));
    }
}

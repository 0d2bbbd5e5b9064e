//! Payloads of the shapes that the forges document.

use super::*;
use proptest::prelude::*;
use serde_json::json;

const SHA: &str = "b3f1c2d4e5a60718293a4b5c6d7e8f9001122334";
const ZEROS: &str = "0000000000000000000000000000000000000000";

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs.iter().map(|(k, v)| (k.parse().unwrap(), v.parse().unwrap())).collect()
}

fn hub(event: &'static str) -> HeaderMap {
    headers(&[("x-github-event", event), ("content-type", "application/json")])
}

fn hub_push_to(reference: &str, after: &str) -> serde_json::Value {
    json!({
        "ref": reference, "before": ZEROS, "after": after, "created": false, "deleted": after == ZEROS, "forced": false,
        "commits": [],
        "head_commit": if after == ZEROS { serde_json::Value::Null } else { json!({
            "id": after, "message": "Say hello\n\nand more", "timestamp": "2026-05-01T10:00:00Z",
            "author": {"name": "Ada", "email": "ada@example.org", "username": "ada"}
        }) },
        "pusher": {"name": "ada"},
        "repository": {
            "id": 1, "name": "site", "full_name": "ada/site", "html_url": "https://example.org/ada/site",
            "clone_url": "https://example.org/ada/site.git", "ssh_url": "git@example.org:ada/site.git",
            "owner": {"login": "ada"}, "default_branch": "main"
        }
    })
}

fn only_change(payload: Payload) -> RefChange {
    let Payload::Push(push) = payload else { panic!("{payload:?} is no push") };
    assert_eq!(push.changes.len(), 1);
    push.changes.into_iter().next().unwrap()
}

fn expected(kind: RefKind, name: &str) -> RefChange {
    RefChange {
        kind,
        name: name.into(),
        deleted: false,
        commit: Some(CommitSha::parse(SHA).unwrap()),
        message: Some("Say hello".into()),
        author: Some("Ada".into()),
        skip: None,
        changed: None,
    }
}

#[test]
fn a_push_of_github_names_branch_commit_and_author() {
    let body = hub_push_to("refs/heads/feature/x", SHA).to_string();
    let payload = parse(Provider::GitHub, &hub("push"), body.as_bytes()).unwrap();
    let Payload::Push(push) = &payload else { panic!() };
    assert_eq!(push.repository_urls[0], "https://example.org/ada/site.git");
    assert_eq!(only_change(payload), expected(RefKind::Branch, "feature/x"));
}

#[test]
fn github_may_send_its_json_in_a_form() {
    let body: String = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("payload", &hub_push_to("refs/heads/main", SHA).to_string())
        .finish();
    let form = headers(&[("x-github-event", "push"), ("content-type", "application/x-www-form-urlencoded")]);
    assert_eq!(
        only_change(parse(Provider::GitHub, &form, body.as_bytes()).unwrap()),
        expected(RefKind::Branch, "main")
    );
    assert!(parse(Provider::GitHub, &form, b"other=1").is_err());
}

#[test]
fn a_tag_and_a_deleted_branch_are_told_apart_from_a_push() {
    let tag = hub_push_to("refs/tags/v1", SHA).to_string();
    assert_eq!(only_change(parse(Provider::GitHub, &hub("push"), tag.as_bytes()).unwrap()).kind, RefKind::Tag);
    let gone = hub_push_to("refs/heads/old", ZEROS).to_string();
    let change = only_change(parse(Provider::GitHub, &hub("push"), gone.as_bytes()).unwrap());
    assert!(change.deleted);
    assert_eq!(change.commit, None);
}

#[test]
fn a_ping_and_events_that_do_not_matter_are_recognised() {
    assert_eq!(parse(Provider::GitHub, &hub("ping"), br#"{"zen": "x", "hook_id": 1}"#), Ok(Payload::Ping));
    assert_eq!(parse(Provider::GitHub, &hub("star"), b"{}"), Ok(Payload::Other("star".into())));
}

#[test]
fn a_push_of_gitea_reads_like_githubs() {
    let gitea = headers(&[("x-gitea-event", "push"), ("x-github-event", "push")]);
    let body = hub_push_to("refs/heads/main", SHA).to_string();
    assert_eq!(
        only_change(parse(Provider::Gitea, &gitea, body.as_bytes()).unwrap()),
        expected(RefKind::Branch, "main")
    );
}

#[test]
fn a_push_of_gitlab_takes_the_commit_that_was_checked_out() {
    let body = json!({
        "object_kind": "push", "event_name": "push", "before": ZEROS, "after": SHA, "ref": "refs/heads/main",
        "checkout_sha": SHA, "user_name": "Somebody",
        "project": {
            "id": 15, "name": "site", "web_url": "https://gitlab.example.org/ada/site",
            "git_ssh_url": "git@gitlab.example.org:ada/site.git", "git_http_url": "https://gitlab.example.org/ada/site.git"
        },
        "commits": [
            {"id": "da1560886d4f094c3e6c9ef40349f7d38b5d27d7", "message": "Older", "author": {"name": "Bob", "email": "b@example.org"}},
            {"id": SHA, "message": "Say hello\n", "author": {"name": "Ada", "email": "a@example.org"}}
        ],
        "total_commits_count": 2
    })
    .to_string();
    let push = headers(&[("x-gitlab-event", "Push Hook")]);
    assert_eq!(
        only_change(parse(Provider::GitLab, &push, body.as_bytes()).unwrap()),
        expected(RefKind::Branch, "main")
    );

    let gone = body.replace(&format!("\"after\":\"{SHA}\""), &format!("\"after\":\"{ZEROS}\""));
    let gone = gone.replace(&format!("\"checkout_sha\":\"{SHA}\""), "\"checkout_sha\":null");
    assert!(only_change(parse(Provider::GitLab, &push, gone.as_bytes()).unwrap()).deleted);
}

#[test]
fn the_paths_of_a_push_are_known_only_where_the_forge_tells_of_all_commits() {
    let commit = |path: &str| json!({"id": SHA, "message": "x", "added": [path], "modified": [], "removed": []});
    let changed = |extra: serde_json::Value| {
        let mut body: serde_json::Value =
            serde_json::from_str(&hub_push_to("refs/heads/main", SHA).to_string()).unwrap();
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        only_change(parse(Provider::GitHub, &hub("push"), body.to_string().as_bytes()).unwrap()).changed
    };
    let two = json!({"commits": [commit("a"), commit("b/c")], "total_commits": 2});
    assert_eq!(changed(two.clone()), Some(vec!["a".to_owned(), "b/c".to_owned()]));
    for unknown in [
        json!({"commits": []}),
        json!({"commits": [{"id": SHA, "message": "x"}]}),
        json!({"commits": [commit("a")], "total_commits": 9}),
        json!({"commits": [commit("a")], "forced": true}),
    ] {
        assert_eq!(changed(unknown.clone()), None, "{unknown}");
    }
}

#[test]
fn a_push_of_bitbucket_may_move_several_references() {
    let body = json!({
        "push": {"changes": [
            {
                "created": false, "closed": false, "forced": false, "old": null,
                "new": {"type": "branch", "name": "main", "target": {
                    "type": "commit", "hash": SHA, "message": "Say hello\n", "author": {"type": "author", "raw": "Ada <ada@example.org>"}
                }}
            },
            {"closed": true, "old": {"type": "branch", "name": "old", "target": {"hash": SHA, "message": "x"}}, "new": null},
            {"old": null, "new": {"type": "tag", "name": "v1", "target": {"hash": SHA, "message": "Say hello"}}}
        ]},
        "repository": {"type": "repository", "full_name": "ada/site", "links": {"html": {"href": "https://bitbucket.org/ada/site"}}}
    })
    .to_string();
    let Payload::Push(push) =
        parse(Provider::Bitbucket, &headers(&[("x-event-key", "repo:push")]), body.as_bytes()).unwrap()
    else {
        panic!()
    };
    assert_eq!(push.repository_urls, ["https://bitbucket.org/ada/site"]);
    assert_eq!(push.changes[0], expected(RefKind::Branch, "main"));
    assert!(push.changes[1].deleted && push.changes[1].commit.is_none());
    assert_eq!(push.changes[2].kind, RefKind::Tag);
}

#[test]
fn a_push_of_bitbucket_data_center_is_read_too() {
    let body = json!({
        "eventKey": "repo:refs_changed",
        "repository": {"slug": "site", "links": {"clone": [{"href": "https://code.example.org/scm/ada/site.git", "name": "http"}]}},
        "changes": [{
            "ref": {"id": "refs/heads/main", "displayId": "main", "type": "BRANCH"}, "refId": "refs/heads/main",
            "fromHash": ZEROS, "toHash": SHA, "type": "UPDATE"
        }],
        "toCommit": {"id": SHA, "message": "Say hello", "author": {"name": "ada", "displayName": "Ada"}}
    })
    .to_string();
    let event = headers(&[("x-event-key", "repo:refs_changed")]);
    assert_eq!(
        only_change(parse(Provider::Bitbucket, &event, body.as_bytes()).unwrap()),
        expected(RefKind::Branch, "main")
    );
}

#[test]
fn a_pull_request_from_a_fork_is_known_as_one() {
    let pull_of = |branch: &str, head: serde_json::Value| {
        json!({
            "action": "opened", "number": 12,
            "pull_request": {
                "title": "Better", "head": {"ref": branch, "sha": SHA, "repo": head},
                "base": {"ref": "main", "sha": SHA, "repo": {"full_name": "ada/site"}}
            },
            "repository": {"clone_url": "https://example.org/ada/site.git"}
        })
        .to_string()
    };
    let read = |body: String| match parse(Provider::GitHub, &hub("pull_request"), body.as_bytes()).unwrap() {
        Payload::PullRequest(pull) => pull,
        other => panic!("{other:?}"),
    };
    let pull = |head: serde_json::Value| pull_of("fix", head);
    let own = read(pull(json!({"full_name": "ada/site"})));
    assert_eq!((own.number, own.source_branch.as_str(), own.from_fork), (12, "fix", false));
    assert!(read(pull(json!({"full_name": "eve/site"}))).from_fork);
    assert!(read(pull(serde_json::Value::Null)).from_fork, "a deleted fork is a fork");
    let proposed = read(pull_of("refs/pull/12/head", json!({"full_name": "ada/site"})));
    assert!(proposed.from_fork, "whoever may read may propose commits without a fork");
}

#[test]
fn when_a_pull_request_was_changed_is_read_from_every_forge() {
    let at = |text: &str| time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).unwrap();
    let read = |provider, event, body: serde_json::Value| match parse(provider, &event, body.to_string().as_bytes()) {
        Ok(Payload::PullRequest(pull)) => pull.changed_at,
        other => panic!("{other:?}"),
    };
    let repo = json!({"full_name": "ada/site"});
    let hub_body = |time: &str| {
        let end = json!({"ref": "x", "sha": SHA, "repo": repo});
        json!({"action": "opened", "number": 1, "repository": {},
            "pull_request": {"head": end, "base": end, "updated_at": time}})
    };
    let plain = at("2026-05-01T10:00:00Z");
    assert_eq!(read(Provider::GitHub, hub("pull_request"), hub_body("2026-05-01T10:00:00Z")), Some(plain));
    let gitea = headers(&[("x-gitea-event", "pull_request")]);
    assert_eq!(read(Provider::Gitea, gitea, hub_body("2026-05-01T12:00:00+02:00")), Some(plain));
    assert_eq!(read(Provider::GitHub, hub("pull_request"), hub_body("yesterday")), None);
    let merge = json!({"project": {}, "object_attributes": {"iid": 1, "source_branch": "x", "target_branch": "y",
        "updated_at": "2026-05-01 10:00:00 UTC"}});
    assert_eq!(read(Provider::GitLab, headers(&[("x-gitlab-event", "Merge Request Hook")]), merge), Some(plain));
    let end = json!({"branch": {"name": "x"}, "repository": repo});
    let cloud = json!({"repository": {}, "pullrequest": {"id": 1, "source": end, "destination": end,
        "updated_on": "2026-05-01T10:00:00.123456+00:00"}});
    let event = headers(&[("x-event-key", "pullrequest:updated")]);
    assert_eq!(read(Provider::Bitbucket, event, cloud), Some(at("2026-05-01T10:00:00.123456Z")));
    let end = json!({"id": "refs/heads/x", "repository": {"id": 1}});
    let server =
        json!({"pullRequest": {"id": 1, "fromRef": end, "toRef": end, "updatedDate": plain.unix_timestamp() * 1000}});
    assert_eq!(read(Provider::Bitbucket, headers(&[("x-event-key", "pr:opened")]), server), Some(plain));
}

#[test]
fn a_merge_request_from_another_project_is_a_forks() {
    let merge = |source: u64| {
        json!({
            "object_kind": "merge_request",
            "project": {"git_http_url": "https://gitlab.example.org/ada/site.git"},
            "object_attributes": {
                "iid": 3, "title": "Better", "action": "open", "source_branch": "fix", "target_branch": "main",
                "source_project_id": source, "target_project_id": 15, "last_commit": {"id": SHA, "message": "x"}
            }
        })
        .to_string()
    };
    for (source, fork) in [(15, false), (16, true)] {
        let event = headers(&[("x-gitlab-event", "Merge Request Hook")]);
        let Payload::PullRequest(pull) = parse(Provider::GitLab, &event, merge(source).as_bytes()).unwrap() else {
            panic!()
        };
        assert_eq!(pull.from_fork, fork);
    }
}

#[test]
fn a_body_that_lacks_what_is_documented_is_unreadable() {
    for body in [&b""[..], b"{", b"[]", b"{}", b"\xff\xfe", br#"{"ref": 7, "after": "x", "repository": {}}"#] {
        assert!(parse(Provider::GitHub, &hub("push"), body).is_err(), "{body:?}");
    }
}

#[test]
fn control_characters_and_long_texts_do_not_get_through() {
    let mut body = hub_push_to("refs/heads/ma\u{0}in", SHA);
    body["head_commit"]["message"] = json!(format!("\u{1b}[31m{}", "a".repeat(5_000)));
    let change = only_change(parse(Provider::GitHub, &hub("push"), body.to_string().as_bytes()).unwrap());
    assert_eq!(change.name, "ma\u{fffd}in", "it is not the branch “main”");
    let message = change.message.unwrap();
    assert!(message.len() <= MAX_TEXT && !message.contains('\u{1b}'));
}

proptest! {
    #[test]
    fn whatever_comes_is_read_or_refused_without_a_panic(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        for (provider, name, event) in [
            (Provider::GitHub, "x-github-event", "push"),
            (Provider::GitLab, "x-gitlab-event", "Push Hook"),
            (Provider::Bitbucket, "x-event-key", "repo:push"),
            (Provider::Gitea, "x-gitea-event", "pull_request"),
        ] {
            let _ = parse(provider, &headers(&[(name, event)]), &body);
        }
    }
}

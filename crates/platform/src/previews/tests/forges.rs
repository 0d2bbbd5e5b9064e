//! Each forge's own payloads lead to the right decision.

use super::*;

fn lab(action: &str, commit: &str, source: u64) -> Value {
    json!({
        "object_kind": "merge_request", "user": {"name": "Eve"},
        "project": {"git_http_url": URL, "web_url": "https://example.org/ada/site"},
        "object_attributes": {
            "id": 99, "iid": 12, "title": "Better", "action": action, "source_branch": "fix", "target_branch": "main",
            "source_project_id": source, "target_project_id": 15, "last_commit": {"id": commit, "message": "x"}
        }
    })
}

fn cloud(_: &str, owner: &str) -> Value {
    let end = |branch: &str, owner: &str| {
        json!({
            "branch": {"name": branch}, "commit": {"hash": "d3022fc0ca3d"},
            "repository": {"type": "repository", "full_name": format!("{owner}/site")}
        })
    };
    json!({
        "actor": {"display_name": "Eve"}, "repository": {"links": {"html": {"href": "https://example.org/ada/site"}}},
        "pullrequest": {"id": 12, "title": "Better", "source": end("fix", owner), "destination": end("main", "ada")}
    })
}

fn server(commit: &str, repository: u64) -> Value {
    json!({
        "eventKey": "x",
        "pullRequest": {
            "id": 12, "title": "Better",
            "fromRef": {"id": "refs/heads/fix", "latestCommit": commit, "repository": {"id": repository}},
            "toRef": {"id": "refs/heads/main", "latestCommit": ONE, "repository": {
                "id": 84, "links": {"clone": [{"href": URL, "name": "http"}]}
            }}
        }
    })
}

/// A forge's event: its header, its word, its body.
type Sent = (&'static str, &'static str, Value);

/// Opened, pushed to and closed; then opened from a fork.
fn of_all_forges() -> Vec<(&'static str, [Sent; 3], Sent)> {
    let hub = |header: &'static str, pushed: &str| {
        let sent = |action: &str, commit: &str| (header, "pull_request", told(action, 12, commit, "ada"));
        let fork = (header, "pull_request", told("opened", 13, ONE, "eve"));
        ([sent("opened", ONE), sent(pushed, TWO), sent("closed", TWO)], fork)
    };
    let (github, github_fork) = hub("x-github-event", "synchronize");
    let (gitea, gitea_fork) = hub("x-gitea-event", "synchronized");
    let merge = |body| ("x-gitlab-event", "Merge Request Hook", body);
    let bucket = |event, body| ("x-event-key", event, body);
    let mut lab_fork = lab("open", ONE, 16);
    lab_fork["object_attributes"]["iid"] = 13.into();
    let (mut cloud_fork, mut server_fork) = (cloud(ONE, "eve"), server(ONE, 85));
    cloud_fork["pullrequest"]["id"] = 13.into();
    server_fork["pullRequest"]["id"] = 13.into();
    vec![
        ("github", github, github_fork),
        ("gitea", gitea, gitea_fork),
        (
            "gitlab",
            [merge(lab("open", ONE, 15)), merge(lab("update", TWO, 15)), merge(lab("close", TWO, 15))],
            merge(lab_fork),
        ),
        (
            "bitbucket cloud",
            [
                bucket("pullrequest:created", cloud(ONE, "ada")),
                bucket("pullrequest:updated", cloud(TWO, "ada")),
                bucket("pullrequest:rejected", cloud(TWO, "ada")),
            ],
            bucket("pullrequest:created", cloud_fork),
        ),
        (
            "bitbucket data center",
            [
                bucket("pr:opened", server(ONE, 84)),
                bucket("pr:from_ref_updated", server(TWO, 84)),
                bucket("pr:declined", server(TWO, 84)),
            ],
            bucket("pr:opened", server_fork),
        ),
    ]
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_pull_request_of_each_forge_is_made_updated_and_removed(pool: PgPool) {
    let world = World::with_previews(pool).await;
    for (forge, [opened, pushed, closed], fork) in of_all_forges() {
        for (index, (header, event, body)) in [opened, pushed].into_iter().enumerate() {
            let received = world.deliver(header, event, &body).await;
            assert_eq!(received.outcome, Outcome::Queued, "{forge}: {}", received.reason);
            let shown = world.preview(12).await;
            let commit = if forge == "bitbucket cloud" { None } else { Some([ONE, TWO][index]) };
            assert_eq!(shown.latest_deployment.unwrap().commit.as_deref(), commit, "{forge}");
            assert_eq!((shown.state, shown.source_branch.as_str()), (PreviewState::Active, "fix"), "{forge}");
        }
        let received = world.deliver(fork.0, fork.1, &fork.2).await;
        assert_eq!(received.outcome, Outcome::Ignored, "{forge}: {}", received.reason);
        let is_bucket = forge.starts_with("bitbucket");
        let expected = if is_bucket { PreviewState::Refused } else { PreviewState::Approval };
        assert_eq!(world.preview(13).await.state, expected, "{forge}");
        assert_eq!(received.reason.contains("Bitbucket keeps"), is_bucket, "{}", received.reason);
        let received = world.deliver(closed.0, closed.1, &closed.2).await;
        assert!(received.reason.ends_with("Its preview is removed."), "{forge}: {}", received.reason);
        world.gone("pr-12").await;
        assert_eq!(world.preview(12).await.state, PreviewState::Closed, "{forge}");
        let forget = "delete from pull_requests";
        sqlx::query(forget).execute(&world.platform.pool).await.unwrap();
    }
}

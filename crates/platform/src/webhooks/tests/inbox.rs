//! What holds for the inbox: kept, shown, replayed, and not filled by strangers.

use super::*;
use crate::webhooks::refusals;
use model::views::{DeliveryDetail, DeliveryView};

impl World {
    async fn deliveries(&self, site: SiteId) -> Vec<DeliveryView> {
        list(&self.platform, &self.actor, site, 100, None).await.unwrap().items
    }

    async fn open(&self, id: DeliveryId) -> DeliveryDetail {
        get(&self.platform, &self.actor, id).await.unwrap()
    }

    async fn replay(&self, id: DeliveryId) -> Received {
        replay(&self.platform, &self.actor, id).await.unwrap()
    }

    /// Sends it with another secret, and waits until that is noted.
    async fn send_wrong(&self, site: SiteId, hook: &Hook) {
        let refused = receive(&self.platform, Some(site), &hook.headers("another secret"), hook.bytes()).await;
        assert_eq!(problem(refused).status, 401);
        noted().await;
    }
}

/// Waits until nobody notes a refusal any more.
async fn noted() {
    drop(refusals::WRITERS.acquire_many(refusals::AT_ONCE).await.unwrap());
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_delivery_is_kept_with_its_headers_body_and_verdict_and_without_secrets(pool: PgPool) {
    let world = World::new(pool).await;
    let site = world.remote().await;
    for reference in ["refs/heads/main", "refs/heads/docs", "refs/tags/v1"] {
        world.send(Some(site), &Hook::push(reference)).await.unwrap();
    }
    let first = list(&world.platform, &world.actor, site, 2, None).await.unwrap();
    let rest = list(&world.platform, &world.actor, site, 2, first.next_cursor.as_deref()).await.unwrap();
    assert_eq!(rest.next_cursor, None);
    let all: Vec<DeliveryView> = first.items.into_iter().chain(rest.items).collect();
    assert_eq!(
        all.iter().map(|d| d.outcome).collect::<Vec<_>>(),
        [Outcome::Ignored, Outcome::Ignored, Outcome::Queued]
    );
    assert!(all[1].reason.contains("The branch “docs” is not deployed"), "{}", all[1].reason);
    assert_eq!((all[2].provider.as_str(), all[2].event.as_str(), all[2].times), ("github", "push", 1));
    assert_eq!((all[2].signed_with, all[2].replay_of), (Some(SignedWith::Secret), None));

    let opened = world.open(all[2].id).await;
    assert_eq!(opened.delivery, all[2]);
    assert_eq!(serde_json::from_str::<Value>(&opened.body).unwrap(), Hook::push("refs/heads/main").body);
    assert_eq!((opened.body_bytes, opened.body_cut), (i64::try_from(opened.body.len()).unwrap(), false));
    assert_eq!((opened.headers["x-github-event"].as_str(), opened.can_replay), ("push", true));
    assert_eq!(opened.headers["x-hub-signature-256"], "[hidden]");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_long_body_is_shown_in_part_and_kept_whole(pool: PgPool) {
    let world = World::new(pool).await;
    let site = world.remote().await;
    let mut hook = Hook::push("refs/heads/main");
    hook.body["padding"] = "ä".repeat(100_000).into();
    let id = world.send(Some(site), &hook).await.unwrap().delivery_id;
    let opened = world.open(id).await;
    assert!(opened.body_cut && opened.body.len() <= 64 * 1024 && !opened.body.contains('\u{fffd}'));
    assert_eq!(opened.body_bytes, i64::try_from(hook.bytes().len()).unwrap());
    assert_eq!(world.replay(id).await.outcome, Outcome::Queued);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_replay_is_decided_anew_and_says_what_it_replays(pool: PgPool) {
    let world = World::new(pool).await;
    let site = world.remote().await;
    let first = world.send(Some(site), &Hook::push("refs/heads/develop")).await.unwrap();
    assert_eq!(first.outcome, Outcome::Ignored);
    world.environment(site, "staging", "develop").await;
    let again = world.replay(first.delivery_id).await;
    assert_eq!((again.status, again.outcome, again.replay_of), (202, Outcome::Queued, Some(first.delivery_id)));
    assert_ne!(again.delivery_id, first.delivery_id);
    let [deployment] = &world.deployments(site).await[..] else { panic!() };
    assert_eq!((Some(deployment.id), deployment.environment.as_str()), (again.deployment_id, "staging"));
    assert_eq!(deployment.commit.as_deref(), Some(COMMIT));

    let [row, before] = &world.deliveries(site).await[..] else { panic!() };
    assert_eq!((row.id, row.replay_of, row.signed_with), (again.delivery_id, Some(first.delivery_id), None));
    assert_eq!((row.deployment_id, before.outcome), (again.deployment_id, Outcome::Ignored));
    assert_eq!(world.open(row.id).await.body, world.open(before.id).await.body);
    let by: Option<model::UserId> = sqlx::query_scalar("select replayed_by from deliveries where id = $1")
        .bind(row.id)
        .fetch_one(&world.platform.pool)
        .await
        .unwrap();
    assert_eq!(by, world.actor.user);

    let third = world.replay(row.id).await;
    assert_eq!(third.replay_of, Some(row.id), "a replay can be replayed");
    assert_eq!(world.deliveries(site).await.len(), 3);
}

#[sqlx::test(migrations = "../../migrations")]
async fn every_forges_delivery_is_known_again_by_its_content_and_can_be_replayed(pool: PgPool) {
    let world = World::new(pool).await;
    let site = world.remote().await;
    let hub = Hook::push("refs/heads/main").body;
    let lab = json!({"ref": "refs/heads/main", "after": COMMIT, "checkout_sha": COMMIT, "project": {"web_url": URL}});
    let bucket = json!({
        "push": {"changes": [{"old": null, "new": {"type": "branch", "name": "main", "target": {"hash": COMMIT}}}]},
        "repository": {"links": {"html": {"href": URL}}}
    });
    for (event, name, body) in [
        (("x-github-event", "push"), "x-hub-signature-256", &hub),
        (("x-gitea-event", "push"), "x-gitea-signature", &hub),
        (("x-gitlab-event", "Push Hook"), "x-gitlab-token", &lab),
        (("x-event-key", "repo:push"), "x-hub-signature", &bucket),
    ] {
        let body = Bytes::from(body.to_string());
        let signature = match name {
            "x-gitlab-token" => SECRET.to_owned(),
            "x-gitea-signature" => sign(SECRET, &body).trim_start_matches("sha256=").to_owned(),
            _ => sign(SECRET, &body),
        };
        let mut headers = HeaderMap::new();
        headers.insert(event.0, HeaderValue::from_static(event.1));
        headers.insert(name, signature.parse().unwrap());
        // Without an id of the forge's own it is known again by its content.
        let first = receive(&world.platform, Some(site), &headers, body.clone()).await.unwrap();
        let again = receive(&world.platform, Some(site), &headers, body).await.unwrap();
        assert_eq!((first.outcome, again.outcome), (Outcome::Queued, Outcome::Duplicate), "{event:?}");
        assert_eq!(again.delivery_id, first.delivery_id);
        assert_eq!(world.open(first.delivery_id).await.delivery.times, 2, "the inbox counts it on");
        assert_eq!(world.replay(first.delivery_id).await.outcome, Outcome::Queued, "{event:?}");
    }
    assert_eq!(world.deliveries(site).await.len(), 8);
}

#[sqlx::test(migrations = "../../migrations")]
async fn viewers_read_developers_replay_and_strangers_find_nothing(pool: PgPool) {
    let world = World::new(pool).await;
    let site = world.remote().await;
    let id = world.send(Some(site), &Hook::push("refs/heads/main")).await.unwrap().delivery_id;
    let platform = &world.platform;
    let viewer = world.with_role(Role::Viewer);
    assert_eq!(list(platform, &viewer, site, 9, None).await.unwrap().items.len(), 1);
    assert!(!get(platform, &viewer, id).await.unwrap().can_replay);
    assert_eq!(problem(replay(platform, &viewer, id).await).status, 403);
    assert_eq!(replay(platform, &world.with_role(Role::Developer), id).await.unwrap().outcome, Outcome::Queued);

    let eve = world.stranger().await;
    let missing = problem(get(platform, &eve, DeliveryId::new()).await);
    assert_eq!(problem(list(platform, &eve, site, 9, None).await).status, 404);
    assert_eq!(problem(get(platform, &eve, id).await), missing);
    assert_eq!(problem(replay(platform, &eve, id).await), missing);
    assert_eq!((missing.status, world.deliveries(site).await.len()), (404, 2));

    crate::sites::delete(platform, &world.actor, site, false).await.unwrap();
    assert_eq!(problem(replay(platform, &world.actor, id).await).code, "site_deleting");
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_is_refused_is_noted_once_an_hour_and_holds_nothing_of_the_sender(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let site = world.remote().await;
    let hook = Hook::push("refs/heads/main");
    for _ in 0..3 {
        world.send_wrong(site, &hook).await;
    }
    let mut unsigned = hook.headers(SECRET);
    unsigned.remove("x-hub-signature-256");
    assert_eq!(problem(receive(&world.platform, Some(site), &unsigned, hook.bytes()).await).status, 401);
    noted().await;
    let rows = world.deliveries(site).await;
    let told: Vec<_> = rows.iter().map(|d| (d.outcome, d.times, d.reason.split(". ").next().unwrap())).collect();
    // The hour may turn in between.
    assert_eq!(told[0], (Outcome::Refused, 1, "It is not signed"));
    assert_eq!(told[1..].iter().map(|(_, times, _)| times).sum::<i32>(), 3);
    assert_eq!((told[1].0, told[1].2), (Outcome::Refused, "The signature does not match"));
    let opened = world.open(rows[1].id).await;
    assert_eq!((opened.headers.len(), opened.body.as_str(), opened.can_replay), (0, "", false));
    assert_eq!(problem(replay(&world.platform, &world.actor, rows[1].id).await).code, "not_replayable");

    sqlx::query("update deliveries set times = 100").execute(&pool).await.unwrap();
    world.send_wrong(site, &hook).await;
    assert!(world.deliveries(site).await.iter().all(|d| d.times <= 100), "it is not counted on for ever");

    // The same delivery is taken once the signature is right.
    assert_eq!(world.send(Some(site), &hook).await.unwrap().outcome, Outcome::Queued);
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_is_refused_elsewhere_is_noted_nowhere(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let site = world.remote().await;
    let hook = Hook::push("refs/heads/main");
    let wrong = hook.headers("another secret");
    for to in [None, Some(SiteId::new())] {
        assert_eq!(problem(receive(&world.platform, to, &wrong, hook.bytes()).await).status, 401);
    }
    crate::sites::delete(&world.platform, &world.actor, site, false).await.unwrap();
    world.send_wrong(site, &hook).await;
    let rows: i64 = sqlx::query_scalar("select count(*) from deliveries").fetch_one(&pool).await.unwrap();
    assert_eq!(rows, 0);
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_cannot_be_read_is_kept_too_and_read_anew_when_it_comes_again(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let site = world.remote().await;
    let broken = Hook { body: json!({"ref": 7}), ..Hook::push("refs/heads/main") };
    for _ in 0..2 {
        assert_eq!(problem(world.send(Some(site), &broken).await).code, "unreadable");
    }
    let [row] = &world.deliveries(site).await[..] else { panic!() };
    assert_eq!((row.outcome, row.times), (Outcome::Unreadable, 2));
    assert!(row.reason.contains("cannot be read as a webhook of github"), "{}", row.reason);
    assert_eq!(world.open(row.id).await.body, broken.bytes());
    assert_eq!(world.replay(row.id).await.outcome, Outcome::Unreadable);

    let whole = Hook { delivery: broken.delivery.clone(), ..Hook::push("refs/heads/main") };
    assert_eq!(world.send(Some(site), &whole).await.unwrap().outcome, Outcome::Queued);
}

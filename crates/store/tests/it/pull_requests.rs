//! Pull requests and what sites want of their previews.

use crate::support::{environment, team, world};
use model::views::{PreviewSettings, PreviewState};
use sqlx::PgPool;
use store::pull_requests::{self, Told};

const TOLD: Told<'static> = Told {
    provider: "github",
    title: "Better",
    author: Some("eve"),
    source_branch: "fix",
    target_branch: "main",
    from_fork: true,
    changed_at: None,
    head: Some("one"),
};

#[sqlx::test(migrations = "../../migrations")]
async fn what_a_forge_tells_is_kept_and_an_approval_outlives_it(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let (acme, other) = (team(&mut conn, "acme").await, team(&mut conn, "other").await);
    let world = world(&mut conn, acme, "shop").await;
    let place = (world.site, 12);
    pull_requests::put(&mut conn, acme, place, &TOLD, PreviewState::Approval).await.unwrap();
    pull_requests::approve(&mut conn, acme, place, "one", None).await.unwrap();
    let later = Told { title: "Best", author: None, head: Some("two"), ..TOLD };
    pull_requests::put(&mut conn, acme, place, &later, PreviewState::Waiting).await.unwrap();
    let row = pull_requests::by_number(&mut conn, acme, world.site, 12).await.unwrap().unwrap();
    assert_eq!((row.title.as_str(), row.author.as_deref(), row.head.as_deref()), ("Best", Some("eve"), Some("two")));
    assert_eq!((row.state(), row.approved_commit.as_deref()), (PreviewState::Waiting, Some("one")));
    assert!(pull_requests::by_number(&mut conn, other, world.site, 12).await.unwrap().is_none());
    assert!(pull_requests::list(&mut conn, other, world.site, 9).await.unwrap().is_empty());
    assert_eq!(pull_requests::waiting(&mut conn, acme, world.site).await.unwrap().len(), 1);
    assert_eq!(pull_requests::sites_that_wait(&mut conn).await.unwrap(), [(acme, world.site)]);

    let id = environment(&mut conn, acme, world.site, "pr-12").await.unwrap();
    pull_requests::set_environment(&mut conn, acme, place, id).await.unwrap();
    let found = pull_requests::of_environment(&mut conn, acme, id).await.unwrap();
    assert_eq!(found.map(|row| row.number), Some(12));
    assert!(pull_requests::of_environment(&mut conn, other, id).await.unwrap().is_none());
    assert!(store::environments::by_id(&mut conn, acme, id).await.unwrap().unwrap().is_preview);
    store::environments::remove(&mut conn, acme, id).await.unwrap();
    let row = pull_requests::by_number(&mut conn, acme, world.site, 12).await.unwrap().unwrap();
    assert_eq!(row.environment_id, None, "the pull request outlives its preview");
    pull_requests::set_state(&mut conn, acme, place, PreviewState::Merged).await.unwrap();
    assert!(pull_requests::waiting(&mut conn, acme, world.site).await.unwrap().is_empty());
    pull_requests::forget(&mut conn, acme, world.site).await.unwrap();
    assert!(pull_requests::list(&mut conn, acme, world.site, 9).await.unwrap().is_empty());
}

#[sqlx::test(migrations = "../../migrations")]
async fn each_site_has_settings_and_variables_of_its_own(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let (acme, other) = (team(&mut conn, "acme").await, team(&mut conn, "other").await);
    let world = world(&mut conn, acme, "shop").await;
    pull_requests::lock(&mut conn, world.site).await.unwrap();
    let new = PreviewSettings { enabled: true, max: 2, idle_days: 3 };
    pull_requests::set_settings(&mut conn, other, world.site, PreviewSettings { max: 9, ..new }).await.unwrap();
    pull_requests::set_settings(&mut conn, acme, world.site, new).await.unwrap();
    let site = store::sites::by_id(&mut conn, &[acme], world.site).await.unwrap().unwrap();
    assert_eq!((site.previews_enabled, site.previews_max, site.previews_idle_days), (true, 2, 3));
    for (version, sealed) in [(1, b"one"), (2, b"two")] {
        pull_requests::set_variables(&mut conn, acme, world.site, (version, sealed), None).await.unwrap();
    }
    let kept = pull_requests::variables(&mut conn, acme, world.site).await.unwrap();
    assert_eq!(kept, Some((2, b"two".to_vec())));
    assert_eq!(pull_requests::variables(&mut conn, other, world.site).await.unwrap(), None);
    assert!(pull_requests::idle(&mut conn).await.unwrap().is_empty());
    assert_eq!(store::deliveries::newest_provider(&mut conn, acme, world.site).await.unwrap(), None);
}

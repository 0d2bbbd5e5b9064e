//! How many previews there are, and for how long.

use super::*;

#[sqlx::test(migrations = "../../migrations")]
async fn the_limit_makes_pull_requests_wait_for_their_turn(pool: PgPool) {
    use PreviewState::{Active, Closed, Removed, Waiting};
    let world = World::with_previews(pool).await;
    world.settings(Change { max: Some(1), ..Change::default() }).await.unwrap();
    for number in [1, 2, 3] {
        world.hub("opened", number, ONE, "ada").await;
    }
    let states = async || {
        let mut all: Vec<_> = world.previews().await.into_iter().map(|it| (it.number, it.state)).collect();
        all.sort_unstable_by_key(|(number, _)| *number);
        all.into_iter().map(|(_, state)| state).collect::<Vec<_>>()
    };
    assert_eq!(states().await, [Active, Waiting, Waiting]);
    let pushed = world.hub("synchronize", 2, TWO, "ada").await;
    assert!(pushed.reason.contains("as many previews as its settings allow, 1: this one waits"), "{}", pushed.reason);
    world.hub("closed", 1, ONE, "ada").await;
    assert_eq!(states().await, [Closed, Waiting, Waiting], "until there is room");
    world.gone("pr-1").await;
    assert_eq!(states().await, [Closed, Active, Waiting], "the oldest first");
    assert_eq!(world.preview(2).await.latest_deployment.unwrap().commit.as_deref(), Some(TWO), "its newest commit");
    remove(&world.platform, &world.actor, world.site, 2).await.unwrap();
    assert_eq!(problem(remove(&world.platform, &world.actor, world.site, 2).await).code, "no_preview");
    world.settings(Change { max: Some(2), ..Change::default() }).await.unwrap();
    assert_eq!(states().await, [Closed, Removed, Active], "a higher limit is room");
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_idle_preview_goes_and_comes_back_with_the_next_push(pool: PgPool) {
    let world = World::with_previews(pool).await;
    let age = async |number: i64, days: i32| {
        let sql = "update pull_requests set active_at = now() - make_interval(days => $1, mins => 1) where number = $2";
        sqlx::query(sql).bind(days).bind(number).execute(&world.platform.pool).await.unwrap();
    };
    for (number, owner) in [(1, "ada"), (2, "ada"), (3, "eve")] {
        world.hub("opened", number, ONE, owner).await;
    }
    age(1, 7).await;
    age(2, 6).await;
    age(3, 7).await;
    tidy(&world.platform).await.unwrap();
    let shown: Vec<_> = world.previews().await.into_iter().map(|it| (it.number, it.state)).collect();
    let expected = [(2, PreviewState::Active), (1, PreviewState::Idle), (3, PreviewState::Idle)];
    assert_eq!(shown, expected, "those that still have an environment first");
    world.settings(Change { idle_days: Some(2), ..Change::default() }).await.unwrap();
    tidy(&world.platform).await.unwrap();
    assert_eq!(world.preview(2).await.state, PreviewState::Idle, "by the site's own setting");
    world.gone("pr-1").await;
    assert_eq!(world.preview(1).await.state, PreviewState::Idle);
    world.hub("synchronize", 1, TWO, "ada").await;
    assert_eq!(world.preview(1).await.state, PreviewState::Active);
    tidy(&world.platform).await.unwrap();
    assert_eq!(world.preview(1).await.state, PreviewState::Active);
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_a_site_wants_of_its_previews_has_bounds(pool: PgPool) {
    let world = World::new(pool).await;
    let on = Change { enabled: Some(true), ..Change::default() };
    assert_eq!(problem(world.settings(on).await).code, "no_pull_requests", "a repository that is kept here");
    for (max, idle_days, fields) in [
        (0, 7, vec!["previews.max"]),
        (21, 0, vec!["previews.max", "previews.idle_days"]),
        (1, 91, vec!["previews.idle_days"]),
    ] {
        let change = Change { max: Some(max), idle_days: Some(idle_days), enabled: None };
        let refused = problem(world.settings(change).await);
        assert_eq!(refused.status, 422);
        assert_eq!(refused.errors.iter().map(|error| error.field.as_str()).collect::<Vec<_>>(), fields);
    }
    let change = Change { max: Some(20), idle_days: Some(90), enabled: None };
    let expected = PreviewSettings { enabled: false, max: 20, idle_days: 90 };
    assert_eq!(world.settings(change).await.unwrap(), expected);
}

#[sqlx::test(migrations = "../../migrations")]
async fn another_repository_has_other_pull_requests(pool: PgPool) {
    let world = World::with_previews(pool).await;
    world.hub("opened", 12, ONE, "ada").await;
    let mut conn = world.platform.pool.acquire().await.unwrap();
    let site = store::sites::by_id(&mut conn, &[world.team], world.site).await.unwrap().unwrap();
    leave_repository(&mut conn, &site).await.unwrap();
    assert!(world.previews().await.is_empty());
    world.gone("pr-12").await;
    assert!(world.found("production").await.unwrap().deleting_at.is_none());
}

//! What comes from a fork.

use super::*;
use crate::testing;

#[sqlx::test(migrations = "../../migrations")]
async fn a_fork_is_deployed_commit_by_commit_as_they_are_approved(pool: PgPool) {
    let world = World::with_previews(pool).await;
    let opened = world.hub("opened", 12, ONE, "eve").await;
    assert_eq!(opened.outcome, Outcome::Ignored);
    assert!(opened.reason.contains("until a member approves that commit"), "{}", opened.reason);
    let shown = world.preview(12).await;
    assert_eq!((shown.state, shown.environment), (PreviewState::Approval, None));
    assert!(shown.from_fork && world.deployments().await.is_empty());
    assert!(world.found("pr-12").await.is_none(), "nothing is made");

    let moved = problem(world.approve(12, TWO).await);
    assert_eq!((moved.status, moved.code.as_str()), (409, "head_moved"));
    assert_eq!(problem(world.approve(12, "nonsense").await).status, 422);
    let approved = world.approve(12, ONE).await.unwrap();
    assert_eq!(approved.state, PreviewState::Active);
    let by = approved.approved.unwrap();
    assert_eq!((by.commit.as_str(), by.by.as_deref()), (ONE, Some("Ada")));
    let queued = approved.latest_deployment.unwrap();
    assert_eq!(queued.commit.as_deref(), Some(ONE));
    assert_eq!(problem(world.approve(12, ONE).await).code, "already_approved");

    let pushed = world.hub("synchronize", 12, TWO, "eve").await;
    assert_eq!(pushed.outcome, Outcome::Ignored, "{}", pushed.reason);
    let shown = world.preview(12).await;
    assert_eq!((shown.state, shown.commit.as_deref()), (PreviewState::Approval, Some(TWO)));
    assert_eq!(world.deployments().await.len(), 1, "the approved one goes on");
    assert_eq!(problem(world.approve(12, ONE).await).code, "head_moved", "an older approval is worth nothing");
    let again = deployments::redeploy(&world.platform, &world.actor, queued.id).await;
    assert_eq!(problem(again).code, "already_under_way", "what was approved may be built again");
    world.approve(12, TWO).await.unwrap();
    assert_eq!(world.preview(12).await.latest_deployment.unwrap().commit.as_deref(), Some(TWO));
    let again = deployments::redeploy(&world.platform, &world.actor, queued.id).await;
    assert_eq!(problem(again).code, "not_approved", "the one before is no longer the approved one");

    let mut conn = world.platform.pool.acquire().await.unwrap();
    let row = world.found("pr-12").await.unwrap();
    for (commit, may) in [(Some(TWO), true), (Some(ONE), false), (None, false)] {
        assert_eq!(may_build(&mut conn, &row, commit).await.is_ok(), may, "{commit:?}");
    }
    let production = world.found("production").await.unwrap();
    assert!(may_build(&mut conn, &production, None).await.is_ok());
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_preview_that_was_removed_is_approved_anew_before_it_comes_back(pool: PgPool) {
    let world = World::with_previews(pool).await;
    world.hub("opened", 12, ONE, "eve").await;
    world.approve(12, ONE).await.unwrap();
    remove(&world.platform, &world.actor, world.site, 12).await.unwrap();
    world.gone("pr-12").await;
    for action in ["closed", "reopened", "synchronize"] {
        world.hub(action, 12, if action == "synchronize" { TWO } else { ONE }, "eve").await;
    }
    let back = world.hub("synchronize", 12, ONE, "eve").await;
    assert_eq!(back.outcome, Outcome::Ignored, "{}", back.reason);
    assert_eq!(world.preview(12).await.state, PreviewState::Approval);
    assert!(world.found("pr-12").await.is_none(), "its author alone does not bring it back");
}

#[sqlx::test(migrations = "../../migrations")]
async fn who_may_not_deploy_may_look_and_do_nothing(pool: PgPool) {
    let world = World::with_previews(pool).await;
    world.hub("opened", 12, ONE, "eve").await;
    let eve = crate::accounts::register(&world.platform, testing::registration("Eve")).await.unwrap();
    let stranger = crate::accounts::actor(&world.platform, eve.user.id).await.unwrap().unwrap();
    let approval = || Approval { commit: ONE.into() };
    for (actor, seen, done) in
        [(world.with_role(Role::Viewer), 200, 403), (stranger, 404, 404), (world.with_role(Role::Developer), 200, 200)]
    {
        let status = |result: Result<()>| match result {
            Ok(()) => 200,
            Err(crate::Error::Problem(problem)) => problem.status,
            Err(other) => panic!("{other:?}"),
        };
        let (platform, site) = (&world.platform, world.site);
        assert_eq!(status(list(platform, &actor, site).await.map(drop)), seen);
        assert_eq!(status(approve(platform, &actor, site, 12, approval()).await.map(drop)), done);
        assert_eq!(status(remove(platform, &actor, site, 12).await.map(drop)), done);
    }
    assert_eq!(problem(world.approve(99, ONE).await).status, 404);
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_needs_no_approval_or_is_over_is_not_approved(pool: PgPool) {
    let world = World::with_previews(pool).await;
    world.hub("opened", 1, ONE, "ada").await;
    assert_eq!(problem(world.approve(1, ONE).await).code, "no_approval_needed");
    world.hub("opened", 2, ONE, "eve").await;
    world.settings(Change { enabled: Some(false), ..Change::default() }).await.unwrap();
    assert_eq!(problem(world.approve(2, ONE).await).code, "previews_off");
    world.hub("synchronize", 2, TWO, "eve").await;
    world.settings(Change { enabled: Some(true), ..Change::default() }).await.unwrap();
    assert_eq!(problem(world.approve(2, ONE).await).code, "head_moved", "what came while they were off counts");
    world.hub("closed", 2, TWO, "eve").await;
    assert_eq!(problem(world.approve(2, TWO).await).code, "pull_request_closed");
}

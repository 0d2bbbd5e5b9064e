//! The queue: who is next, who may write, what becomes of the work of a worker that is gone.

use crate::support::{claim, deploy, expire, go_live, status, team, world};
use model::deployment::{FailureCode, Status, Step, StepStatus};
use sqlx::PgPool;
use store::{
    deployments,
    queue::{self, WriteError},
};

#[sqlx::test(migrations = "../../migrations")]
async fn one_deployment_of_an_environment_runs_at_a_time(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let team = team(&mut conn, "acme").await;
    let (shop, blog) = (world(&mut conn, team, "shop").await, world(&mut conn, team, "blog").await);
    let first = deploy(&mut conn, &shop).await;
    let lease = claim(&mut conn).await.unwrap();
    assert_eq!(lease.deployment, first);
    let second = deploy(&mut conn, &shop).await;
    assert!(claim(&mut conn).await.is_none());
    let other = deploy(&mut conn, &blog).await;
    assert_eq!(claim(&mut conn).await.unwrap().deployment, other);
    go_live(&mut conn, lease).await;
    assert_eq!(claim(&mut conn).await.unwrap().deployment, second);
}

#[sqlx::test(migrations = "../../migrations")]
async fn workers_that_ask_at_once_never_get_the_same_one(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let team = team(&mut conn, "acme").await;
    for slug in ["one", "two", "three"] {
        let world = world(&mut conn, team, slug).await;
        deploy(&mut conn, &world).await;
        deploy(&mut conn, &world).await;
    }
    drop(conn);
    let asked = futures::future::join_all((0..9).map(|_| async {
        let mut conn = pool.acquire().await.unwrap();
        claim(&mut conn).await.map(|lease| lease.deployment)
    }))
    .await;
    let mut taken: Vec<_> = asked.into_iter().flatten().collect();
    let mut conn = pool.acquire().await.unwrap();
    while let Some(lease) = claim(&mut conn).await {
        taken.push(lease.deployment);
    }
    taken.sort();
    taken.dedup();
    assert_eq!(taken.len(), 3, "one for each environment");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_busy_team_does_not_delay_another(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let (busy, calm) = (team(&mut conn, "busy").await, team(&mut conn, "calm").await);
    for index in 0..20 {
        let world = world(&mut conn, busy, &format!("site-{index}")).await;
        deploy(&mut conn, &world).await;
    }
    assert_eq!(claim(&mut conn).await.unwrap().team, busy);
    let world = world(&mut conn, calm, "shop").await;
    deploy(&mut conn, &world).await;
    assert_eq!(claim(&mut conn).await.unwrap().team, calm);
    assert_eq!(claim(&mut conn).await.unwrap().team, busy);
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_newest_push_supersedes_those_that_wait_and_none_that_runs(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let team = team(&mut conn, "acme").await;
    let world = world(&mut conn, team, "shop").await;
    let running = deploy(&mut conn, &world).await;
    claim(&mut conn).await.unwrap();
    let waiting = deploy(&mut conn, &world).await;
    let newest = deploy(&mut conn, &world).await;
    let superseded = deployments::supersede_queued(&mut conn, team, world.environment, newest).await.unwrap();
    assert_eq!(superseded, [waiting]);
    assert_eq!(status(&mut conn, &world, waiting).await, Status::Superseded);
    assert_eq!(status(&mut conn, &world, running).await, Status::Fetching);
    assert_eq!(status(&mut conn, &world, newest).await, Status::Queued);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_worker_that_lost_its_lease_changes_nothing(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let team = team(&mut conn, "acme").await;
    let world = world(&mut conn, team, "shop").await;
    let id = deploy(&mut conn, &world).await;
    let old = claim(&mut conn).await.unwrap();
    expire(&mut conn, id).await;
    assert_eq!(queue::recover(&mut conn).await.unwrap().len(), 1);
    let new = claim(&mut conn).await.unwrap();
    assert_eq!((new.deployment, new.attempt), (id, 2));

    let lost = |result: Result<(), WriteError>| assert!(matches!(result, Err(WriteError::LeaseLost)));
    lost(queue::advance(&mut conn, old, Status::Fetching, Status::Building).await);
    lost(queue::fail(&mut conn, old, FailureCode::BuildFailed, Some(Step::Build), None, "no").await);
    lost(queue::give_back(&mut conn, old, 0.0).await.map(drop));
    lost(queue::set_commit(&mut conn, old, "abc", "message", "author").await);
    lost(queue::heartbeat(&mut conn, old, 10.0).await.map(|_| ()));
    assert_eq!(status(&mut conn, &world, id).await, Status::Fetching);
    queue::advance(&mut conn, new, Status::Fetching, Status::Building).await.unwrap();
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_live_lease_is_left_alone(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let team = team(&mut conn, "acme").await;
    let world = world(&mut conn, team, "shop").await;
    let id = deploy(&mut conn, &world).await;
    let lease = claim(&mut conn).await.unwrap();
    assert!(queue::recover(&mut conn).await.unwrap().is_empty());
    expire(&mut conn, id).await;
    assert!(!queue::heartbeat(&mut conn, lease, 30.0).await.unwrap());
    assert!(queue::recover(&mut conn).await.unwrap().is_empty());
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_a_lost_worker_left_is_superseded_by_what_waits_behind_it(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let team = team(&mut conn, "acme").await;
    let world = world(&mut conn, team, "shop").await;
    let lost = deploy(&mut conn, &world).await;
    claim(&mut conn).await.unwrap();
    let newer = deploy(&mut conn, &world).await;
    expire(&mut conn, lost).await;
    queue::recover(&mut conn).await.unwrap();
    assert_eq!(status(&mut conn, &world, lost).await, Status::Superseded);
    assert_eq!(claim(&mut conn).await.unwrap().deployment, newer);
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_was_to_be_cancelled_is_not_tried_again_after_a_crash(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let team = team(&mut conn, "acme").await;
    let world = world(&mut conn, team, "shop").await;
    let id = deploy(&mut conn, &world).await;
    let lease = claim(&mut conn).await.unwrap();
    assert!(deployments::request_cancel(&mut conn, team, id).await.unwrap());
    assert!(queue::heartbeat(&mut conn, lease, 30.0).await.unwrap(), "the worker is told");
    expire(&mut conn, id).await;
    queue::recover(&mut conn).await.unwrap();
    assert_eq!(status(&mut conn, &world, id).await, Status::Cancelled);
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_was_to_be_cancelled_never_goes_back_into_the_queue(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let team = team(&mut conn, "acme").await;
    let world = world(&mut conn, team, "shop").await;
    let id = deploy(&mut conn, &world).await;
    let lease = claim(&mut conn).await.unwrap();
    assert!(deployments::request_cancel(&mut conn, team, id).await.unwrap());
    assert_eq!(queue::give_back(&mut conn, lease, 2.0).await.unwrap(), Status::Cancelled);
    let row = deployments::by_id(&mut conn, &[team], id).await.unwrap().unwrap();
    assert_eq!((row.status(), row.finished_at.is_some()), (Status::Cancelled, true));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_cancelled_deployment_never_begins_to_switch(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let team = team(&mut conn, "acme").await;
    let world = world(&mut conn, team, "shop").await;
    let id = deploy(&mut conn, &world).await;
    let lease = claim(&mut conn).await.unwrap();
    for way in [Status::Fetching, Status::Building, Status::Starting, Status::Verifying].windows(2) {
        queue::advance(&mut conn, lease, way[0], way[1]).await.unwrap();
    }
    assert!(deployments::request_cancel(&mut conn, team, id).await.unwrap());
    let switched = queue::advance(&mut conn, lease, Status::Verifying, Status::Switching).await;
    assert!(matches!(switched, Err(WriteError::LeaseLost)));
    queue::advance(&mut conn, lease, Status::Verifying, Status::Cancelled).await.unwrap();
    assert!(!deployments::request_cancel(&mut conn, team, id).await.unwrap());
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_waits_is_cancelled_at_once_and_only_once(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let team = team(&mut conn, "acme").await;
    let world = world(&mut conn, team, "shop").await;
    let id = deploy(&mut conn, &world).await;
    assert!(deployments::cancel_queued(&mut conn, team, id).await.unwrap());
    assert!(!deployments::cancel_queued(&mut conn, team, id).await.unwrap());
    assert!(claim(&mut conn).await.is_none());
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_retry_waits_for_its_time(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let team = team(&mut conn, "acme").await;
    let world = world(&mut conn, team, "shop").await;
    let id = deploy(&mut conn, &world).await;
    let lease = claim(&mut conn).await.unwrap();
    queue::give_back(&mut conn, lease, 60.0).await.unwrap();
    assert!(claim(&mut conn).await.is_none());
    sqlx::query("update deployments set not_before = now() where id = $1").bind(id).execute(&mut *conn).await.unwrap();
    assert_eq!(claim(&mut conn).await.unwrap().attempt, 2);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_failure_keeps_its_code_its_step_and_its_words(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let team = team(&mut conn, "acme").await;
    let world = world(&mut conn, team, "shop").await;
    let id = deploy(&mut conn, &world).await;
    let lease = claim(&mut conn).await.unwrap();
    queue::set_commit(&mut conn, lease, "abc", "message", "author").await.unwrap();
    queue::fail(&mut conn, lease, FailureCode::BuildFailed, Some(Step::Build), Some("api"), "exit 1").await.unwrap();
    let row = deployments::by_id(&mut conn, &[team], id).await.unwrap().unwrap();
    assert_eq!(row.status(), Status::Failed);
    assert_eq!(
        (
            row.error_code.as_deref(),
            row.error_step.as_deref(),
            row.error_service.as_deref(),
            row.error_message.as_deref()
        ),
        (Some("build_failed"), Some("build"), Some("api"), Some("exit 1"))
    );
    assert_eq!(row.commit_sha.as_deref(), Some("abc"));
    assert!(row.finished_at.is_some());
}

#[sqlx::test(migrations = "../../migrations")]
async fn steps_are_shown_in_order_and_those_not_begun_are_pending(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let team = team(&mut conn, "acme").await;
    let world = world(&mut conn, team, "shop").await;
    let id = deploy(&mut conn, &world).await;
    queue::set_step(&mut conn, id, Step::Build, StepStatus::Running).await.unwrap();
    queue::set_step(&mut conn, id, Step::Build, StepStatus::Failed).await.unwrap();
    queue::set_step(&mut conn, id, Step::Fetch, StepStatus::Skipped).await.unwrap();
    let steps = queue::steps(&mut conn, team, id).await.unwrap();
    assert_eq!(steps.iter().map(|s| s.name).collect::<Vec<_>>(), Step::ALL);
    assert_eq!((steps[0].status, steps[0].started_at), (StepStatus::Skipped, None));
    assert_eq!(steps[1].status, StepStatus::Failed);
    assert!(steps[1].started_at.is_some() && steps[1].finished_at.is_some());
    assert_eq!(steps[2].status, StepStatus::Pending);
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_is_open_is_listed_with_its_teams_last_turn(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let acme = team(&mut conn, "acme").await;
    let (one, two) = (world(&mut conn, acme, "one").await, world(&mut conn, acme, "two").await);
    let (first, second) = (deploy(&mut conn, &one).await, deploy(&mut conn, &two).await);
    let open = queue::open_of_all_teams(&mut conn, None).await.unwrap();
    assert_eq!(open.iter().map(|row| row.id).collect::<Vec<_>>(), [first, second]);
    assert!(open[0].team_last_turn.is_none());
    assert_eq!((open[0].team_name.as_str(), open[0].site_name.as_str()), ("acme", "one"));
    let lease = claim(&mut conn).await.unwrap();
    let open = queue::open_of_all_teams(&mut conn, None).await.unwrap();
    assert_eq!((open[0].status(), open[1].status()), (Status::Fetching, Status::Queued));
    assert!(open[1].team_last_turn.is_some());
    assert!(queue::is_busy(&mut conn, acme, one.environment).await.unwrap());
    go_live(&mut conn, lease).await;
    assert!(!queue::is_busy(&mut conn, acme, one.environment).await.unwrap());
    assert_eq!(queue::open_of_all_teams(&mut conn, None).await.unwrap().len(), 1);
}

#[sqlx::test(migrations = "../../migrations")]
async fn deployments_are_numbered_and_listed_newest_first(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let acme = team(&mut conn, "acme").await;
    let other = team(&mut conn, "other").await;
    let world = world(&mut conn, acme, "shop").await;
    for _ in 0..3 {
        deploy(&mut conn, &world).await;
    }
    let numbers = |rows: Vec<deployments::DeploymentRow>| rows.iter().map(|r| r.number).collect::<Vec<_>>();
    assert_eq!(numbers(deployments::list(&mut conn, acme, world.site, None, None, 2).await.unwrap()), [3, 2]);
    assert_eq!(numbers(deployments::list(&mut conn, acme, world.site, None, Some(2), 2).await.unwrap()), [1]);
    assert!(deployments::list(&mut conn, other, world.site, None, None, 9).await.unwrap().is_empty());
    let newest = deployments::newest_of(&mut conn, &[acme], &[world.site]).await.unwrap();
    assert_eq!(numbers(newest), [3]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn one_that_is_given_back_never_comes_after_a_newer_one(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let team = team(&mut conn, "acme").await;
    let shop = world(&mut conn, team, "shop").await;
    let first = deploy(&mut conn, &shop).await;
    let lease = claim(&mut conn).await.unwrap();
    let second = deploy(&mut conn, &shop).await;
    assert_eq!(queue::give_back(&mut conn, lease, 0.0).await.unwrap(), Status::Superseded);
    assert_eq!(status(&mut conn, &shop, first).await, Status::Superseded);

    // Two that wait, whatever led to it: the newer one is taken, the older one ends.
    let third = deploy(&mut conn, &shop).await;
    assert_eq!(claim(&mut conn).await.unwrap().deployment, third);
    let ended: Vec<_> = queue::recover(&mut conn).await.unwrap().into_iter().map(|row| (row.0, row.3)).collect();
    assert_eq!(ended, []);
    let fourth = deploy(&mut conn, &shop).await;
    let fifth = deploy(&mut conn, &shop).await;
    let mut ended: Vec<_> = queue::recover(&mut conn).await.unwrap().into_iter().map(|row| row.0).collect();
    ended.sort();
    assert_eq!(ended, [second, fourth]);
    assert_eq!(status(&mut conn, &shop, fifth).await, Status::Queued);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_team_builds_as_many_at_a_time_as_it_may_and_delays_nobody(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let (busy, calm) = (team(&mut conn, "busy").await, team(&mut conn, "calm").await);
    for index in 0..3 {
        let world = world(&mut conn, busy, &format!("site-{index}")).await;
        deploy(&mut conn, &world).await;
    }
    let other = world(&mut conn, calm, "other").await;
    let claim = async |conn: &mut sqlx::PgConnection| {
        let taken = queue::claim(conn, uuid::Uuid::now_v7(), 30.0, Some(1)).await.unwrap();
        taken.map(|(lease, _)| lease)
    };
    let first = claim(&mut conn).await.unwrap();
    assert!(claim(&mut conn).await.is_none(), "its second build waits");
    deploy(&mut conn, &other).await;
    assert_eq!(claim(&mut conn).await.unwrap().team, calm, "the other team's does not");
    store::quotas::set(&mut conn, busy, model::views::Quota::Builds, Some(2), None).await.unwrap();
    let second = claim(&mut conn).await.unwrap();
    assert_eq!((second.team, claim(&mut conn).await.is_none()), (busy, true));
    // What is built makes room, though it is not live yet.
    queue::advance(&mut conn, first, Status::Fetching, Status::Building).await.unwrap();
    assert!(claim(&mut conn).await.is_none());
    queue::advance(&mut conn, first, Status::Building, Status::Starting).await.unwrap();
    assert_eq!(claim(&mut conn).await.unwrap().team, busy);
    store::quotas::set(&mut conn, busy, model::views::Quota::Builds, None, None).await.unwrap();
    let more = world(&mut conn, busy, "one-more").await;
    deploy(&mut conn, &more).await;
    assert!(claim(&mut conn).await.is_some(), "without a limit of its own, whatever the installation's is");
}

#[sqlx::test(migrations = "../../migrations")]
async fn workers_that_ask_at_once_do_not_take_more_builds_of_a_team_than_it_may_have(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let busy = team(&mut conn, "busy").await;
    for index in 0..6 {
        let world = world(&mut conn, busy, &format!("site-{index}")).await;
        deploy(&mut conn, &world).await;
    }
    drop(conn);
    let asked = futures::future::join_all((0..6).map(|_| async {
        let mut conn = pool.acquire().await.unwrap();
        queue::claim(&mut conn, uuid::Uuid::now_v7(), 30.0, Some(2)).await.unwrap().is_some()
    }))
    .await;
    assert_eq!(asked.into_iter().filter(|taken| *taken).count(), 2);
}

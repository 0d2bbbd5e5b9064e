//! What the reconciler reads at each look.

use crate::support::{claim, deploy, go_live, release, team, world};
use model::deployment::{Status, Step, StepStatus};
use sqlx::{Connection, PgPool};
use std::time::Duration;
use store::{queue, reconcile, sites};

#[sqlx::test(migrations = "../../migrations")]
async fn what_serves_and_what_is_under_way_is_read_at_once(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let acme = team(&mut conn, "acme").await;
    let world = world(&mut conn, acme, "shop").await;
    let fresh = &reconcile::environments(&mut conn).await.unwrap()[0];
    assert!(fresh.plan.is_none() && fresh.running.is_none() && !fresh.is_waited_for && !fresh.is_being_removed);

    let first = deploy(&mut conn, &world).await;
    assert!(reconcile::environments(&mut conn).await.unwrap()[0].is_waited_for);
    let lease = claim(&mut conn).await.unwrap();
    let at_work = &reconcile::environments(&mut conn).await.unwrap()[0];
    assert_eq!((at_work.running, at_work.attempt, at_work.is_switching), (Some(first), Some(1), false));
    assert_eq!(reconcile::open_deployments(&mut conn).await.unwrap(), [first]);

    go_live(&mut conn, lease).await;
    queue::set_step(&mut conn, first, Step::Drain, StepStatus::Running).await.unwrap();
    let (_, plan) = release(&mut conn, &world, first).await;
    let serves = &reconcile::environments(&mut conn).await.unwrap()[0];
    assert_eq!(serves.plan.as_ref().map(|p| &p.0), Some(&plan));
    assert!(serves.live_since.is_some() && serves.running.is_none());
    assert_eq!(reconcile::draining(&mut conn).await.unwrap(), [(world.environment, first)]);
    queue::set_step(&mut conn, first, Step::Drain, StepStatus::Done).await.unwrap();
    assert_eq!(reconcile::draining(&mut conn).await.unwrap(), []);

    sites::mark_deleting(&mut conn, acme, world.site, false).await.unwrap();
    assert!(reconcile::environments(&mut conn).await.unwrap()[0].is_being_removed);
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_newest_releases_are_kept_and_what_is_about_to_be_applied_again(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let acme = team(&mut conn, "acme").await;
    let world = world(&mut conn, acme, "shop").await;
    let mut made = vec![];
    for _ in 0..4 {
        let deployment = deploy(&mut conn, &world).await;
        let lease = claim(&mut conn).await.unwrap();
        go_live(&mut conn, lease).await;
        made.push(release(&mut conn, &world, deployment).await.0);
    }
    let back = deploy(&mut conn, &world).await;
    sqlx::query("update deployments set from_release = $2 where id = $1")
        .bind(back)
        .bind(made[0])
        .execute(&mut *conn)
        .await
        .unwrap();
    let mut kept = reconcile::releases(&mut conn, 2).await.unwrap();
    kept.sort_by_key(|row| row.id);
    let kept: Vec<(_, bool)> = kept.iter().map(|row| (row.id, row.is_kept)).collect();
    assert_eq!(kept, [(made[0], true), (made[1], false), (made[2], true), (made[3], true)]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn while_a_route_is_held_no_switch_begins(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let acme = team(&mut conn, "acme").await;
    let world = world(&mut conn, acme, "shop").await;
    let id = deploy(&mut conn, &world).await;
    let lease = claim(&mut conn).await.unwrap();
    for way in [Status::Fetching, Status::Building, Status::Starting, Status::Verifying].windows(2) {
        queue::advance(&mut conn, lease, way[0], way[1]).await.unwrap();
    }
    let mut other = pool.acquire().await.unwrap();
    let mut holder = conn.begin().await.unwrap();
    let held = reconcile::hold_route(&mut holder, acme, world.environment).await.unwrap();
    assert_eq!(held, Some((None, false)));
    sqlx::query("set lock_timeout = '100ms'").execute(&mut *other).await.unwrap();
    let switch = queue::advance(&mut other, lease, Status::Verifying, Status::Switching).await;
    assert!(matches!(switch, Err(queue::WriteError::Database(_))), "it waits: {switch:?}");
    holder.commit().await.unwrap();
    queue::advance(&mut other, lease, Status::Verifying, Status::Switching).await.unwrap();
    let held = reconcile::hold_route(&mut conn, acme, world.environment).await.unwrap();
    assert_eq!(held, Some((None, true)), "{id}");
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_waits_for_its_next_try_is_tried_at_once(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let acme = team(&mut conn, "acme").await;
    let world = world(&mut conn, acme, "shop").await;
    let id = deploy(&mut conn, &world).await;
    let lease = claim(&mut conn).await.unwrap();
    queue::give_back(&mut conn, lease, Duration::from_mins(10).as_secs_f64()).await.unwrap();
    assert!(claim(&mut conn).await.is_none());
    queue::retry_now(&mut conn).await.unwrap();
    assert_eq!(claim(&mut conn).await.unwrap().deployment, id);
}

//! Releases: kept, current, forgotten.

use crate::support::{claim, deploy, go_live, release, team, world};
use sqlx::PgPool;
use store::{deployments, releases};

#[sqlx::test(migrations = "../../migrations")]
async fn the_current_release_marks_its_deployment(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let acme = team(&mut conn, "acme").await;
    let world = world(&mut conn, acme, "shop").await;
    let mut made = vec![];
    for _ in 0..2 {
        let deployment = deploy(&mut conn, &world).await;
        let lease = claim(&mut conn).await.unwrap();
        go_live(&mut conn, lease).await;
        let (release, plan) = release(&mut conn, &world, deployment).await;
        made.push((deployment, release, plan));
    }
    let is_current: Vec<bool> = deployments::list(&mut conn, acme, world.site, None, None, 9)
        .await
        .unwrap()
        .iter()
        .map(|d| d.is_current)
        .collect();
    assert_eq!(is_current, [true, false]);

    let current = releases::current_production(&mut conn, &[acme], &[world.site]).await.unwrap();
    assert_eq!((current[0].id, &current[0].plan.0), (made[1].1, &made[1].2));
    let first = releases::of_deployment(&mut conn, acme, made[0].0).await.unwrap().unwrap();
    assert_eq!(first.id, made[0].1);
    releases::remove(&mut conn, acme, first.id).await.unwrap();
    assert!(releases::by_id(&mut conn, acme, first.id).await.unwrap().is_none());
}

//! Releases: kept, current, forgotten.

use crate::support::{claim, deploy, go_live, team, world};
use model::{
    ReleaseId,
    plan::{NetworkPlan, ReleasePlan},
};
use sqlx::PgPool;
use std::{collections::BTreeMap, net::Ipv4Addr};
use store::{deployments, environments, releases};

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
        let plan = ReleasePlan {
            team: acme,
            site: world.site,
            environment: world.environment,
            deployment,
            project: "acme-shop".into(),
            hosts: vec!["shop.localhost".into()],
            network: NetworkPlan { name: "acme-shop-network".into(), base: Ipv4Addr::new(10, 64, 0, 0), prefix: 27 },
            containers: vec![],
            volumes: BTreeMap::new(),
        };
        let release = ReleaseId::new();
        releases::insert(&mut conn, acme, release, world.environment, deployment, &plan).await.unwrap();
        environments::set_current(&mut conn, acme, world.environment, release).await.unwrap();
        made.push((deployment, release, plan));
    }
    let is_current: Vec<bool> =
        deployments::list(&mut conn, acme, world.site, None, 9).await.unwrap().iter().map(|d| d.is_current).collect();
    assert_eq!(is_current, [true, false]);

    let current = releases::current_production(&mut conn, &[acme], &[world.site]).await.unwrap();
    assert_eq!((current[0].id, &current[0].plan.0), (made[1].1, &made[1].2));
    let all: Vec<_> =
        releases::of_environment(&mut conn, acme, world.environment).await.unwrap().iter().map(|r| r.id).collect();
    assert_eq!(all, [made[1].1, made[0].1]);
    let first = releases::of_deployment(&mut conn, acme, made[0].0).await.unwrap().unwrap();
    assert_eq!(first.id, made[0].1);
    releases::remove(&mut conn, acme, first.id).await.unwrap();
    assert!(releases::by_id(&mut conn, acme, first.id).await.unwrap().is_none());
}

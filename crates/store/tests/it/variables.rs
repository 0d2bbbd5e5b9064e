//! Versions of variables: one is added with each change, and goes when nothing needs it.

use crate::support::{claim, deploy, go_live, team, world};
use model::{
    ReleaseId,
    plan::{NetworkPlan, ReleasePlan},
};
use sqlx::PgPool;
use std::{collections::BTreeMap, net::Ipv4Addr};
use store::{deployments, environments, releases, variables};

#[sqlx::test(migrations = "../../migrations")]
async fn a_version_stays_while_a_release_or_a_deployment_needs_it(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let acme = team(&mut conn, "acme").await;
    let world = world(&mut conn, acme, "shop").await;
    let environment = world.environment;
    for version in 1..=4 {
        variables::insert(&mut conn, acme, environment, version, &[1, 2, 3], None).await.unwrap();
        environments::set_variables(&mut conn, acme, environment, version).await.unwrap();
    }
    let deployment = deploy(&mut conn, &world).await;
    let lease = claim(&mut conn).await.unwrap();
    variables::prune(&mut conn, acme, environment).await.unwrap();
    let there = async |version: i64| {
        let mut conn = pool.acquire().await.unwrap();
        variables::sealed(&mut conn, acme, environment, version).await.unwrap().is_some()
    };
    assert!(there(1).await, "a worker may be at work with any of them");

    go_live(&mut conn, lease).await;
    let plan = ReleasePlan {
        team: acme,
        site: world.site,
        environment,
        deployment,
        project: "acme-shop".into(),
        hosts: vec![],
        domain: None,
        network: NetworkPlan { name: "acme-shop-network".into(), base: Ipv4Addr::new(10, 64, 0, 0), prefix: 27 },
        containers: vec![],
        volumes: BTreeMap::new(),
    };
    let release = ReleaseId::new();
    releases::insert(&mut conn, acme, release, environment, deployment, &plan, 2).await.unwrap();
    environments::set_current(&mut conn, acme, environment, release).await.unwrap();
    let waiting = deploy(&mut conn, &world).await;
    sqlx::query("update deployments set from_release = $2, variables_version = 3 where id = $1")
        .bind(waiting)
        .bind(release)
        .execute(&mut *conn)
        .await
        .unwrap();
    variables::prune(&mut conn, acme, environment).await.unwrap();
    let kept = [there(1).await, there(2).await, there(3).await, there(4).await];
    assert_eq!(kept, [false, true, true, true]);

    assert!(deployments::is_applying(&mut conn, acme, environment, release, Some(3)).await.unwrap());
    assert!(!deployments::is_applying(&mut conn, acme, environment, release, Some(2)).await.unwrap());
    releases::remove(&mut conn, acme, release).await.unwrap();
    assert!(releases::by_id(&mut conn, acme, release).await.unwrap().is_some(), "it is about to be applied");
    let newest = deployments::newest_of_environments(&mut conn, acme, &[environment]).await.unwrap();
    let current = deployments::current_of_environments(&mut conn, acme, &[environment]).await.unwrap();
    assert_eq!((newest[0].id, current[0].id), (waiting, deployment));
    assert_eq!(releases::current_of(&mut conn, acme, &[environment]).await.unwrap()[0].id, release);
    deployments::cancel_all_of_environment(&mut conn, acme, environment).await.unwrap();
    assert!(!deployments::is_applying(&mut conn, acme, environment, release, Some(3)).await.unwrap());
}

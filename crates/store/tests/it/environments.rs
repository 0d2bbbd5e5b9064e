//! Environments and their subnets.

use crate::support::{environment, site, team, world};
use model::site::Source;
use sqlx::PgPool;
use store::{
    environments::{self, NewEnvironment},
    reconcile,
};

#[sqlx::test(migrations = "../../migrations")]
async fn each_environment_gets_the_lowest_free_subnet(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let acme = team(&mut conn, "acme").await;
    let mut sites = vec![];
    for index in 0..3 {
        sites.push(world(&mut conn, acme, &format!("site-{index}")).await);
    }
    store::sites::remove(&mut conn, acme, sites[1].site).await.unwrap();
    let new = world(&mut conn, acme, "another").await;
    let row = environments::by_id(&mut conn, acme, new.environment).await.unwrap().unwrap();
    assert_eq!(row.subnet_index, 1);
    let last = world(&mut conn, acme, "last").await;
    assert_eq!(environments::by_id(&mut conn, acme, last.environment).await.unwrap().unwrap().subnet_index, 3);
}

#[sqlx::test(migrations = "../../migrations")]
async fn sites_made_at_once_never_share_a_subnet(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let acme = team(&mut conn, "acme").await;
    let mut ids = vec![];
    for index in 0..8 {
        ids.push(site(&mut conn, acme, &format!("site-{index}"), &Source::Hosted {}).await);
    }
    drop(conn);
    let made = futures::future::join_all(ids.into_iter().map(|id| {
        let pool = pool.clone();
        async move {
            let mut conn = pool.acquire().await.unwrap();
            environment(&mut conn, acme, id, "production").await
        }
    }))
    .await;
    assert!(made.iter().all(Option::is_some));
    let mut conn = pool.acquire().await.unwrap();
    let mut indexes: Vec<i32> =
        reconcile::environments(&mut conn).await.unwrap().iter().map(|e| e.environment.subnet_index).collect();
    indexes.sort_unstable();
    assert_eq!(indexes, (0..8).collect::<Vec<_>>());
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_pool_that_is_used_up_gives_nothing(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let acme = team(&mut conn, "acme").await;
    let world = world(&mut conn, acme, "shop").await;
    let id = model::EnvironmentId::new();
    let new = NewEnvironment {
        id,
        team: acme,
        site: world.site,
        name: "staging",
        host: "shop-staging",
        branch: "staging",
        root: "",
        watch: &[],
        secrets: b"",
    };
    let mut tx = pool.begin().await.unwrap();
    assert!(!environments::insert(&mut tx, &new, 1).await.unwrap());
    assert!(environments::insert(&mut tx, &new, 2).await.unwrap());
    tx.commit().await.unwrap();
    let names: Vec<String> =
        environments::of_site(&mut conn, acme, world.site).await.unwrap().into_iter().map(|e| e.name).collect();
    assert_eq!(names, ["production", "staging"]);
    assert!(environments::exists(&mut conn, id).await.unwrap());
    assert!(!environments::exists(&mut conn, model::EnvironmentId::new()).await.unwrap());
    let branches = environments::production_branches(&mut conn, &[acme], &[world.site]).await.unwrap();
    assert_eq!(branches, [(world.site, "main".to_owned())]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn environments_of_a_site_that_is_removed_are_left_to_its_removal(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let acme = team(&mut conn, "acme").await;
    let world = world(&mut conn, acme, "shop").await;
    let found = environments::by_name(&mut conn, acme, world.site, "production").await.unwrap().unwrap();
    assert_eq!(found.id, world.environment);
    store::sites::mark_deleting(&mut conn, acme, world.site, false).await.unwrap();
    assert!(reconcile::environments(&mut conn).await.unwrap()[0].is_being_removed);
}

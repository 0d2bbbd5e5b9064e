//! A key is made for an address, and then is one site's.

use crate::support::{git, site, team};
use model::{DeployKeyId, TeamId};
use sqlx::{PgConnection, PgPool};
use store::{deploy_keys, sites};

const URL: &str = "git@example.org:me/shop.git";
const DAY: f64 = 86_400.0;

async fn key(conn: &mut PgConnection, team: TeamId) -> Option<DeployKeyId> {
    let id = DeployKeyId::new();
    let new = deploy_keys::NewDeployKey {
        id,
        team,
        url: URL,
        public_key: "ssh-ed25519 public",
        private_key: b"sealed",
        host_key: "ssh-ed25519 host",
    };
    deploy_keys::insert(conn, &new, 2).await.unwrap().then_some(id)
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_team_has_one_unused_key_for_an_address(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let (acme, other) = (team(&mut conn, "acme").await, team(&mut conn, "other").await);
    let id = key(&mut conn, acme).await.unwrap();
    assert_eq!(key(&mut conn, acme).await, None);
    let row = deploy_keys::unused(&mut conn, acme, URL, DAY).await.unwrap().unwrap();
    assert_eq!((row.id, row.team_id, row.team_slug.as_str()), (id, acme, "acme"));
    assert!(deploy_keys::unused(&mut conn, other, URL, DAY).await.unwrap().is_none(), "another team's");
    assert!(deploy_keys::unused(&mut conn, acme, "git@example.org:x", DAY).await.unwrap().is_none());
    assert!(deploy_keys::unused(&mut conn, acme, URL, 0.0).await.unwrap().is_none(), "its time is over");
    deploy_keys::forget_unused(&mut conn, DAY).await.unwrap();
    assert!(deploy_keys::unused(&mut conn, acme, URL, DAY).await.unwrap().is_some());
    deploy_keys::forget_unused(&mut conn, 0.0).await.unwrap();
    assert!(deploy_keys::unused(&mut conn, acme, URL, DAY).await.unwrap().is_none());
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_key_is_one_sites_and_gives_way_to_the_next(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let (acme, other) = (team(&mut conn, "acme").await, team(&mut conn, "other").await);
    let shop = site(&mut conn, acme, "shop", &git(URL)).await;
    let cafe = site(&mut conn, acme, "cafe", &git(URL)).await;
    let first = key(&mut conn, acme).await.unwrap();
    assert!(!deploy_keys::put(&mut conn, other, first, shop, "h").await.unwrap(), "another team's");
    assert!(deploy_keys::put(&mut conn, acme, first, shop, "h1").await.unwrap());
    assert!(!deploy_keys::put(&mut conn, acme, first, cafe, "h").await.unwrap(), "another site's");
    let row = sites::by_id(&mut conn, &[acme], shop).await.unwrap().unwrap();
    assert_eq!((row.deploy_key, row.host_key.as_deref()), (Some(first), Some("h1")));
    assert_eq!(row.deploy_key_private.as_deref(), Some(&b"sealed"[..]));
    assert_eq!(row.deploy_key_public.as_deref(), Some("ssh-ed25519 public"));
    assert!(deploy_keys::put(&mut conn, acme, first, shop, "h2").await.unwrap(), "with another host's key");

    let second = key(&mut conn, acme).await.unwrap();
    deploy_keys::forget_unused(&mut conn, 0.0).await.unwrap();
    assert!(!deploy_keys::put(&mut conn, acme, second, shop, "h").await.unwrap(), "forgotten");
    let third = key(&mut conn, acme).await.unwrap();
    assert!(deploy_keys::put(&mut conn, acme, third, shop, "h3").await.unwrap());
    let row = sites::lock(&mut conn, &[acme], shop).await.unwrap().unwrap();
    assert_eq!((row.deploy_key, row.host_key.as_deref()), (Some(third), Some("h3")));
    deploy_keys::remove(&mut conn, other, shop).await.unwrap();
    assert!(sites::by_id(&mut conn, &[acme], shop).await.unwrap().unwrap().deploy_key.is_some());
    deploy_keys::remove(&mut conn, acme, shop).await.unwrap();
    assert!(sites::by_id(&mut conn, &[acme], shop).await.unwrap().unwrap().deploy_key.is_none());
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_team_cannot_fill_the_table_and_a_removed_site_takes_its_key_along(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let acme = team(&mut conn, "acme").await;
    let shop = site(&mut conn, acme, "shop", &git(URL)).await;
    let id = key(&mut conn, acme).await.unwrap();
    deploy_keys::put(&mut conn, acme, id, shop, "h").await.unwrap();
    sites::remove(&mut conn, acme, shop).await.unwrap();
    let left: i64 = sqlx::query_scalar("select count(*) from deploy_keys").fetch_one(&mut *conn).await.unwrap();
    assert_eq!(left, 0);
    for (n, made) in [(1, true), (2, true), (3, false)] {
        let url = format!("git@example.org:{n}");
        let new = deploy_keys::NewDeployKey {
            id: DeployKeyId::new(),
            team: acme,
            url: &url,
            public_key: "",
            private_key: b"",
            host_key: "",
        };
        assert_eq!(deploy_keys::insert(&mut conn, &new, 2).await.unwrap(), made, "{n}");
    }
}

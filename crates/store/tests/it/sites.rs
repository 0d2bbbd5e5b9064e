//! Sites belong to one team, and their removal is asked for once.

use crate::support::{claim, deploy, git, site, status, team, world};
use model::{deployment::Status, site::Source};
use sqlx::PgPool;
use store::{deployments, sites};

#[sqlx::test(migrations = "../../migrations")]
async fn a_site_is_seen_by_its_own_team_alone(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let (acme, other) = (team(&mut conn, "acme").await, team(&mut conn, "other").await);
    let id = site(&mut conn, acme, "shop", &Source::Hosted {}).await;
    let row = sites::by_id(&mut conn, &[acme], id).await.unwrap().unwrap();
    assert_eq!((row.slug.as_str(), row.team_slug.as_str()), ("shop", "acme"));
    assert_eq!(row.source.0, Source::Hosted {});
    assert!(sites::by_id(&mut conn, &[other], id).await.unwrap().is_none());
    assert!(sites::list(&mut conn, &[other], None, 9).await.unwrap().is_empty());
    sites::rename(&mut conn, other, id, "Mine").await.unwrap();
    sites::rename(&mut conn, acme, id, "Shop").await.unwrap();
    assert_eq!(sites::by_id(&mut conn, &[acme], id).await.unwrap().unwrap().name, "Shop");
    assert!(!sites::mark_deleting(&mut conn, other, id, true).await.unwrap());
}

#[sqlx::test(migrations = "../../migrations")]
async fn sites_come_newest_first_in_pages(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let acme = team(&mut conn, "acme").await;
    for slug in ["one", "two", "three"] {
        site(&mut conn, acme, slug, &Source::Hosted {}).await;
    }
    let page = sites::list(&mut conn, &[acme], None, 2).await.unwrap();
    assert_eq!(page.iter().map(|s| s.slug.as_str()).collect::<Vec<_>>(), ["three", "two"]);
    let rest = sites::list(&mut conn, &[acme], Some(page[1].id), 2).await.unwrap();
    assert_eq!(rest.iter().map(|s| s.slug.as_str()).collect::<Vec<_>>(), ["one"]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_address_on_the_web_is_taken_by_one_site_of_all_teams(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let (acme, other) = (team(&mut conn, "acme").await, team(&mut conn, "other").await);
    let source = Source::Hosted {};
    site(&mut conn, acme, "shop", &source).await;
    assert!(sites::slug_taken(&mut conn, "shop").await.unwrap());
    assert!(!sites::slug_taken(&mut conn, "shopp").await.unwrap());
    let id = model::SiteId::new();
    let again = sites::NewSite {
        id,
        team: other,
        slug: "shop",
        name: "x",
        source: &source,
        webhook_secret: b"",
        repository_token: None,
    };
    let refused = sites::insert(&mut conn, &again).await.unwrap_err();
    assert_eq!(refused.as_database_error().unwrap().constraint(), Some("sites_slug_key"));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_webhook_finds_its_sites_by_the_repository(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let acme = team(&mut conn, "acme").await;
    let id = site(&mut conn, acme, "shop", &git("https://Example.org/Me/Shop.git")).await;
    let found = sites::for_webhook_by_repository(&mut conn, &["https://example.org/me/shop".into()]).await.unwrap();
    assert_eq!(found.iter().map(|s| s.id).collect::<Vec<_>>(), [id]);
    assert!(sites::for_webhook(&mut conn, id).await.unwrap().is_some());
    sites::mark_deleting(&mut conn, acme, id, true).await.unwrap();
    assert!(sites::for_webhook(&mut conn, id).await.unwrap().is_none());
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_webhook_finds_a_site_that_is_fetched_over_ssh(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let acme = team(&mut conn, "acme").await;
    for (slug, url, address) in [
        ("scp", "git@Example.org:Me/Shop.git", "ssh://example.org/me/shop"),
        ("scp-root", "git@example.org:/srv/shop.git/", "ssh://example.org/srv/shop"),
        ("ssh", "ssh://git@example.org/me/cafe.git", "ssh://example.org/me/cafe"),
        ("ssh-port", "ssh://git@example.org:2222/me/inn", "ssh://example.org/me/inn"),
        ("ssh-six", "ssh://git@[::1]:2222/me/six", "ssh://[::1]/me/six"),
    ] {
        let id = site(&mut conn, acme, slug, &git(url)).await;
        let found = sites::for_webhook_by_repository(&mut conn, &[address.into()]).await.unwrap();
        assert_eq!(found.iter().map(|s| s.id).collect::<Vec<_>>(), [id], "{url}");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_site_is_removed_once_nothing_runs_in_it(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let acme = team(&mut conn, "acme").await;
    let world = world(&mut conn, acme, "shop").await;
    let running = deploy(&mut conn, &world).await;
    let lease = claim(&mut conn).await.unwrap();
    let waiting = deploy(&mut conn, &world).await;
    assert!(sites::mark_deleting(&mut conn, acme, world.site, true).await.unwrap());
    assert!(!sites::mark_deleting(&mut conn, acme, world.site, false).await.unwrap());
    deployments::cancel_all_of_site(&mut conn, acme, world.site).await.unwrap();
    assert_eq!(status(&mut conn, &world, waiting).await, Status::Cancelled);
    assert_eq!(status(&mut conn, &world, running).await, Status::Fetching);
    assert!(sites::to_remove(&mut conn).await.unwrap().is_empty());
    store::queue::advance(&mut conn, lease, Status::Fetching, Status::Cancelled).await.unwrap();
    let due = sites::to_remove(&mut conn).await.unwrap();
    assert_eq!((due[0].id, due[0].delete_data), (world.site, Some(true)));
    sites::remove(&mut conn, acme, world.site).await.unwrap();
    assert!(deployments::by_id(&mut conn, &[acme], running).await.unwrap().is_none());
}

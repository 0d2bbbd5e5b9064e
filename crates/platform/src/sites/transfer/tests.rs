//! What holds for sites that go to another team, on the real database.

use super::*;
use crate::{
    accounts, api_tokens,
    deployments::{self, NewDeployment},
    repositories::{self, Access},
    teams::{self, Naming},
    testing::{World, problem, registration},
    variables,
};
use model::{Role, UserId};
use sqlx::PgPool;

/// A world whose owner has a second team.
async fn with_acme(pool: PgPool) -> (World, TeamId) {
    let mut world = World::new(pool).await;
    let acme = teams::create(&world.platform, &world.actor, &Naming { name: "Acme".into() }).await.unwrap().team.id;
    world.actor = actor(&world, world.actor.user.unwrap()).await;
    (world, acme)
}

async fn actor(world: &World, user: UserId) -> Actor {
    accounts::actor(&world.platform, user).await.unwrap().unwrap()
}

#[sqlx::test(migrations = "../../migrations")]
async fn all_that_belongs_to_a_site_goes_with_it_and_its_names_stay(pool: PgPool) {
    let (world, acme) = with_acme(pool).await;
    let (platform, site) = (&world.platform, world.site);
    let new = variables::NewVariable { name: "KEY".into(), value: Some("value".into()), secret: true };
    variables::put(platform, &world.actor, site, "production", new).await.unwrap();
    let token = api_tokens::NewToken {
        name: "Of the site".into(),
        scopes: vec!["deploy".into()],
        site_id: Some(site),
        ..Default::default()
    };
    let token = api_tokens::create(platform, &world.actor, token).await.unwrap().token;

    let moved = transfer(platform, &world.actor, site, Transfer { team_id: acme }).await.unwrap();
    assert_eq!((moved.team.id, moved.team.slug.as_str()), (acme, "acme"));
    assert_eq!(moved.repository.clone_url, "http://localhost:3000/git/acme/shop.git");
    assert!(api_tokens::actor(platform, &token).await.unwrap().is_none(), "its token is revoked");
    let kept = variables::list(platform, &world.actor, site, "production").await.unwrap();
    assert_eq!((kept.version, kept.variables.len()), (1, 1));

    let mut conn = platform.pool.acquire().await.unwrap();
    let row = store::sites::by_id(&mut conn, &[acme], site).await.unwrap().unwrap();
    assert_eq!((row.home_team_id, row.home_slug.as_str()), (world.team, "ada"));
    let of_environment = store::environments::by_id(&mut conn, acme, world.environment).await.unwrap();
    assert!(of_environment.is_some());
    let left: i64 = sqlx::query_scalar("select count(*) from variable_sets where team_id <> $1")
        .bind(acme)
        .fetch_one(&mut *conn)
        .await
        .unwrap();
    assert_eq!(left, 0);
    let told: Vec<(Option<TeamId>,)> =
        sqlx::query_as("select team_id from audit_entries where action = 'site.transfer' order by id")
            .fetch_all(&mut *conn)
            .await
            .unwrap();
    assert_eq!(told, [(Some(world.team),), (Some(acme),)], "both teams are told");
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_old_git_address_says_where_the_repository_is_to_members_alone(pool: PgPool) {
    let (world, acme) = with_acme(pool).await;
    let platform = &world.platform;
    transfer(platform, &world.actor, world.site, Transfer { team_id: acme }).await.unwrap();
    let moved = problem(repositories::open(platform, &world.actor, "ada", "shop", Access::Read).await);
    assert_eq!((moved.status, moved.code.as_str()), (404, "repository_moved"));
    assert!(moved.detail.contains("/git/acme/shop.git"), "{}", moved.detail);
    let here = problem(repositories::open(platform, &world.actor, "acme", "shop", Access::Read).await);
    assert_eq!(here.code, "repository_missing", "the test's folder holds none");
    let eve = accounts::register(platform, registration("Eve")).await.unwrap().user.id;
    let unknown = problem(repositories::open(platform, &actor(&world, eve).await, "ada", "shop", Access::Read).await);
    assert_eq!((unknown.code.as_str(), unknown.detail.contains("acme")), ("not_found", false));
}

#[sqlx::test(migrations = "../../migrations")]
async fn it_takes_the_say_in_both_teams(pool: PgPool) {
    let (world, acme) = with_acme(pool).await;
    let platform = &world.platform;
    let bob = accounts::register(platform, registration("Bob")).await.unwrap();
    let to = Transfer { team_id: bob.team.id };
    assert_eq!(problem(transfer(platform, &world.actor, world.site, to).await).status, 404, "Ada is not in it");
    let id = bob.user.id;
    assert_eq!(problem(transfer(platform, &actor(&world, id).await, world.site, to).await).status, 404);
    for (role, allowed) in [(Role::Viewer, false), (Role::Developer, false), (Role::Admin, true)] {
        let mut conn = platform.pool.acquire().await.unwrap();
        store::teams::set_member(&mut conn, world.team, id, role).await.unwrap();
        drop(conn);
        let done = transfer(platform, &actor(&world, id).await, world.site, to).await;
        assert_eq!(done.is_ok(), allowed, "{role:?}");
    }
    assert_eq!(problem(transfer(platform, &world.actor, world.site, Transfer { team_id: acme }).await).status, 404);
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_is_under_way_is_waited_for(pool: PgPool) {
    let (world, acme) = with_acme(pool).await;
    let platform = &world.platform;
    let same = transfer(platform, &world.actor, world.site, Transfer { team_id: world.team }).await;
    assert_eq!(problem(same).code, "same_team");
    let queued = deployments::create(platform, &world.actor, world.site, NewDeployment::default()).await.unwrap();
    let busy = transfer(platform, &world.actor, world.site, Transfer { team_id: acme }).await;
    assert_eq!(problem(busy).code, "under_way");
    deployments::cancel(platform, &world.actor, queued.summary.id).await.unwrap();
    transfer(platform, &world.actor, world.site, Transfer { team_id: acme }).await.unwrap();
    assert!(deployments::get(platform, &world.actor, queued.summary.id).await.is_ok(), "its history goes along");
}

//! What holds for teams, on the real database.

use super::*;
use crate::{
    accounts, members, sites,
    testing::{World, problem, registration},
};
use sqlx::PgPool;

fn named(name: &str) -> Naming {
    Naming { name: name.into() }
}

async fn fresh(world: &World) -> Actor {
    accounts::actor(&world.platform, world.actor.user.unwrap()).await.unwrap().unwrap()
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_team_is_made_renamed_and_deleted_and_its_slug_stays(pool: PgPool) {
    let world = World::new(pool).await;
    let platform = &world.platform;
    let made = create(platform, &world.actor, &named("Löwen & Söhne")).await.unwrap();
    assert_eq!((made.team.slug.as_str(), made.members, made.sites), ("loewensoehne", 1, 0));
    let again = create(platform, &world.actor, &named("Löwen Söhne")).await.unwrap();
    assert_eq!(again.team.slug, "loewensoehne2");
    assert_eq!(create(platform, &world.actor, &named("東京")).await.unwrap().team.slug, "team");
    assert!(problem(create(platform, &world.actor, &named(" ")).await).field("name").is_some());

    let me = fresh(&world).await;
    let id = made.team.id;
    let renamed = rename(platform, &me, id, &named("Lions")).await.unwrap();
    assert_eq!((renamed.team.slug.as_str(), renamed.team.name.as_str()), ("loewensoehne", "Lions"));
    assert_eq!(find(platform, &me, "loewensoehne").await.unwrap(), renamed);
    assert_eq!(find(platform, &me, &id.to_string()).await.unwrap(), renamed);
    assert_eq!(list(platform, &me).await.unwrap().len(), 4);
    delete(platform, &me, id).await.unwrap();
    assert_eq!(problem(get(platform, &fresh(&world).await, id).await).status, 404);
    let actions: Vec<String> = sqlx::query_scalar("select action from audit_entries where target_id = $1 order by id")
        .bind(id.to_string())
        .fetch_all(&platform.pool)
        .await
        .unwrap();
    assert_eq!(actions, ["team.create", "team.rename", "team.delete"]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_team_with_a_site_stays(pool: PgPool) {
    let world = World::new(pool).await;
    assert_eq!(problem(delete(&world.platform, &world.actor, world.team).await).code, "team_has_sites");
    assert!(get(&world.platform, &world.actor, world.team).await.is_ok());
}

#[sqlx::test(migrations = "../../migrations")]
async fn roles_decide_who_renames_and_deletes(pool: PgPool) {
    let world = World::new(pool).await;
    let platform = &world.platform;
    let bob = accounts::register(platform, registration("Bob")).await.unwrap().user.id;
    let team = create(platform, &world.actor, &named("Acme")).await.unwrap().team.id;
    let stranger = accounts::actor(platform, bob).await.unwrap().unwrap();
    assert_eq!(problem(rename(platform, &stranger, team, &named("Mine")).await).status, 404);
    assert_eq!(problem(delete(platform, &stranger, team).await).status, 404);
    for (role, renames, deletes) in [
        (Role::Viewer, false, false),
        (Role::Developer, false, false),
        (Role::Admin, true, false),
        (Role::Owner, true, true),
    ] {
        let mut conn = platform.pool.acquire().await.unwrap();
        store::teams::set_member(&mut conn, team, bob, role).await.unwrap();
        drop(conn);
        let actor = accounts::actor(platform, bob).await.unwrap().unwrap();
        let done = rename(platform, &actor, team, &named("Acme Ltd")).await;
        assert_eq!(done.is_ok(), renames, "{role:?}");
        match delete(platform, &actor, team).await {
            Ok(()) => assert!(deletes, "{role:?}"),
            refused => assert_eq!((problem(refused).status, deletes), (403, false), "{role:?}"),
        }
    }
    assert_eq!(problem(members::list(platform, &stranger, team).await).status, 404);
}

#[sqlx::test(migrations = "../../migrations")]
async fn sites_are_listed_by_team(pool: PgPool) {
    let world = World::new(pool).await;
    let platform = &world.platform;
    let other = create(platform, &world.actor, &named("Acme")).await.unwrap().team.id;
    crate::testing::site(platform, other, "bakery").await;
    let me = fresh(&world).await;
    let slugs = async |team| -> Vec<String> {
        let page = sites::list_of(platform, &me, team, 10, None).await.unwrap();
        page.items.into_iter().map(|site| site.slug).collect()
    };
    assert_eq!(slugs(None).await, ["bakery", "shop"]);
    assert_eq!(slugs(Some(other)).await, ["bakery"]);
    assert_eq!(problem(sites::list_of(platform, &world.actor, Some(other), 10, None).await).status, 404);
}

//! What holds for the administration, on the real database.

use super::*;
use crate::{
    Signup, accounts,
    testing::{World, problem, registration},
};
use model::{
    Grant, Scope,
    views::{SignupMode, SignupState},
};
use sqlx::PgPool;

fn admin() -> Actor {
    Actor { is_admin: true, ..Actor::nobody() }
}

#[sqlx::test(migrations = "../../migrations")]
async fn for_everybody_but_administrators_there_is_no_administration(pool: PgPool) {
    let world = World::new(pool).await;
    let token = Some(Grant { scopes: Scope::ALL.to_vec(), site: None });
    for actor in [world.actor.clone(), Actor { grant: token, ..admin() }, Actor::nobody()] {
        let platform = &world.platform;
        for told in [
            problem(overview(platform, &actor).await.map(drop)),
            problem(teams(platform, &actor, 20, None).await.map(drop)),
            problem(team(platform, &actor, world.team).await.map(drop)),
            problem(all_sites(platform, &actor, 10, None).await.map(drop)),
            problem(machine(platform, &actor).await.map(drop)),
            problem(settings(platform, &actor).map(drop)),
            problem(set_signup(platform, &actor, Some(SignupMode::Open)).await.map(drop)),
        ] {
            assert_eq!(told.status, 404);
        }
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn all_teams_and_sites_are_seen_and_nothing_that_is_secret(pool: PgPool) {
    let world = World::new(pool).await;
    accounts::register(&world.platform, registration("Bob")).await.unwrap();
    let (platform, actor) = (&world.platform, admin());
    let numbers = overview(platform, &actor).await.unwrap();
    assert_eq!((numbers.accounts, numbers.teams, numbers.sites, numbers.environments), (2, 2, 1, 1));
    let all = teams(platform, &actor, 20, None).await.unwrap();
    let first = teams(platform, &actor, 1, None).await.unwrap();
    assert_eq!((first.items.len(), &first.items[0]), (1, &all.items[0]));
    let rest = teams(platform, &actor, 20, first.next_cursor.as_deref()).await.unwrap();
    assert_eq!(rest.items[..], all.items[1..]);
    assert_eq!((all.items.len(), all.next_cursor), (2, None));
    let shop = all.items.iter().find(|it| it.id == world.team).unwrap();
    assert_eq!((shop.members[0].email.as_str(), shop.quotas.len()), ("ada@example.org", 6));
    assert_eq!(*shop, team(platform, &actor, world.team).await.unwrap());
    let sites = all_sites(platform, &actor, 10, None).await.unwrap().items;
    assert_eq!((sites.len(), sites[0].slug.as_str(), sites[0].url.as_str()), (1, "shop", "http://shop.localhost:8888"));
    let machine = machine(platform, &actor).await.unwrap();
    let parts: Vec<_> = machine.parts.iter().map(|part| (part.name.as_str(), part.is_well)).collect();
    assert_eq!(parts, [("database", true), ("engine", true), ("proxy", false)]);
    assert!(machine.cpus > 0 && machine.memory_total.is_some());
}

#[sqlx::test(migrations = "../../migrations")]
async fn who_may_register_is_switched_at_once_and_back_to_the_setting(pool: PgPool) {
    let mut world = World::new(pool).await;
    world.platform.settings.signup = Signup::Open;
    accounts::promote(&world.platform, "ada@example.org").await.unwrap();
    let (platform, actor) = (&world.platform, admin());
    let now = set_signup(platform, &actor, Some(SignupMode::Invite)).await.unwrap();
    assert_eq!((now.mode, now.configured, now.state), (SignupMode::Invite, SignupMode::Open, SignupState::Closed));
    let told = problem(accounts::register(platform, registration("Bob")).await);
    assert_eq!(told.code, "signup_closed");
    let now = set_signup(platform, &actor, None).await.unwrap();
    assert_eq!((now.mode, now.state), (SignupMode::Open, SignupState::Open));
    accounts::register(platform, registration("Bob")).await.unwrap();
    let audited: Vec<(String, String)> = sqlx::query_as(
        "select before #>> '{}', after #>> '{}' from audit_entries where action = 'signup.change' order by id",
    )
    .fetch_all(&platform.pool)
    .await
    .unwrap();
    assert_eq!(audited, [("open".into(), "invite".into()), ("invite".into(), "open".into())]);
}

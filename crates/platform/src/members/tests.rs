//! What holds for members, on the real database; who may do what is in the table of [`model::members`].

use super::*;
use crate::{
    Signup, accounts, api_tokens, invitations, sites,
    testing::{World, platform, problem, registration},
};
use model::views::InvitationState;
use sqlx::PgPool;

/// A world with a second member.
async fn with_bob(pool: PgPool, role: Role) -> (World, Actor, UserId) {
    let world = World::new(pool).await;
    let bob = accounts::register(&world.platform, registration("Bob")).await.unwrap().user.id;
    let mut conn = world.platform.pool.acquire().await.unwrap();
    store::members::add(&mut conn, world.team, bob, role).await.unwrap();
    drop(conn);
    let actor = actor(&world.platform, bob).await;
    (world, actor, bob)
}

async fn actor(platform: &Platform, user: UserId) -> Actor {
    accounts::actor(platform, user).await.unwrap().unwrap()
}

#[sqlx::test(migrations = "../../migrations")]
async fn members_are_listed_for_members_alone(pool: PgPool) {
    let (world, bob, id) = with_bob(pool, Role::Viewer).await;
    let found = list(&world.platform, &bob, world.team).await.unwrap();
    let told: Vec<_> = found.iter().map(|it| (it.name.as_str(), it.role, it.is_you)).collect();
    assert_eq!(told, [("Ada", Role::Owner, false), ("Bob", Role::Viewer, true)]);
    let eve = accounts::register(&world.platform, registration("Eve")).await.unwrap().user.id;
    let eve = actor(&world.platform, eve).await;
    for refused in [
        problem(list(&world.platform, &eve, world.team).await.map(drop)),
        problem(change(&world.platform, &eve, world.team, id, Change { role: Role::Owner }).await.map(drop)),
        problem(remove(&world.platform, &eve, world.team, id).await),
        problem(remove(&world.platform, &world.actor, world.team, eve.user.unwrap()).await),
    ] {
        assert_eq!(refused.status, 404);
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_role_is_changed_by_what_is_stored_now_and_not_by_what_the_request_began_with(pool: PgPool) {
    let (world, bob, id) = with_bob(pool, Role::Admin).await;
    let (platform, team, ada) = (&world.platform, world.team, world.actor.user.unwrap());
    change(platform, &world.actor, team, id, Change { role: Role::Owner }).await.unwrap();
    change(platform, &world.actor, team, ada, Change { role: Role::Viewer }).await.unwrap();
    // The actor of the request still says owner.
    assert_eq!(problem(change(platform, &world.actor, team, id, Change { role: Role::Viewer }).await).status, 403);
    assert_eq!(problem(change(platform, &world.actor, team, ada, Change { role: Role::Owner }).await).code, "own_role");
    assert_eq!(problem(change(platform, &bob, team, id, Change { role: Role::Admin }).await).code, "last_owner");
    assert_eq!(problem(remove(platform, &bob, team, id).await).code, "last_owner");
    let entries: i64 = sqlx::query_scalar("select count(*) from audit_entries where action = 'member.change'")
        .fetch_one(&platform.pool)
        .await
        .unwrap();
    assert_eq!(entries, 2, "what was refused is not there");
}

#[sqlx::test(migrations = "../../migrations")]
async fn of_two_owners_who_leave_at_once_one_stays(pool: PgPool) {
    let (world, bob, id) = with_bob(pool, Role::Owner).await;
    let ada = world.actor.user.unwrap();
    let (one, two) = tokio::join!(
        remove(&world.platform, &world.actor, world.team, ada),
        remove(&world.platform, &bob, world.team, id)
    );
    let (won, lost) = if one.is_ok() { (one, two) } else { (two, one) };
    won.unwrap();
    assert_eq!(problem(lost).code, "last_owner");
}

#[sqlx::test(migrations = "../../migrations")]
async fn who_is_removed_loses_everything_at_once(pool: PgPool) {
    let (world, bob, id) = with_bob(pool, Role::Admin).await;
    let (platform, team) = (&world.platform, world.team);
    let new = api_tokens::NewToken {
        name: "Pipeline".into(),
        scopes: vec!["sites:read".into()],
        team_id: Some(team),
        ..Default::default()
    };
    let token = api_tokens::create(platform, &bob, new).await.unwrap().token;
    let guest = invitations::NewInvitation { email: "eve@example.org".into(), role: Role::Admin };
    let link = invitations::create(platform, &bob, team, &guest).await.unwrap().link;
    assert!(api_tokens::actor(platform, &token).await.unwrap().is_some());
    assert!(sites::get(platform, &bob, world.site).await.is_ok());

    remove(platform, &world.actor, team, id).await.unwrap();
    let now = actor(platform, id).await;
    assert_eq!(problem(sites::get(platform, &now, world.site).await).status, 404);
    assert_eq!(still(platform, &bob).await.unwrap().role_in(team), None, "what goes on for longer ends too");
    assert!(api_tokens::actor(platform, &token).await.unwrap().is_none());
    let invited = invitations::look(platform, link.rsplit('/').next().unwrap()).await.unwrap();
    assert_eq!(invited.state, InvitationState::Withdrawn);

    let mut conn = platform.pool.acquire().await.unwrap();
    store::members::add(&mut conn, team, id, Role::Viewer).await.unwrap();
    drop(conn);
    assert!(api_tokens::actor(platform, &token).await.unwrap().is_none(), "a token does not come back with its owner");
}

#[sqlx::test(migrations = "../../migrations")]
async fn who_may_no_longer_invite_has_not_invited(pool: PgPool) {
    let (world, bob, id) = with_bob(pool, Role::Owner).await;
    let (platform, team) = (&world.platform, world.team);
    for (email, role) in [("one@example.org", Role::Owner), ("two@example.org", Role::Developer)] {
        let new = invitations::NewInvitation { email: email.into(), role };
        invitations::create(platform, &bob, team, &new).await.unwrap();
    }
    change(platform, &world.actor, team, id, Change { role: Role::Admin }).await.unwrap();
    let place = invitations::Place::Team(team);
    let states: Vec<_> =
        invitations::list(platform, &world.actor, place).await.unwrap().into_iter().map(|it| it.state).collect();
    assert_eq!(states, [InvitationState::Open, InvitationState::Withdrawn]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn members_are_no_affair_of_tokens(pool: PgPool) {
    let platform = platform(pool, Signup::Open);
    let ada = accounts::register(&platform, registration("Ada")).await.unwrap();
    let person = actor(&platform, ada.user.id).await;
    let scopes = model::Scope::ALL[..4].iter().map(|scope| scope.as_str().to_owned()).collect();
    let new = api_tokens::NewToken { name: "All".into(), scopes, ..Default::default() };
    let token = api_tokens::create(&platform, &person, new).await.unwrap().token;
    let token = api_tokens::actor(&platform, &token).await.unwrap().unwrap();
    let (team, id) = (ada.team.id, ada.user.id);
    for refused in [
        problem(list(&platform, &token, team).await.map(drop)),
        problem(change(&platform, &token, team, id, Change { role: Role::Viewer }).await.map(drop)),
        problem(remove(&platform, &token, team, id).await),
    ] {
        assert_eq!((refused.status, refused.code.as_str()), (403, "token_not_allowed"));
    }
}

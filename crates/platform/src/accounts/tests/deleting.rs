//! Deleting an account: what stands in the way, and what goes with it.

use super::*;
use crate::{invitations, testing};
use model::views::InvitationState;

async fn someone(platform: &Platform, name: &str) -> (Registered, Actor) {
    let made = register(platform, registration(name)).await.unwrap();
    let actor = actor_of(platform, &made.user).await;
    (made, actor)
}

fn asked(name: &str) -> DeleteAccount {
    DeleteAccount { email: format!("{name}@example.org"), password: PASSWORD.into(), delete_sites: false }
}

async fn count(pool: &PgPool, table: &str) -> i64 {
    let count = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
    sqlx::query_scalar(count).fetch_one(pool).await.unwrap()
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_account_goes_with_all_that_was_its_own(pool: PgPool) {
    let platform = platform(pool.clone(), Signup::Open);
    let (ada, actor) = someone(&platform, "Ada").await;
    begin_session(&pool, "ada", ada.user.id).await;
    let pair = tokens::issue(&platform, ada.user.id).await.unwrap();
    let found = deletion(&platform, &actor).await.unwrap();
    assert!(!found.last_admin && found.hand_over.is_empty() && found.sites.is_empty());
    assert_eq!(found.teams, [ada.team]);
    let wrong = DeleteAccount { email: "bob@example.org".into(), ..asked("ada") };
    assert_eq!(codes(&told(delete(&platform, &actor, &wrong).await)), [("email", "mismatch")]);
    let wrong = DeleteAccount { password: "not mine at all".into(), ..asked("ada") };
    assert_eq!(codes(&told(delete(&platform, &actor, &wrong).await)), [("password", "wrong")]);
    delete(&platform, &actor, &asked("Ada")).await.unwrap();
    for table in ["users", "teams", "members", "sessions", "refresh_tokens"] {
        assert_eq!(count(&pool, table).await, 0, "{table}");
    }
    let presented = tokens::read(&platform, &pair.access_token).await.unwrap().unwrap();
    assert!(!tokens::stands(&platform, &presented).await.unwrap());
    let kept: (String, String) =
        sqlx::query_as("select actor_name, target_name from audit_entries where action = 'account.delete'")
            .fetch_one(&pool)
            .await
            .unwrap();
    assert_eq!(kept, ("ada@example.org".to_owned(), "ada@example.org".to_owned()));
    assert_eq!(count(&pool, "mails where recipient = 'ada@example.org'").await, 1);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_team_that_others_are_in_is_handed_over_first(pool: PgPool) {
    let platform = platform(pool.clone(), Signup::Open);
    let (ada, actor) = someone(&platform, "Ada").await;
    let (bob, _) = someone(&platform, "Bob").await;
    let mut conn = pool.acquire().await.unwrap();
    team_rows::set_member(&mut conn, ada.team.id, bob.user.id, Role::Admin).await.unwrap();
    let found = deletion(&platform, &actor).await.unwrap();
    assert_eq!((found.hand_over.len(), found.teams.len()), (1, 0));
    let refused = told(delete(&platform, &actor, &asked("ada")).await);
    assert_eq!((refused.status, refused.code.as_str()), (409, "only_owner"));
    assert!(refused.detail.contains("Ada"), "{}", refused.detail);
    team_rows::set_member(&mut conn, ada.team.id, bob.user.id, Role::Owner).await.unwrap();
    delete(&platform, &actor, &asked("ada")).await.unwrap();
    assert!(team_rows::get(&mut conn, ada.team.id).await.unwrap().is_some(), "Bob's now");
}

#[sqlx::test(migrations = "../../migrations")]
async fn sites_that_nobody_else_could_look_after_are_named_or_go_the_ordinary_way(pool: PgPool) {
    let platform = platform(pool.clone(), Signup::Open);
    let (ada, actor) = someone(&platform, "Ada").await;
    let (site, _) = testing::site(&platform, ada.team.id, "shop").await;
    let refused = told(delete(&platform, &actor, &asked("ada")).await);
    assert_eq!((refused.status, refused.code.as_str()), (409, "has_sites"));
    assert!(refused.detail.contains("Shop"), "{}", refused.detail);
    assert_eq!(count(&pool, "sites where deleting_at is null").await, 1, "nothing was done yet");

    delete(&platform, &actor, &DeleteAccount { delete_sites: true, ..asked("ada") }).await.unwrap();
    assert_eq!(count(&pool, "users").await, 0);
    assert_eq!(count(&pool, "sites where deleting_at is not null and delete_data").await, 1);
    sweep(&platform).await.unwrap();
    assert_eq!(count(&pool, "teams").await, 1, "it is still needed for the removal");
    store::sites::remove(&mut pool.acquire().await.unwrap(), ada.team.id, site).await.unwrap();
    sweep(&platform).await.unwrap();
    assert_eq!(count(&pool, "teams").await, 0);
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_last_administrator_stays(pool: PgPool) {
    let platform = platform(pool.clone(), Signup::Open);
    let ada = create_user(&platform, registration("Ada"), true).await.unwrap().user;
    let actor = actor_of(&platform, &ada).await;
    assert!(deletion(&platform, &actor).await.unwrap().last_admin);
    assert_eq!(told(delete(&platform, &actor, &asked("ada")).await).code, "last_admin");
    create_user(&platform, registration("Bob"), true).await.unwrap();
    delete(&platform, &actor, &asked("ada")).await.unwrap();
    assert_eq!(count(&pool, "users where is_admin").await, 1);
}

#[sqlx::test(migrations = "../../migrations")]
async fn of_two_last_administrators_who_leave_at_once_one_stays(pool: PgPool) {
    let platform = platform(pool.clone(), Signup::Open);
    let mut actors = Vec::new();
    for name in ["Ada", "Bob"] {
        let made = create_user(&platform, registration(name), true).await.unwrap();
        actors.push(actor_of(&platform, &made.user).await);
    }
    let (ada, bob) = (asked("ada"), asked("bob"));
    let (one, two) = tokio::join!(delete(&platform, &actors[0], &ada), delete(&platform, &actors[1], &bob));
    assert!(one.is_ok() != two.is_ok());
    assert_eq!(count(&pool, "users where is_admin").await, 1);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_team_that_others_own_is_left_as_its_members_leave_it(pool: PgPool) {
    let platform = platform(pool.clone(), Signup::Open);
    let (ada, _) = someone(&platform, "Ada").await;
    let (bob, _) = someone(&platform, "Bob").await;
    let mut conn = pool.acquire().await.unwrap();
    team_rows::set_member(&mut conn, ada.team.id, bob.user.id, Role::Admin).await.unwrap();
    drop(conn);
    let actor = actor_of(&platform, &bob.user).await;
    let new = invitations::NewInvitation { email: "eve@example.org".into(), role: Role::Viewer };
    let made = invitations::create(&platform, &actor, ada.team.id, &new).await.unwrap();
    delete(&platform, &actor, &asked("bob")).await.unwrap();
    let token = made.link.rsplit('/').next().unwrap();
    assert_eq!(invitations::look(&platform, token).await.unwrap().state, InvitationState::Withdrawn);
    assert_eq!(count(&pool, "audit_entries where action = 'member.leave'").await, 1);
    assert_eq!(count(&pool, "events").await, 1, "sockets look again");
}

#[sqlx::test(migrations = "../../migrations")]
async fn of_two_owners_one_of_whom_leaves_while_the_other_deletes_the_account_one_stays(pool: PgPool) {
    let platform = platform(pool.clone(), Signup::Open);
    let (ada, actor) = someone(&platform, "Ada").await;
    let (bob, _) = someone(&platform, "Bob").await;
    let (eve, _) = someone(&platform, "Eve").await;
    let (team, leaves) = (ada.team.id, bob.user.id);
    let mut conn = pool.acquire().await.unwrap();
    team_rows::set_member(&mut conn, team, leaves, Role::Owner).await.unwrap();
    team_rows::set_member(&mut conn, team, eve.user.id, Role::Viewer).await.unwrap();
    drop(conn);
    // It waits for the team, which Bob holds while he leaves.
    let mut tx = pool.begin().await.unwrap();
    team_rows::lock(&mut tx, team).await.unwrap();
    store::members::remove(&mut tx, team, leaves).await.unwrap();
    let ada = asked("ada");
    let deleting = async { told(delete(&platform, &actor, &ada).await) };
    let leaving = async {
        let waits = "pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()";
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while count(&pool, waits).await == 0 {
            assert!(std::time::Instant::now() < deadline, "nobody waits for the team");
            tokio::task::yield_now().await;
        }
        tx.commit().await.unwrap();
    };
    let (refused, ()) = tokio::join!(deleting, leaving);
    assert_eq!(refused.code, "only_owner");
    assert_eq!(store::members::owners(&mut pool.acquire().await.unwrap(), team).await.unwrap(), 1);
}

//! What holds for accounts, on the real database.

mod deleting;
mod mailed;
mod signed_in;

use super::{register::team_slug, *};
use crate::{
    Error, Signup, passwords, teams,
    testing::{PASSWORD, platform, registration},
    tokens,
};
use model::{Origin, Role, names::TeamSlug};
use serde_json::json;
use sqlx::PgPool;
use std::sync::atomic::Ordering;
use store::sessions;
use time::{Duration, OffsetDateTime};

fn told<T: std::fmt::Debug>(result: Result<T>) -> Problem {
    match result.unwrap_err() {
        Error::Problem(problem) => problem,
        other => panic!("not a problem: {other}"),
    }
}

async fn sign_in(platform: &Platform, email: &str, password: &str) -> Result<UserView> {
    crate::sign_in::by_password_alone(platform, email, password, Origin::default()).await
}

fn codes(problem: &Problem) -> Vec<(&str, &str)> {
    problem.errors.iter().map(|e| (e.field.as_str(), e.code.as_str())).collect()
}

async fn actor_of(platform: &Platform, user: &UserView) -> Actor {
    actor(platform, user.id).await.unwrap().unwrap()
}

fn with_token(name: &str, token: &str) -> Registration {
    Registration { setup_token: Some(token.to_owned()), ..registration(name) }
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_account_comes_with_a_team_that_it_owns(pool: PgPool) {
    let platform = platform(pool, Signup::Open);
    let made = register(&platform, registration("Ada")).await.unwrap();
    assert_eq!((made.user.email.as_str(), made.user.name.as_str()), ("ada@example.org", "Ada"));
    assert_eq!((made.team.slug.as_str(), made.team.role), ("ada", Some(Role::Owner)));
    let actor = actor_of(&platform, &made.user).await;
    assert_eq!(actor.role_in(made.team.id), Some(Role::Owner));
    assert_eq!(me(&platform, &actor).await.unwrap(), made.user);
    assert_eq!(teams::list(&platform, &actor).await.unwrap(), [made.team]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn all_wrong_fields_are_told_at_once(pool: PgPool) {
    let platform = platform(pool, Signup::Invite);
    let wrong =
        Registration { email: "nowhere".into(), password: "short".into(), name: "  ".into(), setup_token: None };
    let problem = told(register(&platform, wrong).await);
    assert_eq!(problem.status, 422);
    assert_eq!(
        codes(&problem),
        [("setup_token", "required"), ("email", "email"), ("name", "length"), ("password", "length")]
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_taken_address_is_refused_whatever_its_case(pool: PgPool) {
    let platform = platform(pool, Signup::Open);
    register(&platform, registration("Ada")).await.unwrap();
    let again = Registration { email: " ADA@Example.org".into(), ..registration("Another") };
    let problem = told(register(&platform, again).await);
    assert_eq!((problem.status, problem.code.as_str()), (409, "email_taken"));
    assert!(problem.field("email").is_some());
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_short_name_that_is_taken_gets_a_number(pool: PgPool) {
    let platform = platform(pool, Signup::Open);
    let mut slugs = Vec::new();
    for n in 0..11 {
        let new = Registration { email: format!("ada{n}@example.org"), ..registration("Ada") };
        slugs.push(register(&platform, new).await.unwrap().team.slug);
    }
    assert_eq!(&slugs[..3], ["ada", "ada2", "ada3"]);
    assert!(slugs.iter().all(|slug| TeamSlug::parse(slug).is_ok()), "{slugs:?}");
}

#[test]
fn a_short_name_is_made_from_the_name_else_from_the_address() {
    assert_eq!(team_slug("Ada Lovelace", "x@y.z"), "adalovelace");
    assert_eq!(team_slug("李", "li.wei@example.org"), "liwei");
    assert_eq!(team_slug("李", "é@example.org"), "team");
    let longest = team_slug(&"long name ".repeat(8), "x@y.z");
    assert!(TeamSlug::parse(&format!("{longest}999999")).is_ok());
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_first_visitor_of_an_open_installation_is_no_administrator(pool: PgPool) {
    let platform = platform(pool, Signup::Open);
    assert_eq!(signup_state(&platform).await.unwrap(), SignupState::OpenWithoutAdmin);
    assert!(!register(&platform, registration("Ada")).await.unwrap().user.is_admin);
    let token = ensure_setup_token(&platform).await.unwrap().unwrap();
    assert!(register(&platform, with_token("Bob", &token)).await.unwrap().user.is_admin);
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_first_administrator_needs_the_setup_token_and_then_the_door_is_closed(pool: PgPool) {
    let platform = platform(pool, Signup::Invite);
    let token = ensure_setup_token(&platform).await.unwrap().unwrap();
    assert_eq!(signup_state(&platform).await.unwrap(), SignupState::NeedsSetupToken);
    for (wrong, code) in [("", "required"), ("  ", "required"), ("guess", "invalid")] {
        let problem = told(register(&platform, with_token("Ada", wrong)).await);
        assert_eq!(codes(&problem), [("setup_token", code)]);
    }
    assert!(register(&platform, with_token("Ada", &format!(" {token}\n"))).await.unwrap().user.is_admin);
    assert_eq!(signup_state(&platform).await.unwrap(), SignupState::Closed);
    let problem = told(register(&platform, with_token("Bob", &token)).await);
    assert_eq!((problem.status, problem.code.as_str()), (403, "signup_closed"));
    assert_eq!(ensure_setup_token(&platform).await.unwrap(), None);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_refused_registration_leaves_the_setup_token_good(pool: PgPool) {
    let platform = platform(pool, Signup::Open);
    register(&platform, registration("Ada")).await.unwrap();
    let token = ensure_setup_token(&platform).await.unwrap().unwrap();
    assert_eq!(told(register(&platform, with_token("Ada", &token)).await).code, "email_taken");
    assert!(register(&platform, with_token("Bob", &token)).await.unwrap().user.is_admin);
}

#[sqlx::test(migrations = "../../migrations")]
async fn of_two_people_with_the_same_setup_token_one_becomes_administrator(pool: PgPool) {
    let platform = platform(pool, Signup::Open);
    let token = ensure_setup_token(&platform).await.unwrap().unwrap();
    let (one, two) =
        tokio::join!(register(&platform, with_token("Ada", &token)), register(&platform, with_token("Bob", &token)));
    let (won, lost) = if one.is_ok() { (one, two) } else { (two, one) };
    assert!(won.unwrap().user.is_admin);
    assert_eq!(codes(&told(lost)), [("setup_token", "invalid")]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_setup_token_is_stored_as_its_hash_and_void_after_the_next_start(pool: PgPool) {
    let platform = platform(pool.clone(), Signup::Open);
    let first = ensure_setup_token(&platform).await.unwrap().unwrap();
    let stored: Vec<String> = sqlx::query_scalar("select value::text from settings").fetch_all(&pool).await.unwrap();
    assert!(stored.iter().all(|value| !value.contains(&first)));
    let second = ensure_setup_token(&platform).await.unwrap().unwrap();
    assert_eq!(codes(&told(register(&platform, with_token("Ada", &first)).await)), [("setup_token", "invalid")]);
    assert!(register(&platform, with_token("Ada", &second)).await.unwrap().user.is_admin);
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_administrator_made_on_the_command_line_voids_the_setup_token(pool: PgPool) {
    let platform = platform(pool, Signup::Open);
    let token = ensure_setup_token(&platform).await.unwrap().unwrap();
    assert!(!create_user(&platform, registration("Ada"), false).await.unwrap().user.is_admin);
    assert!(promote(&platform, "Ada@example.org").await.unwrap().is_admin);
    assert_eq!(codes(&told(register(&platform, with_token("Bob", &token)).await)), [("setup_token", "invalid")]);
    assert_eq!(told(promote(&platform, "nobody@example.org").await).status, 404);
}

#[sqlx::test(migrations = "../../migrations")]
async fn accounts_are_made_on_the_command_line_where_the_door_is_closed(pool: PgPool) {
    let platform = platform(pool, Signup::Invite);
    assert!(create_user(&platform, registration("Ada"), true).await.unwrap().user.is_admin);
    assert_eq!(signup_state(&platform).await.unwrap(), SignupState::Closed);
    assert_eq!(create_user(&platform, registration("Bob"), false).await.unwrap().team.slug, "bob");
}

#[sqlx::test(migrations = "../../migrations")]
async fn signing_in_does_not_tell_whether_an_address_exists(pool: PgPool) {
    let platform = platform(pool, Signup::Open);
    register(&platform, registration("Ada")).await.unwrap();
    assert_eq!(sign_in(&platform, " Ada@example.org", PASSWORD).await.unwrap().name, "Ada");
    let endless = "x".repeat(passwords::MAX_CHARS + 1);
    let tries = [
        ("ada@example.org", "tide lamp orbit 8"),
        ("ada@example.org", ""),
        ("ada@example.org", endless.as_str()),
        ("nobody@example.org", PASSWORD),
        ("no address", PASSWORD),
    ];
    let mut answers = Vec::new();
    for (email, password) in tries {
        let before = passwords::tests::VERIFIED.load(Ordering::SeqCst);
        answers.push(told(sign_in(&platform, email, password).await));
        assert!(passwords::tests::VERIFIED.load(Ordering::SeqCst) > before, "no work was done for {email}");
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!((answers[0].status, answers[0].code.as_str()), (401, "bad_credentials"));
}

#[sqlx::test(migrations = "../../migrations")]
async fn signing_in_renews_a_hash_of_older_parameters(pool: PgPool) {
    let platform = platform(pool.clone(), Signup::Open);
    register(&platform, registration("Ada")).await.unwrap();
    let older = passwords::tests::outdated(PASSWORD);
    sqlx::query("update users set password_hash = $1").bind(&older).execute(&pool).await.unwrap();
    sign_in(&platform, "ada@example.org", PASSWORD).await.unwrap();
    let renewed: String = sqlx::query_scalar("select password_hash from users").fetch_one(&pool).await.unwrap();
    assert!(renewed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{renewed}");
    sign_in(&platform, "ada@example.org", PASSWORD).await.unwrap();
}

async fn begin_session(pool: &PgPool, key: &str, user: UserId) {
    let later = OffsetDateTime::now_utc() + Duration::days(1);
    let data = json!({ SESSION_USER: user });
    assert!(sessions::insert(&mut pool.acquire().await.unwrap(), key, &data, later).await.unwrap());
}

#[sqlx::test(migrations = "../../migrations")]
async fn another_password_ends_everything_that_was_signed_in(pool: PgPool) {
    let platform = platform(pool.clone(), Signup::Open);
    let ada = register(&platform, registration("Ada")).await.unwrap().user;
    let bob = register(&platform, registration("Bob")).await.unwrap().user;
    begin_session(&pool, "ada", ada.id).await;
    begin_session(&pool, "bob", bob.id).await;
    let pair = tokens::issue(&platform, ada.id).await.unwrap();
    let actor = actor_of(&platform, &ada).await;

    let wrong = told(change_password(&platform, &actor, "not mine at all", "another long one").await);
    assert_eq!(codes(&wrong), [("current_password", "wrong")]);
    let weak = told(change_password(&platform, &actor, PASSWORD, "short").await);
    assert_eq!(codes(&weak), [("new_password", "length")]);
    change_password(&platform, &actor, PASSWORD, "another long one").await.unwrap();

    assert_eq!(told(sign_in(&platform, "ada@example.org", PASSWORD).await).status, 401);
    sign_in(&platform, "ada@example.org", "another long one").await.unwrap();
    let mut conn = pool.acquire().await.unwrap();
    assert!(sessions::get(&mut conn, "ada").await.unwrap().is_none());
    assert!(sessions::get(&mut conn, "bob").await.unwrap().is_some());
    assert!(tokens::refresh(&platform, &pair.refresh_token).await.is_err());
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_reset_password_is_random_and_ends_everything_that_was_signed_in(pool: PgPool) {
    let platform = platform(pool.clone(), Signup::Open);
    let ada = register(&platform, registration("Ada")).await.unwrap().user;
    begin_session(&pool, "ada", ada.id).await;
    let password = reset_password(&platform, "ADA@example.org").await.unwrap();
    sign_in(&platform, "ada@example.org", &password).await.unwrap();
    assert_eq!(told(sign_in(&platform, "ada@example.org", PASSWORD).await).status, 401);
    assert!(sessions::get(&mut pool.acquire().await.unwrap(), "ada").await.unwrap().is_none());
    assert_eq!(told(reset_password(&platform, "nobody@example.org").await).status, 404);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_name_changes_and_the_team_keeps_its_own(pool: PgPool) {
    let platform = platform(pool, Signup::Open);
    let made = register(&platform, registration("Ada")).await.unwrap();
    let actor = actor_of(&platform, &made.user).await;
    assert_eq!(rename(&platform, &actor, " Ada L. ").await.unwrap().name, "Ada L.");
    assert_eq!(codes(&told(rename(&platform, &actor, "").await)), [("name", "length")]);
    assert_eq!(teams::list(&platform, &actor).await.unwrap(), [made.team]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn who_is_gone_or_no_person_has_no_account(pool: PgPool) {
    let platform = platform(pool, Signup::Open);
    assert_eq!(actor(&platform, UserId::new()).await.unwrap(), None);
    let gone = Actor { user: Some(UserId::new()), ..Actor::nobody() };
    let machine = Actor::platform(model::TeamId::new());
    for nobody in [gone, machine] {
        assert_eq!(told(me(&platform, &nobody).await).status, 401);
        assert_eq!(told(rename(&platform, &nobody, "X").await).status, 401);
    }
}

#[test]
fn a_registration_in_the_log_shows_no_secret() {
    let shown = format!("{:?}", with_token("Ada", "hush"));
    assert!(!shown.contains(PASSWORD) && !shown.contains("hush"), "{shown}");
}

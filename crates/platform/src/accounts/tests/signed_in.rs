//! What an account is signed in with, and ending it.

use super::*;
use crate::accounts::sessions::{Current, list, revoke, revoke_others};
use model::{SessionId, views::SessionKind};
use sqlx::postgres::PgListener;
use store::refresh_tokens::Client;

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// An account with two browsers (`here`, `there`) and a program.
async fn signed_in(pool: &PgPool, platform: &Platform) -> (Actor, tokens::TokenPair) {
    let ada = register(platform, registration("Ada")).await.unwrap().user;
    let later = OffsetDateTime::now_utc() + Duration::days(1);
    for (key, seen) in [("here", 3600), ("there", 7200)] {
        let data = json!({ SESSION_USER: ada.id, "seen": seen, "address": "192.0.2.7", "agent": FIREFOX });
        assert!(sessions::insert(&mut pool.acquire().await.unwrap(), key, &data, later).await.unwrap());
    }
    let client = Client { address: Some("2001:db8::1".parse().unwrap()), agent: Some("curl/8.5.0".into()) };
    let pair = tokens::issue_to(platform, ada.id, &client).await.unwrap();
    (actor_of(platform, &ada).await, pair)
}

fn here() -> Current {
    Current::Browser("here".into())
}

#[sqlx::test(migrations = "../../migrations")]
async fn browsers_and_programs_are_listed_with_what_people_know_them_by(pool: PgPool) {
    let platform = platform(pool.clone(), Signup::Open);
    let (actor, pair) = signed_in(&pool, &platform).await;
    let found = list(&platform, &actor, &here()).await.unwrap();
    let told: Vec<_> =
        found.iter().map(|it| (it.client.as_str(), it.address.as_deref(), it.kind, it.current)).collect();
    assert_eq!(
        told,
        [
            ("Firefox on Linux", Some("192.0.2.7"), SessionKind::Browser, true),
            ("curl", Some("2001:db8::1"), SessionKind::Program, false),
            ("Firefox on Linux", Some("192.0.2.7"), SessionKind::Browser, false),
        ]
    );
    let shown = serde_json::to_string(&found).unwrap();
    assert!(!shown.contains("here"), "a key is shown: {shown}");
    let age = OffsetDateTime::now_utc() - found[1].begun_at;
    assert!(age < Duration::minutes(1), "{age}");

    let sign_in = tokens::read(&platform, &pair.access_token).await.unwrap().unwrap().sign_in.unwrap();
    let found = list(&platform, &actor, &Current::Program(sign_in)).await.unwrap();
    assert!(found[0].current && found[0].kind == SessionKind::Program);
    tokens::refresh_for(&platform, &pair.refresh_token, &Client::default()).await.unwrap();
    let found = list(&platform, &actor, &Current::Program(sign_in)).await.unwrap();
    assert_eq!((found.len(), found[0].id, found[0].address.as_deref()), (3, sign_in, None));
}

#[sqlx::test(migrations = "../../migrations")]
async fn one_is_ended_by_its_owner_alone_and_that_is_told_at_once(pool: PgPool) {
    let platform = platform(pool.clone(), Signup::Open);
    let (actor, pair) = signed_in(&pool, &platform).await;
    let bob = register(&platform, registration("Bob")).await.unwrap().user;
    let bob = actor_of(&platform, &bob).await;
    let mut listener = PgListener::connect_with(&pool).await.unwrap();
    listener.listen(sessions::SIGN_OUTS).await.unwrap();
    let found = list(&platform, &actor, &here()).await.unwrap();
    let (program, there) = (found[1].id, found[2].id);
    for id in [program, there, SessionId::new()] {
        assert_eq!(told(revoke(&platform, &bob, id).await).status, 404);
    }
    revoke(&platform, &actor, there).await.unwrap();
    revoke(&platform, &actor, program).await.unwrap();
    assert_eq!(listener.recv().await.unwrap().payload(), actor.user.unwrap().to_string());
    assert!(sessions::get(&mut pool.acquire().await.unwrap(), "there").await.unwrap().is_none());
    let presented = tokens::read(&platform, &pair.access_token).await.unwrap().unwrap();
    assert!(!tokens::stands(&platform, &presented).await.unwrap(), "its access token is still good");
    assert!(tokens::refresh(&platform, &pair.refresh_token).await.is_err());
    assert_eq!(told(revoke(&platform, &actor, there).await).status, 404);
    assert_eq!(list(&platform, &actor, &here()).await.unwrap().len(), 1);
    let names: Vec<String> =
        sqlx::query_scalar("select target_name from audit_entries where action = 'session.revoke' order by id")
            .fetch_all(&pool)
            .await
            .unwrap();
    assert_eq!(names, ["Firefox on Linux", "curl"]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn all_others_end_together_and_what_asks_goes_on(pool: PgPool) {
    let platform = platform(pool.clone(), Signup::Open);
    let (actor, pair) = signed_in(&pool, &platform).await;
    assert_eq!(revoke_others(&platform, &actor, &here()).await.unwrap(), 2);
    assert!(sessions::get(&mut pool.acquire().await.unwrap(), "here").await.unwrap().is_some());
    assert!(tokens::refresh(&platform, &pair.refresh_token).await.is_err());
    assert_eq!(revoke_others(&platform, &actor, &here()).await.unwrap(), 0);

    let pair = tokens::issue(&platform, actor.user.unwrap()).await.unwrap();
    let sign_in = tokens::read(&platform, &pair.access_token).await.unwrap().unwrap().sign_in.unwrap();
    assert_eq!(revoke_others(&platform, &actor, &Current::Program(sign_in)).await.unwrap(), 1);
    tokens::refresh(&platform, &pair.refresh_token).await.unwrap();
}

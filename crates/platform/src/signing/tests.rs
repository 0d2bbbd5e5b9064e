//! What holds for the keys of access tokens: how one follows the other, and how processes learn of it.

use super::*;
use crate::{Signup, testing::platform, tokens, vault::Vault};
use model::UserId;
use sqlx::PgPool;
use store::refresh_tokens::Owner;

fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

async fn token(platform: &Platform, user: UserId, now: OffsetDateTime) -> String {
    // A sign-in of its own; whether it goes on is not asked here.
    let owner = Owner { user_id: user, family: UserId::new().0 };
    tokens::access_token(platform, owner, now).await.unwrap()
}

fn kid(token: &str) -> String {
    jsonwebtoken::decode_header(token).unwrap().kid.unwrap()
}

async fn ids(platform: &Platform) -> Vec<String> {
    let rows = signing_keys::all(&mut platform.pool.acquire().await.unwrap()).await.unwrap();
    rows.into_iter().map(|row| row.id).collect()
}

#[sqlx::test(migrations = "../../migrations")]
async fn processes_that_start_at_once_make_one_key(pool: PgPool) {
    let (one, two) = (platform(pool.clone(), Signup::Open), platform(pool, Signup::Open));
    let (first, second) = tokio::join!(to_sign(&one, now()), to_sign(&two, now()));
    assert_eq!(first.unwrap().id, second.unwrap().id);
    assert_eq!(ids(&one).await.len(), 1);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_key_is_followed_after_a_month_and_forgotten_when_its_tokens_have_expired(pool: PgPool) {
    let platform = platform(pool, Signup::Open);
    let begun = now();
    keep(&platform, begun).await.unwrap();
    keep(&platform, begun + LIFETIME - Duration::SECOND).await.unwrap();
    let [first] = &ids(&platform).await[..] else { panic!("one key") };
    let due = begun + LIFETIME;
    keep(&platform, due).await.unwrap();
    keep(&platform, due + Duration::SECOND).await.unwrap();
    let [_, second] = &ids(&platform).await[..] else { panic!("two keys") };
    // Announced, and not used yet.
    assert_eq!(&to_sign(&platform, due + Duration::MINUTE).await.unwrap().id, first);
    assert_eq!(public_keys(&platform, due).await.unwrap()["keys"].as_array().unwrap().len(), 2);
    let over = due + LEAD;
    assert_eq!(&to_sign(&platform, over).await.unwrap().id, second);
    let last = over + ACCESS_LIFETIME;
    assert!(to_verify(&platform, first, last).await.unwrap().is_some(), "its last token has just expired");
    assert!(to_verify(&platform, first, over + OVERLAP).await.unwrap().is_none());
    keep(&platform, last).await.unwrap();
    assert_eq!(ids(&platform).await.len(), 2);
    keep(&platform, over + OVERLAP).await.unwrap();
    assert_eq!(ids(&platform).await, std::slice::from_ref(second));
    assert_eq!(public_keys(&platform, over + OVERLAP).await.unwrap()["keys"][0]["kid"], *second);
}

#[sqlx::test(migrations = "../../migrations")]
async fn another_process_verifies_with_a_key_that_it_did_not_know(pool: PgPool) {
    let (one, mut two) = (platform(pool.clone(), Signup::Open), platform(pool, Signup::Open));
    two.signing = SigningKeys::asking_every(Span::ZERO);
    let user = UserId::new();
    let old = token(&one, user, now()).await;
    assert_eq!(tokens::verify(&two, &old).await.unwrap(), Some(user));
    rotate(&one, &Actor::nobody(), now(), true).await.unwrap();
    let new = token(&one, user, now()).await;
    assert_ne!(kid(&old), kid(&new));
    assert_eq!(tokens::verify(&two, &new).await.unwrap(), Some(user));
    assert_eq!(tokens::verify(&two, &old).await.unwrap(), None, "the old key was revoked");
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_the_old_key_signed_is_good_while_both_are_there(pool: PgPool) {
    let platform = platform(pool, Signup::Open);
    let user = UserId::new();
    let old = token(&platform, user, now()).await;
    let begun = now();
    let told = rotate(&platform, &Actor::nobody(), begun, false).await.unwrap();
    assert_eq!((told.signs_from, told.old_until), (begun + LEAD, begun + LEAD + OVERLAP));
    assert_eq!(kid(&token(&platform, user, begun).await), kid(&old), "the new key waits until everybody knows it");
    assert_eq!(kid(&token(&platform, user, begun + LEAD).await), told.id);
    assert_eq!(tokens::verify(&platform, &old).await.unwrap(), Some(user));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_known_key_costs_no_query_and_unknown_ones_no_more_than_one_in_a_while(pool: PgPool) {
    let (one, mut two) = (platform(pool.clone(), Signup::Open), platform(pool, Signup::Open));
    two.signing = SigningKeys::asking_every(Span::from_hours(1));
    let user = UserId::new();
    let known = token(&one, user, now()).await;
    assert_eq!(tokens::verify(&two, &known).await.unwrap(), Some(user));
    rotate(&one, &Actor::nobody(), now(), true).await.unwrap();
    let unknown = token(&one, user, now()).await;
    for _ in 0..3 {
        assert_eq!(tokens::verify(&two, &unknown).await.unwrap(), None, "it has looked within the hour");
    }
    // A notification makes it look at once.
    read(&two).await.unwrap();
    assert_eq!(tokens::verify(&two, &unknown).await.unwrap(), Some(user));
    two.pool.close().await;
    assert_eq!(tokens::verify(&two, &unknown).await.unwrap(), Some(user), "without a database");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_private_half_is_sealed_for_its_row_and_one_that_does_not_open_is_replaced(pool: PgPool) {
    let one = platform(pool.clone(), Signup::Open);
    let key = to_sign(&one, now()).await.unwrap();
    let sealed: Vec<u8> = sqlx::query_scalar("select private_key from signing_keys").fetch_one(&pool).await.unwrap();
    assert_eq!(one.vault.open(&row_name(&key.id), &sealed).unwrap(), key.seed);
    assert!(one.vault.open(&row_name("another"), &sealed).is_err());
    assert!(one.signing.written().contains(&hex::encode(key.seed)));
    // The same database under another master key.
    let lost = Platform { vault: Vault::new([8; 32]), ..platform(pool, Signup::Open) };
    assert_ne!(to_sign(&lost, now()).await.unwrap().id, key.id);
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_public_keys_hold_nothing_private(pool: PgPool) {
    let platform = platform(pool, Signup::Open);
    let set = public_keys(&platform, now()).await.unwrap();
    let key = to_sign(&platform, now()).await.unwrap();
    let jwk = &set["keys"][0];
    assert_eq!(
        *jwk,
        json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": key.id, "x": key.public})
    );
    let read: Jwk = serde_json::from_value(jwk.clone()).unwrap();
    assert_eq!(read.thumbprint(ThumbprintHash::SHA256).unwrap(), key.id);
    for private in vault::written(&key.seed) {
        assert!(!set.to_string().contains(&private));
    }
}

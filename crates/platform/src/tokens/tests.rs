//! What holds for tokens, on the real database.

mod forged;

use super::*;
use crate::{
    Error, Settings, Signup, accounts,
    testing::{platform, registration},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    AlgorithmFamily, EncodingKey,
    jwk::{Jwk, ThumbprintHash},
};
use serde_json::{Value, json};
use sqlx::PgPool;

async fn with_ada(pool: PgPool) -> (Platform, UserId) {
    let platform = platform(pool, Signup::Open);
    let ada = accounts::register(&platform, registration("Ada")).await.unwrap().user.id;
    (platform, ada)
}

fn refused(result: Result<TokenPair>) {
    match result.map(|_| "tokens") {
        Err(Error::Problem(problem)) => {
            assert_eq!((problem.status, problem.code.as_str()), (401, "invalid_refresh_token"));
        }
        other => panic!("{other:?}"),
    }
}

/// An Ed25519 key of this seed (RFC 8410, section 7).
fn ed25519(seed: [u8; 32]) -> EncodingKey {
    let prefix = *b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
    EncodingKey::from_ed_der(&[&prefix[..], &seed].concat())
}

fn header(kid: &str) -> Value {
    json!({"alg": "EdDSA", "typ": TYPE, "kid": kid})
}

fn claims(user: UserId, now: OffsetDateTime) -> Value {
    let (iat, exp) = (now.unix_timestamp(), (now + ACCESS_LIFETIME).unix_timestamp());
    json!({"iss": "http://localhost:3000", "aud": AUDIENCE, "sub": user, "iat": iat, "exp": exp})
}

/// A token of exactly this header and these claims, signed as the key's kind signs.
fn sign(key: &EncodingKey, header: &Value, claims: &Value) -> String {
    let algorithm = if key.family() == AlgorithmFamily::Hmac { Algorithm::HS256 } else { Algorithm::EdDSA };
    let message = format!("{}.{}", encode(header), encode(claims));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

fn part(token: &str, n: usize) -> Value {
    let part = token.split('.').nth(n).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn encode(part: &Value) -> String {
    URL_SAFE_NO_PAD.encode(part.to_string())
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_access_token_speaks_for_its_account(pool: PgPool) {
    let (platform, ada) = with_ada(pool).await;
    let pair = issue(&platform, ada).await.unwrap();
    assert_eq!(verify(&platform, &pair.access_token).await.unwrap(), Some(ada));
    assert_eq!(pair.expires_in, 900);
    let header = part(&pair.access_token, 0);
    assert_eq!((&header["alg"], &header["typ"]), (&json!("EdDSA"), &json!("at+jwt")));
    assert!(header["kid"].is_string());
    assert_eq!(part(&pair.access_token, 1)["iss"], "http://localhost:3000");
}

#[sqlx::test(migrations = "../../migrations")]
async fn another_process_takes_the_token(pool: PgPool) {
    let (one, ada) = with_ada(pool.clone()).await;
    let token = issue(&one, ada).await.unwrap().access_token;
    assert_eq!(verify(&platform(pool.clone(), Signup::Open), &token).await.unwrap(), Some(ada));
    let plain = platform(pool, Signup::Open);
    let settings = Settings { public_url: "https://other.example".into(), ..plain.settings.clone() };
    let other_issuer = Platform { settings, ..plain };
    assert_eq!(verify(&other_issuer, &token).await.unwrap(), None);
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_expired_access_token_is_refused(pool: PgPool) {
    let (platform, ada) = with_ada(pool).await;
    issue(&platform, ada).await.unwrap();
    let now = OffsetDateTime::now_utc();
    // Made by the key that is there; it signs from now on.
    let key = signing::to_sign(&platform, now).await.unwrap();
    for (age, is_good) in
        [(ACCESS_LIFETIME - Duration::minutes(1), true), (ACCESS_LIFETIME + Duration::minutes(1), false)]
    {
        let token = sign(&key.encoding, &header(&key.id), &claims(ada, now - age));
        assert_eq!(verify(&platform, &token).await.unwrap().is_some(), is_good, "{age}");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_installation_takes_no_tokens_of_another(pool: PgPool) {
    let (platform, ada) = with_ada(pool).await;
    // Another installation has another key, and gives it any name it likes.
    let ours = signing::to_sign(&platform, OffsetDateTime::now_utc()).await.unwrap();
    let theirs = ed25519([3; 32]);
    let thumbprint = Jwk::from_encoding_key(&theirs, Algorithm::EdDSA).unwrap().thumbprint(ThumbprintHash::SHA256);
    for kid in [thumbprint.unwrap(), ours.id.clone()] {
        let token = sign(&theirs, &header(&kid), &claims(ada, OffsetDateTime::now_utc()));
        assert_eq!(verify(&platform, &token).await.unwrap(), None, "{kid}");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_refresh_token_gives_a_new_pair_once(pool: PgPool) {
    let (platform, ada) = with_ada(pool).await;
    let first = issue(&platform, ada).await.unwrap();
    let second = refresh(&platform, &first.refresh_token).await.unwrap();
    assert_ne!(first.refresh_token, second.refresh_token);
    assert_eq!(verify(&platform, &second.access_token).await.unwrap(), Some(ada));
    refresh(&platform, &second.refresh_token).await.unwrap();
    refused(refresh(&platform, "wmr_unknown").await);
    refused(refresh(&platform, &second.access_token).await);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_refresh_token_used_twice_ends_its_sign_in_and_no_other(pool: PgPool) {
    let (platform, ada) = with_ada(pool).await;
    let (stolen, phone) = (issue(&platform, ada).await.unwrap(), issue(&platform, ada).await.unwrap());
    let owner = refresh(&platform, &stolen.refresh_token).await.unwrap();
    refused(refresh(&platform, &stolen.refresh_token).await);
    refused(refresh(&platform, &owner.refresh_token).await);
    refresh(&platform, &phone.refresh_token).await.unwrap();
}

#[sqlx::test(migrations = "../../migrations")]
async fn of_two_uses_at_once_one_succeeds_and_then_the_sign_in_ends(pool: PgPool) {
    let (platform, ada) = with_ada(pool).await;
    let pair = issue(&platform, ada).await.unwrap();
    let (one, two) = tokio::join!(refresh(&platform, &pair.refresh_token), refresh(&platform, &pair.refresh_token));
    let (won, lost) = if one.is_ok() { (one, two) } else { (two, one) };
    refused(lost);
    refused(refresh(&platform, &won.unwrap().refresh_token).await);
}

#[sqlx::test(migrations = "../../migrations")]
async fn many_clients_that_race_with_one_token_get_one_pair_and_lose_it(pool: PgPool) {
    let (one, ada) = with_ada(pool.clone()).await;
    let two = platform(pool.clone(), Signup::Open);
    let (pair, phone) = (issue(&one, ada).await.unwrap(), issue(&one, ada).await.unwrap());
    let racing = (0..8).map(|n| refresh(if n % 2 == 0 { &one } else { &two }, &pair.refresh_token));
    let won: Vec<TokenPair> = futures::future::join_all(racing).await.into_iter().filter_map(Result::ok).collect();
    let [winner] = &won[..] else { panic!("{} pairs for one token", won.len()) };
    refused(refresh(&one, &winner.refresh_token).await);
    refresh(&two, &phone.refresh_token).await.unwrap();
    let (action, name, reason): (String, String, Value) = sqlx::query_as(
        "select action, target_name, after from audit_entries where action like 'session.%' and target_id = $1 limit 1",
    )
    .bind(ada.to_string())
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!((action.as_str(), name.as_str()), ("session.revoke_reused", "ada@example.org"));
    assert_eq!(reason["reason"], "a refresh token was used twice");
}

#[sqlx::test(migrations = "../../migrations")]
async fn signing_out_ends_the_sign_in_of_the_token(pool: PgPool) {
    let (platform, ada) = with_ada(pool).await;
    let (laptop, phone) = (issue(&platform, ada).await.unwrap(), issue(&platform, ada).await.unwrap());
    revoke(&platform, &laptop.refresh_token).await.unwrap();
    revoke(&platform, "wmr_unknown").await.unwrap();
    refused(refresh(&platform, &laptop.refresh_token).await);
    let stands = async |pair: &TokenPair| {
        let presented = read(&platform, &pair.access_token).await.unwrap().unwrap();
        stands(&platform, &presented).await.unwrap()
    };
    assert!(!stands(&laptop).await && stands(&phone).await);
    refresh(&platform, &phone.refresh_token).await.unwrap();
}

#[sqlx::test(migrations = "../../migrations")]
async fn refresh_tokens_are_stored_as_their_hash_and_expire(pool: PgPool) {
    let (platform, ada) = with_ada(pool.clone()).await;
    let pair = issue(&platform, ada).await.unwrap();
    let stored: Vec<u8> = sqlx::query_scalar("select token_hash from refresh_tokens").fetch_one(&pool).await.unwrap();
    assert_eq!(stored, digest(&pair.refresh_token));
    sqlx::query("update refresh_tokens set expires_at = now()").execute(&pool).await.unwrap();
    refused(refresh(&platform, &pair.refresh_token).await);
}

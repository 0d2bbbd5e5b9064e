//! What holds for tokens, on the real database.

use super::*;
use crate::{
    Error, Settings, Signup, accounts,
    testing::{platform, registration},
    vault::Vault,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
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
    assert_eq!(verify(&platform, &pair.access_token), Some(ada));
    assert_eq!(pair.expires_in, 900);
    let header = part(&pair.access_token, 0);
    assert_eq!((&header["alg"], &header["typ"]), (&json!("EdDSA"), &json!("at+jwt")));
    assert!(header["kid"].is_string());
    assert_eq!(part(&pair.access_token, 1)["iss"], "http://localhost:3000");
}

#[sqlx::test(migrations = "../../migrations")]
async fn another_process_with_the_same_master_key_takes_the_token_and_another_installation_does_not(pool: PgPool) {
    let (one, ada) = with_ada(pool.clone()).await;
    let token = issue(&one, ada).await.unwrap().access_token;
    assert_eq!(verify(&platform(pool.clone(), Signup::Open), &token), Some(ada));
    let other_key = Platform { vault: Vault::new([8; 32]), ..platform(pool.clone(), Signup::Open) };
    assert_eq!(verify(&other_key, &token), None);
    let plain = platform(pool, Signup::Open);
    let settings = Settings { public_url: "https://other.example".into(), ..plain.settings.clone() };
    let other_issuer = Platform { settings, ..plain };
    assert_eq!(verify(&other_issuer, &token), None);
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_expired_access_token_is_refused(pool: PgPool) {
    let (platform, ada) = with_ada(pool).await;
    let owner = Owner { user_id: ada, family: Uuid::now_v7() };
    let made = |ago| access_token(&platform, owner, OffsetDateTime::now_utc() - ago).unwrap();
    assert_eq!(verify(&platform, &made(ACCESS_LIFETIME - Duration::minutes(1))), Some(ada));
    assert_eq!(verify(&platform, &made(ACCESS_LIFETIME + Duration::minutes(1))), None);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_token_of_another_algorithm_is_refused(pool: PgPool) {
    let (platform, ada) = with_ada(pool).await;
    let real = issue(&platform, ada).await.unwrap().access_token;
    let claims = part(&real, 1);

    let unsigned = format!("{}.{}.", encode(&json!({"alg": "none", "typ": TYPE})), encode(&claims));
    assert_eq!(verify(&platform, &unsigned), None);

    // The classic confusion: HMAC with the public key, which everybody may know, as its secret.
    let keys = Keys::of(&platform).unwrap();
    let public = keys.decoding.try_get_as_bytes().unwrap();
    let header = Header { typ: Some(TYPE.to_owned()), ..Header::new(Algorithm::HS256) };
    let forged = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(public)).unwrap();
    assert_eq!(verify(&platform, &forged), None);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_changed_token_or_one_of_another_kind_is_refused(pool: PgPool) {
    let (platform, ada) = with_ada(pool).await;
    let real = issue(&platform, ada).await.unwrap().access_token;
    let parts: Vec<&str> = real.split('.').collect();
    let mut claims = part(&real, 1);
    claims["sub"] = json!(UserId::new());
    assert_eq!(verify(&platform, &format!("{}.{}.{}", parts[0], encode(&claims), parts[2])), None);
    for garbage in ["", ".", "..", "a.b.c", &real[..real.len() - 4], &format!("{real}x")] {
        assert_eq!(verify(&platform, garbage), None, "{garbage}");
    }

    let keys = Keys::of(&platform).unwrap();
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let right = json!({"iss": "http://localhost:3000", "aud": AUDIENCE, "sub": ada, "iat": now, "exp": now + 60});
    let sign = |kind: &str, claims: &Value| {
        let header = Header { typ: Some(kind.to_owned()), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, claims, &keys.encoding).unwrap()
    };
    assert_eq!(verify(&platform, &sign(TYPE, &right)), Some(ada));
    assert_eq!(verify(&platform, &sign("JWT", &right)), None);
    for (claim, value) in
        [("aud", json!("elsewhere")), ("aud", Value::Null), ("iss", Value::Null), ("exp", Value::Null)]
    {
        let mut wrong = right.clone();
        wrong[claim] = value;
        assert_eq!(verify(&platform, &sign(TYPE, &wrong)), None, "{wrong}");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_refresh_token_gives_a_new_pair_once(pool: PgPool) {
    let (platform, ada) = with_ada(pool).await;
    let first = issue(&platform, ada).await.unwrap();
    let second = refresh(&platform, &first.refresh_token).await.unwrap();
    assert_ne!(first.refresh_token, second.refresh_token);
    assert_eq!(verify(&platform, &second.access_token), Some(ada));
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
async fn signing_out_ends_the_sign_in_of_the_token(pool: PgPool) {
    let (platform, ada) = with_ada(pool).await;
    let (laptop, phone) = (issue(&platform, ada).await.unwrap(), issue(&platform, ada).await.unwrap());
    revoke(&platform, &laptop.refresh_token).await.unwrap();
    revoke(&platform, "wmr_unknown").await.unwrap();
    refused(refresh(&platform, &laptop.refresh_token).await);
    let stands =
        async |pair: &TokenPair| stands(&platform, &read(&platform, &pair.access_token).unwrap()).await.unwrap();
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

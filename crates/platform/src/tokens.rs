//! Tokens of API clients: short-lived JWTs, and refresh tokens that are used once.
//!
//! The signing key is derived from the master key, so every process of an installation has it and none stores it. An
//! access token is not looked up: after a changed password it lives on for its last minutes.

use crate::{Platform, Result, vault};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation,
    errors::Error as JwtError,
    jwk::{Jwk, ThumbprintHash},
};
use model::{Problem, UserId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::refresh_tokens::{self, Owner};
use time::{Duration, OffsetDateTime};
use utoipa::ToSchema;
use uuid::Uuid;

/// How long an access token is good for.
pub const ACCESS_LIFETIME: Duration = Duration::minutes(15);
/// How long a refresh token may lie unused.
pub const REFRESH_LIFETIME: Duration = Duration::days(30);

/// Who the access tokens are for: this platform's own interfaces.
const AUDIENCE: &str = "webmeteor";
/// The media type of an access token, RFC 9068 section 2.1; no other JWT is mistaken for one.
const TYPE: &str = "at+jwt";
/// What the key that signs access tokens is derived for.
pub(crate) const SIGNING_KEY: &str = "access token signing key";
/// What a refresh token begins with, so that scanners for leaked secrets and people know it.
const REFRESH_PREFIX: &str = "wmr_";

/// What a client signs in with from now on.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct TokenPair {
    /// A JWT for `Authorization: Bearer`.
    pub access_token: String,
    /// Seconds until the access token expires.
    pub expires_in: i64,
    /// For the next pair, once.
    pub refresh_token: String,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: UserId,
    iat: i64,
    exp: i64,
}

/// The keys of an installation.
struct Keys {
    encoding: EncodingKey,
    decoding: DecodingKey,
    id: String,
}

impl Keys {
    fn of(platform: &Platform) -> Result<Self, JwtError> {
        // RFC 8410, section 7: a PKCS #8 document around an Ed25519 seed is this prefix and the seed.
        const PKCS8: &[u8] = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
        let seed = platform.vault.derive(SIGNING_KEY);
        let encoding = EncodingKey::from_ed_der(&[PKCS8, &seed].concat());
        let jwk = Jwk::from_encoding_key(&encoding, Algorithm::EdDSA)?;
        Ok(Self { decoding: DecodingKey::from_jwk(&jwk)?, id: jwk.thumbprint(ThumbprintHash::SHA256)?, encoding })
    }
}

/// A first pair after signing in.
///
/// # Errors
/// Only if the database fails.
pub async fn issue(platform: &Platform, user: UserId) -> Result<TokenPair> {
    let mut conn = platform.pool.acquire().await?;
    issue_in(platform, &mut conn, Owner { user_id: user, family: Uuid::now_v7() }).await
}

async fn issue_in(platform: &Platform, conn: &mut sqlx::PgConnection, owner: Owner) -> Result<TokenPair> {
    let now = OffsetDateTime::now_utc();
    let refresh_token = format!("{REFRESH_PREFIX}{}", vault::random_secret());
    refresh_tokens::insert(conn, owner, &digest(&refresh_token), now + REFRESH_LIFETIME).await?;
    Ok(TokenPair {
        access_token: access_token(platform, owner.user_id, now)?,
        expires_in: ACCESS_LIFETIME.whole_seconds(),
        refresh_token,
    })
}

fn access_token(platform: &Platform, user: UserId, now: OffsetDateTime) -> Result<String> {
    let claims = Claims {
        iss: platform.settings.public_url.clone(),
        aud: AUDIENCE.to_owned(),
        sub: user,
        iat: now.unix_timestamp(),
        exp: (now + ACCESS_LIFETIME).unix_timestamp(),
    };
    let sign = || {
        let keys = Keys::of(platform)?;
        let header = Header { typ: Some(TYPE.to_owned()), kid: Some(keys.id), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, &claims, &keys.encoding)
    };
    Ok(sign().map_err(anyhow::Error::from)?)
}

/// A new pair for a refresh token, which is spent by it.
///
/// A token that was spent before has two holders, and one of them is a thief: all tokens of that sign-in are revoked
/// (RFC 9700, section 4.14.2).
///
/// # Errors
/// 401 `invalid_refresh_token`, whatever is wrong with it.
pub async fn refresh(platform: &Platform, token: &str) -> Result<TokenPair> {
    let refused = || Problem::new(401, "invalid_refresh_token", "This refresh token is not valid; sign in again.");
    let hash = digest(token);
    let mut tx = platform.pool.begin().await?;
    let owner = refresh_tokens::owner(&mut tx, &hash).await?.ok_or_else(refused)?;
    // One after the other for each account: a pair that is just being made is seen by who revokes its family.
    if !store::users::lock(&mut tx, owner.user_id).await? {
        return Err(refused().into());
    }
    if refresh_tokens::consume(&mut tx, &hash).await? {
        let pair = issue_in(platform, &mut tx, owner).await?;
        tx.commit().await?;
        return Ok(pair);
    }
    refresh_tokens::revoke_family(&mut tx, owner.family).await?;
    tx.commit().await?;
    tracing::warn!(user = %owner.user_id, "a spent, revoked or expired refresh token was presented; its sign-in is ended");
    Err(refused().into())
}

/// Ends the sign-in that a refresh token belongs to; an unknown token is no error.
///
/// # Errors
/// Only if the database fails.
pub async fn revoke(platform: &Platform, token: &str) -> Result<()> {
    let mut tx = platform.pool.begin().await?;
    if let Some(owner) = refresh_tokens::owner(&mut tx, &digest(token)).await? {
        store::users::lock(&mut tx, owner.user_id).await?;
        refresh_tokens::revoke_family(&mut tx, owner.family).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// The account that an access token speaks for; `None` if it is not ours, not of this kind, changed or expired.
pub fn verify(platform: &Platform, token: &str) -> Option<UserId> {
    let mut rules = Validation::new(Algorithm::EdDSA);
    rules.set_issuer(&[&platform.settings.public_url]);
    rules.set_audience(&[AUDIENCE]);
    rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    // The machines of an installation may differ by this many seconds.
    rules.leeway = 5;
    let token = jsonwebtoken::decode::<Claims>(token, &Keys::of(platform).ok()?.decoding, &rules).ok()?;
    (token.header.typ.as_deref() == Some(TYPE)).then_some(token.claims.sub)
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests;

//! Tokens of API clients: short-lived JWTs, and refresh tokens that are used once.
//!
//! The signing key is derived from the master key, so every process of an installation has it and none stores it. An
//! access token names its sign-in, and is good for nothing once that has ended ([`stands`]).

use crate::{Platform, Result, vault};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation,
    errors::Error as JwtError,
    jwk::{Jwk, ThumbprintHash},
};
use model::{Problem, SessionId, UserId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
pub use store::refresh_tokens::Client;
use store::{
    refresh_tokens::{self, Owner},
    sessions,
};
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
    /// The sign-in that it came from.
    #[serde(default)]
    sid: Option<SessionId>,
    iat: i64,
    exp: i64,
}

/// What an access token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Presented {
    /// For whom it speaks.
    pub user: UserId,
    /// The sign-in that it came from.
    pub sign_in: Option<SessionId>,
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
    issue_to(platform, user, &Client::default()).await
}

/// A first pair after signing in, for this program.
///
/// # Errors
/// Only if the database fails.
pub async fn issue_to(platform: &Platform, user: UserId, client: &Client) -> Result<TokenPair> {
    let mut conn = platform.pool.acquire().await?;
    issue_in(platform, &mut conn, Owner { user_id: user, family: Uuid::now_v7() }, client).await
}

async fn issue_in(
    platform: &Platform,
    conn: &mut sqlx::PgConnection,
    owner: Owner,
    client: &Client,
) -> Result<TokenPair> {
    let now = OffsetDateTime::now_utc();
    let refresh_token = format!("{REFRESH_PREFIX}{}", vault::random_secret());
    refresh_tokens::insert(conn, owner, &digest(&refresh_token), now + REFRESH_LIFETIME, client).await?;
    Ok(TokenPair {
        access_token: access_token(platform, owner, now)?,
        expires_in: ACCESS_LIFETIME.whole_seconds(),
        refresh_token,
    })
}

fn access_token(platform: &Platform, owner: Owner, now: OffsetDateTime) -> Result<String> {
    let claims = Claims {
        iss: platform.settings.public_url.clone(),
        aud: AUDIENCE.to_owned(),
        sub: owner.user_id,
        sid: Some(SessionId(owner.family)),
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
    refresh_for(platform, token, &Client::default()).await
}

/// [`refresh`], for this program.
///
/// # Errors
/// As [`refresh`].
pub async fn refresh_for(platform: &Platform, token: &str, client: &Client) -> Result<TokenPair> {
    let refused = || Problem::new(401, "invalid_refresh_token", "This refresh token is not valid; sign in again.");
    let hash = digest(token);
    let mut tx = platform.pool.begin().await?;
    let owner = refresh_tokens::owner(&mut tx, &hash).await?.ok_or_else(refused)?;
    // One after the other for each account: a pair that is just being made is seen by who revokes its family.
    if !store::users::lock(&mut tx, owner.user_id).await? {
        return Err(refused().into());
    }
    if refresh_tokens::consume(&mut tx, &hash).await? {
        let pair = issue_in(platform, &mut tx, owner, client).await?;
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
        sessions::tell_of_end(&mut tx, owner.user_id).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// The account that an access token speaks for; `None` if it is not ours, not of this kind, changed or expired. Whether
/// its sign-in goes on is for [`stands`] to say.
pub fn verify(platform: &Platform, token: &str) -> Option<UserId> {
    read(platform, token).map(|presented| presented.user)
}

/// Whether the sign-in that an access token came from goes on.
///
/// # Errors
/// The database's.
pub async fn stands(platform: &Platform, presented: &Presented) -> Result<bool> {
    let Some(sign_in) = presented.sign_in else { return Ok(true) };
    Ok(refresh_tokens::is_alive(&mut *platform.pool.acquire().await?, sign_in.0).await?)
}

/// What an access token says; `None` as for [`verify`].
pub fn read(platform: &Platform, token: &str) -> Option<Presented> {
    let mut rules = Validation::new(Algorithm::EdDSA);
    rules.set_issuer(&[&platform.settings.public_url]);
    rules.set_audience(&[AUDIENCE]);
    rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    // The machines of an installation may differ by this many seconds.
    rules.leeway = 5;
    let token = jsonwebtoken::decode::<Claims>(token, &Keys::of(platform).ok()?.decoding, &rules).ok()?;
    let Claims { sub: user, sid: sign_in, .. } = token.claims;
    (token.header.typ.as_deref() == Some(TYPE)).then_some(Presented { user, sign_in })
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests;

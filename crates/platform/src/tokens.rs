//! Tokens of API clients: short-lived JWTs, and refresh tokens that are used once.
//!
//! Access tokens are signed by a key of [`crate::signing`]. One names its sign-in, and is good for nothing once that has
//! ended ([`stands`]).

use crate::{
    Platform, Result,
    audit::{Entry, record},
    signing, vault,
};
use jsonwebtoken::{Algorithm, Header, Validation};
use model::{Actor, Problem, SessionId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::json;
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
/// The machines of an installation may differ by this many seconds.
const LEEWAY: u64 = 5;
/// No token of ours is longer; what is is not even read.
const LONGEST: usize = 2048;
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
    know_key(platform).await?;
    let mut conn = platform.pool.acquire().await?;
    issue_in(platform, &mut conn, Owner { user_id: user, family: Uuid::now_v7() }, client).await
}

/// The key is found before a connection is taken: finding the first one takes another.
async fn know_key(platform: &Platform) -> Result<()> {
    signing::to_sign(platform, OffsetDateTime::now_utc()).await.map(|_| ())
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
        access_token: access_token(platform, owner, now).await?,
        expires_in: ACCESS_LIFETIME.whole_seconds(),
        refresh_token,
    })
}

pub(crate) async fn access_token(platform: &Platform, owner: Owner, now: OffsetDateTime) -> Result<String> {
    let claims = Claims {
        iss: platform.settings.public_url.clone(),
        aud: AUDIENCE.to_owned(),
        sub: owner.user_id,
        sid: Some(SessionId(owner.family)),
        iat: now.unix_timestamp(),
        exp: (now + ACCESS_LIFETIME).unix_timestamp(),
    };
    let key = signing::to_sign(platform, now).await?;
    let header = Header { typ: Some(TYPE.to_owned()), kid: Some(key.id.clone()), ..Header::new(Algorithm::EdDSA) };
    Ok(jsonwebtoken::encode(&header, &claims, &key.encoding).map_err(anyhow::Error::from)?)
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
    know_key(platform).await?;
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
    if refresh_tokens::is_spent(&mut tx, &hash).await? {
        note_reuse(&mut tx, owner.user_id).await?;
    }
    tx.commit().await?;
    tracing::warn!(user = %owner.user_id, "a spent, revoked or expired refresh token was presented; its sign-in is ended");
    Err(refused().into())
}

/// Nobody knows which of the two holders it was, so the platform is who ended the sign-in.
async fn note_reuse(conn: &mut sqlx::PgConnection, user: UserId) -> Result<()> {
    let name = store::users::get(conn, user).await?.map(|user| user.email).unwrap_or_default();
    let why = json!({"reason": "a refresh token was used twice"});
    record(conn, &Actor::nobody(), Entry::new("session.revoke_reused", user, &name).change(None, why)).await
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
///
/// # Errors
/// As [`read`].
pub async fn verify(platform: &Platform, token: &str) -> Result<Option<UserId>> {
    Ok(read(platform, token).await?.map(|presented| presented.user))
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
///
/// The algorithm is not the token's to choose (RFC 8725, section 3.1), and of what its header says of keys only the name
/// of one of ours is heeded.
///
/// # Errors
/// The database's, where a key has to be looked for.
pub async fn read(platform: &Platform, token: &str) -> Result<Option<Presented>> {
    if token.len() > LONGEST || token.bytes().filter(|byte| *byte == b'.').count() != 2 {
        return Ok(None);
    }
    let Some(header) = jsonwebtoken::decode_header(token).ok().filter(is_of_our_kind) else { return Ok(None) };
    let now = OffsetDateTime::now_utc();
    let key = match header.kid {
        Some(id) => signing::to_verify(platform, &id, now).await?,
        None => None,
    };
    let Some(key) = key else { return Ok(None) };
    let mut rules = Validation::new(Algorithm::EdDSA);
    rules.set_issuer(&[&platform.settings.public_url]);
    rules.set_audience(&[AUDIENCE]);
    rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    rules.validate_nbf = true;
    rules.leeway = LEEWAY;
    let Ok(token) = jsonwebtoken::decode::<Claims>(token, &key.decoding, &rules) else { return Ok(None) };
    let Claims { sub: user, sid: sign_in, iat, .. } = token.claims;
    let is_made = iat <= now.unix_timestamp().saturating_add_unsigned(LEEWAY);
    Ok(is_made.then_some(Presented { user, sign_in }))
}

/// What a header must understand that we do not (`crit`) makes it another kind (RFC 7515, section 4.1.11).
fn is_of_our_kind(header: &Header) -> bool {
    header.alg == Algorithm::EdDSA && header.typ.as_deref() == Some(TYPE) && header.crit.is_none()
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests;

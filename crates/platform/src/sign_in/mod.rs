//! Signing in: the password, then the second factor where the account has one; a passkey; or a provider.
//!
//! Whoever gave the right password and not yet a code is nobody: a [`Pending`] opens nothing but the second step.

mod notice;
pub mod overview;
pub mod passkeys;
mod password;
pub mod providers;
mod recovery_codes;
mod second_factor;
pub mod totp;

use crate::{Platform, Result, accounts, vault};
use model::{Actor, Origin, Problem, UserId, names::Email, views::UserView};
use second_factor::Proof;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;
use store::{
    second_factor as rows,
    users::{self, User},
};
use time::{Duration, OffsetDateTime};

/// How long the second step may take.
pub const SECOND_STEP: Duration = Duration::minutes(10);

/// Where and when somebody signs in.
#[derive(Debug, Clone, Copy)]
pub struct Visit {
    /// Where from.
    pub origin: Origin,
    /// When.
    pub now: OffsetDateTime,
}

impl Visit {
    /// Now.
    pub fn from(origin: Origin) -> Self {
        Self { origin, now: OffsetDateTime::now_utc() }
    }
}

/// What a right password leads to.
#[derive(Debug)]
pub enum FirstStep {
    /// That was all.
    Done(UserView),
    /// The account has a second factor.
    CodeNeeded(Pending),
}

/// Somebody gave the right password, and a code is missing. Kept where only the server can write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    user: UserId,
    /// Tells the password: with another one this is void.
    password: String,
    until: OffsetDateTime,
}

impl Pending {
    fn new(user: &User, now: OffsetDateTime) -> Self {
        Self { user: user.id, password: vault::fingerprint(&user.password_hash), until: now + SECOND_STEP }
    }

    /// Whose it is.
    ///
    /// # Errors
    /// 401 `sign_in_expired` when its time is over, or the account's password is another by now.
    async fn account(&self, conn: &mut PgConnection, now: OffsetDateTime) -> Result<User> {
        let user = users::get(conn, self.user).await?.filter(|_| now < self.until);
        let same = user.filter(|user| vault::fingerprint(&user.password_hash) == self.password);
        Ok(same.ok_or_else(expired)?)
    }
}

/// The first step in a browser.
///
/// # Errors
/// 401 `bad_credentials` for the address or the password being wrong, after the same work; 429 `too_many_requests`.
pub async fn begin(platform: &Platform, email: &str, password: &str, visit: Visit) -> Result<FirstStep> {
    admit(platform, email, visit.origin)?;
    let user = password::check(platform, email, password, visit.origin).await?;
    let mut tx = platform.pool.begin().await?;
    if rows::is_on(&mut tx, user.id).await? {
        return Ok(FirstStep::CodeNeeded(Pending::new(&user, visit.now)));
    }
    signed_in(&mut tx, &user, visit.origin, "password").await?;
    tx.commit().await?;
    platform.throttle.signed_in(&user.email, visit.origin.address);
    Ok(FirstStep::Done(accounts::view(user)))
}

/// Whether a second step that was begun can still be done.
///
/// # Errors
/// The database's.
pub async fn is_under_way(platform: &Platform, pending: &Pending, now: OffsetDateTime) -> Result<bool> {
    match pending.account(&mut *platform.pool.acquire().await?, now).await {
        Ok(_) => Ok(true),
        Err(crate::Error::Problem(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The second step: a code of the app, or a recovery code, which is spent.
///
/// # Errors
/// 401 `bad_totp`; 429 `totp_locked` after too many wrong ones; 401 `sign_in_expired`.
pub async fn finish(platform: &Platform, pending: &Pending, code: &str, visit: Visit) -> Result<UserView> {
    let mut tx = platform.pool.begin().await?;
    let user = pending.account(&mut tx, visit.now).await?;
    let proof = second_factor::judge(platform, &mut tx, user.id, code, visit.now).await?;
    let proof = match proof {
        Ok(proof) => proof,
        Err(refusal) => {
            if refusal.is_attempt {
                notice::refused(&mut tx, &user, visit.origin, "totp").await?;
            }
            tx.commit().await?;
            return Err(refusal.problem.into());
        }
    };
    match proof {
        Proof::App => signed_in(&mut tx, &user, visit.origin, "password_and_totp").await?,
        Proof::RecoveryCode => {
            signed_in(&mut tx, &user, visit.origin, "password_and_recovery_code").await?;
            let left = rows::codes_left(&mut tx, user.id).await?;
            notice::recovery_code_used(platform, &mut tx, &user, left).await?;
        }
    }
    tx.commit().await?;
    platform.throttle.signed_in(&user.email, visit.origin.address);
    Ok(accounts::view(user))
}

/// Both steps at once, for programs.
///
/// # Errors
/// Those of [`begin`] and [`finish`]; 401 `totp_required` when the password is right and the code is missing.
pub async fn at_once(
    platform: &Platform,
    email: &str,
    password: &str,
    code: Option<&str>,
    visit: Visit,
) -> Result<UserView> {
    match begin(platform, email, password, visit).await? {
        FirstStep::Done(user) => Ok(user),
        FirstStep::CodeNeeded(pending) => {
            let Some(code) = code.map(str::trim).filter(|code| !code.is_empty()) else {
                let detail = "This account has a second factor: send a code of its app, or a recovery code, as `totp`.";
                return Err(Problem::new(401, "totp_required", detail).into());
            };
            finish(platform, &pending, code, visit).await
        }
    }
}

/// The account with this address and password, where one cannot be asked for more: Git.
///
/// # Errors
/// 401 `bad_credentials`; 403 `second_factor_on`; 429 `too_many_requests`.
pub async fn by_password_alone(platform: &Platform, email: &str, password: &str, origin: Origin) -> Result<UserView> {
    admit(platform, email, origin)?;
    let user = password::check(platform, email, password, origin).await?;
    password_is_enough(platform, user.id).await?;
    platform.throttle.signed_in(&user.email, origin.address);
    Ok(accounts::view(user))
}

/// The account has no second factor.
///
/// # Errors
/// 403 `second_factor_on`, and what to do.
pub async fn password_is_enough(platform: &Platform, user: UserId) -> Result<()> {
    if !rows::is_on(&mut *platform.pool.acquire().await?, user).await? {
        return Ok(());
    }
    let detail = format!(
        "This account has a second factor, so its password is not taken here. Use an API token in its place: \
         {}/account/tokens",
        platform.settings.public_url,
    );
    Err(Problem::new(403, "second_factor_on", detail).into())
}

/// Counts an attempt on an account, before its password costs anything. What counts as having signed in, and so as being
/// known there, is noted once all steps are done.
///
/// # Errors
/// 429 `too_many_requests`.
fn admit(platform: &Platform, email: &str, origin: Origin) -> Result<(), Problem> {
    // However an address is written, it is one account's.
    let parsed = Email::parse(email);
    let account = parsed.as_ref().map_or(email, Email::as_str);
    platform.throttle.sign_in(account, origin.address)
}

/// Notes that somebody signed in, and in which way.
async fn signed_in(conn: &mut PgConnection, user: &User, origin: Origin, way: &str) -> Result<()> {
    notice::record(conn, &in_person(user, origin), user, "account.sign_in", json!({ "way": way })).await
}

/// The account's owner, who was just recognised.
fn in_person(user: &User, origin: Origin) -> Actor {
    Actor { user: Some(user.id), origin, ..Actor::nobody() }
}

/// The account can still be signed in to.
///
/// # Errors
/// 409 `last_way`.
async fn expect_a_way(platform: &Platform, conn: &mut PgConnection, user: UserId) -> Result<()> {
    let has_password = users::get(conn, user).await?.is_some_and(|user| user.has_password);
    let has_passkey = !store::passkeys::of_user(conn, user).await?.is_empty();
    let is_known = |key: &str| platform.settings.providers.iter().any(|provider| provider.key == key);
    let linked = store::identities::of_user(conn, user).await?;
    if has_password || has_passkey || linked.iter().any(|identity| is_known(&identity.provider)) {
        return Ok(());
    }
    let detail = "This is the only way to sign in to your account. Add another one first: a password, by having it reset, a \
                  passkey, or another provider.";
    Err(Problem::conflict("last_way", detail).into())
}

/// 401: the first step has to be done again.
pub fn expired() -> Problem {
    Problem::new(401, "sign_in_expired", "This took too long, or your password was changed meanwhile; sign in again.")
}

#[cfg(test)]
mod tests;

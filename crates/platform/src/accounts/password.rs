//! Changing a password, and setting another one where it is forgotten.

use super::{links, own_account, words};
use crate::{
    Platform, Result, access,
    audit::{self, Entry},
    mail,
    passwords::{self, Verdict},
};
use model::{Actor, Problem, UserId, names::Email};
use sqlx::PgConnection;
use std::time::Duration;
use store::{
    account_links, refresh_tokens, sessions,
    users::{self, User},
};

/// How long a forgotten password can be set anew by a link.
const LIFETIME: Duration = Duration::from_hours(1);

/// Gives the account with this address a random password, which is returned, and ends all that it is signed in with.
///
/// # Errors
/// 404 if there is no such account.
pub async fn reset_password(platform: &Platform, email: &str) -> Result<String> {
    let email = Email::parse(email).map_err(|e| Problem::invalid("email", e.code, e.message))?;
    let password = passwords::random();
    let hash = passwords::hash(&password).await?;
    let mut tx = platform.pool.begin().await?;
    let user = users::find_by_email(&mut tx, email.as_str()).await?.ok_or_else(|| Problem::not_found("account"))?;
    replace_password(&mut tx, user.id, &hash).await?;
    audit::record(&mut tx, &Actor::nobody(), Entry::new("account.reset_password", user.id, &user.email)).await?;
    tx.commit().await?;
    Ok(password)
}

/// Changes the caller's password and ends every session and refresh token of the account. A caller with a session of
/// its own keeps it by giving it a new id afterwards (`Session::cycle_id`), which stores it anew.
///
/// # Errors
/// 422 for the fields `current_password` and `new_password`.
pub async fn change_password(platform: &Platform, actor: &Actor, current: &str, new: &str) -> Result<()> {
    access::in_person(actor)?;
    let user = own_account(platform, actor).await?;
    confirm_password(&user, current, "current_password").await?;
    passwords::check(new, &[&user.email, &user.name])
        .map_err(|e| Problem::invalid("new_password", e.code, e.message))?;
    let hash = passwords::hash(new).await?;
    let mut tx = platform.pool.begin().await?;
    replace_password(&mut tx, user.id, &hash).await?;
    audit::record(&mut tx, actor, Entry::new("account.change_password", user.id, &user.email)).await?;
    tell_of_change(platform, &mut tx, &user).await?;
    tx.commit().await?;
    Ok(())
}

/// Has a link sent by which a forgotten password is set anew. The answer and the work are the same whether or not there
/// is such an account.
///
/// # Errors
/// The database's.
pub async fn request_reset(platform: &Platform, email: &str) -> Result<()> {
    let (email, is_address) = match Email::parse(email) {
        Ok(email) => (email, true),
        // The same is done for what cannot have an account.
        Err(_) => (Email::parse("nobody@invalid.invalid").map_err(anyhow::Error::from)?, false),
    };
    let mut tx = platform.pool.begin().await?;
    let user = users::find_by_email(&mut tx, email.as_str()).await?.filter(|_| is_address);
    let kind = if user.is_some() { links::RESET } else { links::NOTICE };
    let user = user.map(|user| user.id);
    let wanted = links::For { kind, user, email: &email, account: None, lifetime: LIFETIME };
    let (token, may_send) = links::make(&mut tx, &wanted).await?;
    mail::send_if(platform, &mut tx, &email, &words::reset(platform, &token), may_send && user.is_some()).await?;
    tx.commit().await?;
    Ok(())
}

/// Whether a link sets a password.
///
/// # Errors
/// 422 for the field `token`.
pub async fn look_at_reset(platform: &Platform, token: &str) -> Result<()> {
    let mut conn = platform.pool.acquire().await?;
    links::look(&mut conn, &[links::RESET], token).await?;
    Ok(())
}

/// Sets the password of an account by the link that was mailed to it, which is spent by it, and ends all that the
/// account is signed in with. A password that is refused spends nothing.
///
/// # Errors
/// 422 for the fields `token` and `password`.
pub async fn confirm_reset(platform: &Platform, actor: &Actor, token: &str, password: &str) -> Result<()> {
    let mut conn = platform.pool.acquire().await?;
    let link = links::look(&mut conn, &[links::RESET], token).await?;
    let user = owner(&mut conn, link.user_id).await?;
    drop(conn);
    passwords::check(password, &[&user.email, &user.name])
        .map_err(|e| Problem::invalid("password", e.code, e.message))?;
    let hash = passwords::hash(password).await?;
    let mut tx = platform.pool.begin().await?;
    links::take(&mut tx, &[links::RESET], token).await?;
    replace_password(&mut tx, user.id, &hash).await?;
    // Who opened the link reads the mail that it was in.
    users::verify_email(&mut tx, user.id, &link.email).await?;
    let oneself = Actor { user: Some(user.id), ..actor.clone() };
    audit::record(&mut tx, &oneself, Entry::new("account.reset_password", user.id, &user.email)).await?;
    tell_of_change(platform, &mut tx, &user).await?;
    tx.commit().await?;
    Ok(())
}

/// The account's password is this one.
///
/// # Errors
/// 422 for this field.
pub(super) async fn confirm_password(user: &User, password: &str, field: &str) -> Result<()> {
    if passwords::verify(password, Some(&user.password_hash)).await? == Verdict::Wrong {
        return Err(Problem::invalid(field, "wrong", "This is not your current password.").into());
    }
    Ok(())
}

async fn owner(conn: &mut PgConnection, user: Option<UserId>) -> Result<User> {
    let user = user.ok_or_else(|| anyhow::anyhow!("a link that sets a password is stored without its account"))?;
    Ok(users::get(conn, user).await?.ok_or_else(|| Problem::not_found("account"))?)
}

async fn tell_of_change(platform: &Platform, conn: &mut PgConnection, user: &User) -> Result<()> {
    let email = Email::parse(&user.email).map_err(anyhow::Error::from)?;
    mail::send(platform, conn, &email, &words::password_changed(platform)).await
}

/// Stores another password, ends all that the account is signed in with, and voids what was asked for with the old one.
pub(super) async fn replace_password(conn: &mut PgConnection, user: UserId, hash: &str) -> Result<()> {
    users::set_password(conn, user, hash).await?;
    refresh_tokens::revoke_of_user(conn, user).await?;
    sessions::delete_of_user(conn, user).await?;
    sessions::tell_of_end(conn, user).await?;
    account_links::void_of_user(conn, user, &[links::RESET, links::EMAIL]).await?;
    Ok(())
}

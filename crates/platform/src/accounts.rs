//! Accounts: signing in, and who may do what; each further concern has a file of its own.

mod agent;
mod delete;
mod email;
pub(crate) mod invited;
mod links;
mod password;
mod register;
pub mod sessions;
mod words;

pub use agent::kept as kept_agent;
pub use delete::{DeleteAccount, delete, deletion};
pub(crate) use email::note_verified;
pub use email::{confirm_link, look_at_link, request_email_change, send_verification};
pub use password::{change_password, confirm_reset, look_at_reset, request_reset, reset_password};
pub use register::{
    Registered, Registration, SignedUp, SignupState, create_user, ensure_setup_token, promote, register, sign_up,
    signup_state,
};
pub(crate) use register::{insert_without_password, signup_closed};

use crate::{
    Platform, Result, access,
    audit::{self, Entry},
};
use model::{Actor, Problem, UserId, names::DisplayName, views::UserView};
use serde_json::json;
use store::{
    account_links, refresh_tokens, teams as team_rows,
    users::{self, User},
};

/// The key under which a browser session holds the account's id ([`UserId`]).
pub const SESSION_USER: &str = store::sessions::USER;

/// Removes what has expired: sessions, tokens, links, mails that were sent, and teams that nobody is in any more.
/// Answers how many there were.
///
/// # Errors
/// The database's.
pub async fn sweep(platform: &Platform) -> Result<u64> {
    let mut conn = platform.pool.acquire().await?;
    let mut count = store::sessions::delete_expired(&mut conn).await?;
    count += refresh_tokens::delete_expired(&mut conn).await?;
    count += account_links::delete_expired(&mut conn).await?;
    count += store::mails::delete_old(&mut conn).await?;
    let abandoned = team_rows::abandoned(&mut conn).await?;
    count += team_rows::delete_empty(&mut conn, &abandoned).await?;
    Ok(count)
}

/// The actor for a signed-in account; `None` if the account is gone.
pub async fn actor(platform: &Platform, user: UserId) -> Result<Option<Actor>> {
    let mut conn = platform.pool.acquire().await?;
    let Some(account) = users::get(&mut conn, user).await? else { return Ok(None) };
    let memberships = team_rows::of_user(&mut conn, user).await?;
    Ok(Some(Actor {
        user: Some(user),
        memberships: memberships.into_iter().map(|m| (m.team.id, m.role)).collect(),
        is_admin: account.is_admin,
        ..Actor::nobody()
    }))
}

/// The caller's own account.
pub async fn me(platform: &Platform, actor: &Actor) -> Result<UserView> {
    Ok(view(own_account(platform, actor).await?))
}

/// Gives the caller's account another name; its teams keep theirs.
///
/// # Errors
/// 422 for the field `name`.
pub async fn rename(platform: &Platform, actor: &Actor, name: &str) -> Result<UserView> {
    access::in_person(actor)?;
    let user = actor.user.ok_or_else(Problem::unauthenticated)?;
    let name = DisplayName::parse(name).map_err(|e| Problem::invalid("name", e.code, e.message))?;
    let mut tx = platform.pool.begin().await?;
    let before = users::get(&mut tx, user).await?.ok_or_else(Problem::unauthenticated)?;
    let renamed = users::rename(&mut tx, user, name.as_str()).await?.ok_or_else(Problem::unauthenticated)?;
    let change = Entry::new("account.rename", user, &renamed.email);
    audit::record(&mut tx, actor, change.change(json!({"name": before.name}), json!({"name": renamed.name}))).await?;
    tx.commit().await?;
    Ok(view(renamed))
}

pub(crate) async fn own_account(platform: &Platform, actor: &Actor) -> Result<User> {
    let user = actor.user.ok_or_else(Problem::unauthenticated)?;
    let mut conn = platform.pool.acquire().await?;
    Ok(users::get(&mut conn, user).await?.ok_or_else(Problem::unauthenticated)?)
}

pub(crate) fn view(user: User) -> UserView {
    UserView {
        id: user.id,
        email: user.email,
        name: user.name,
        email_verified: user.email_verified_at.is_some(),
        is_admin: user.is_admin,
        created_at: user.created_at,
    }
}

#[cfg(test)]
mod tests;

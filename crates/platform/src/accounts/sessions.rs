//! What an account is signed in with: browsers by a cookie, programs by the tokens of a sign-in.

use super::agent;
use crate::{
    Platform, Result, access,
    audit::{self, Entry},
};
use model::{
    Actor, Problem, SessionId,
    views::{SessionKind, SessionView},
};
use serde_json::json;
use sha2::{Digest, Sha256};
use store::{
    refresh_tokens::{self, SignInRow},
    sessions::{self, SessionRow},
    users,
};
use time::OffsetDateTime;

/// What asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Current {
    /// The browser with this session ([`key`]).
    Browser(String),
    /// The program of this sign-in.
    Program(SessionId),
    /// It cannot be told.
    Unknown,
}

/// Under what a session is stored whose cookie has this value: worth nothing to who reads it there.
pub fn key(cookie: &str) -> String {
    hex::encode(Sha256::digest(cookie.as_bytes()))
}

/// What the caller's account is signed in with: what asks, then the others, those last seen first.
///
/// # Errors
/// 403 `token_not_allowed`.
pub async fn list(platform: &Platform, actor: &Actor, current: &Current) -> Result<Vec<SessionView>> {
    access::in_person(actor)?;
    let user = actor.user.ok_or_else(Problem::unauthenticated)?;
    let mut conn = platform.pool.acquire().await?;
    let browsers = sessions::of_user(&mut conn, user).await?.into_iter().map(|row| of_browser(row, current));
    let programs = refresh_tokens::of_user(&mut conn, user).await?.into_iter().map(|row| of_program(row, current));
    let mut all: Vec<_> = browsers.chain(programs).collect();
    all.sort_by_key(|it| (it.current, it.seen_at.unwrap_or(it.begun_at)));
    all.reverse();
    Ok(all)
}

/// Ends one of them.
///
/// # Errors
/// 404; 403 `token_not_allowed`.
pub async fn revoke(platform: &Platform, actor: &Actor, id: SessionId) -> Result<()> {
    access::in_person(actor)?;
    let user = actor.user.ok_or_else(Problem::unauthenticated)?;
    let mut tx = platform.pool.begin().await?;
    // A pair of tokens that is just being made is seen.
    users::lock(&mut tx, user).await?;
    let browser = sessions::of_user(&mut tx, user).await?.into_iter().find(|row| row.id == id);
    let name = if let Some(row) = browser {
        sessions::delete(&mut tx, &row.key).await?;
        agent::name(row.agent.as_deref())
    } else {
        let programs = refresh_tokens::of_user(&mut tx, user).await?;
        let row = programs.into_iter().find(|row| row.family == id.0).ok_or_else(|| Problem::not_found("session"))?;
        refresh_tokens::revoke_family(&mut tx, row.family).await?;
        agent::name(row.agent.as_deref())
    };
    sessions::tell_of_end(&mut tx, user).await?;
    audit::record(&mut tx, actor, Entry::new("session.revoke", id, &name)).await?;
    tx.commit().await?;
    Ok(())
}

/// Ends all of them but what asks; answers how many there were.
///
/// # Errors
/// 403 `token_not_allowed`.
pub async fn revoke_others(platform: &Platform, actor: &Actor, current: &Current) -> Result<u64> {
    access::in_person(actor)?;
    let user = actor.user.ok_or_else(Problem::unauthenticated)?;
    let (browser, program) = match current {
        Current::Browser(key) => (Some(key.as_str()), None),
        Current::Program(id) => (None, Some(id.0)),
        Current::Unknown => (None, None),
    };
    let mut tx = platform.pool.begin().await?;
    users::lock(&mut tx, user).await?;
    let browsers = sessions::delete_others(&mut tx, user, browser).await?;
    let programs = refresh_tokens::revoke_others(&mut tx, user, program).await?;
    let count = browsers + u64::try_from(programs).unwrap_or_default();
    sessions::tell_of_end(&mut tx, user).await?;
    let entry = Entry::new("session.revoke_others", user, "all others").change(None, json!({"count": count}));
    audit::record(&mut tx, actor, entry).await?;
    tx.commit().await?;
    Ok(count)
}

fn of_browser(row: SessionRow, current: &Current) -> SessionView {
    SessionView {
        id: row.id,
        kind: SessionKind::Browser,
        client: agent::name(row.agent.as_deref()),
        address: row.address,
        begun_at: row.begun_at,
        // Noted to the hour, it may lie before the beginning.
        seen_at: row.seen_at.map(|at| at.max(row.begun_at)),
        current: *current == Current::Browser(row.key),
    }
}

fn of_program(row: SignInRow, current: &Current) -> SessionView {
    let id = SessionId(row.family);
    let begun = row.family.get_timestamp().and_then(|at| i64::try_from(at.to_unix().0).ok());
    SessionView {
        id,
        kind: SessionKind::Program,
        client: agent::name(row.agent.as_deref()),
        address: row.address,
        begun_at: begun.and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok()).unwrap_or(row.seen_at),
        seen_at: Some(row.seen_at),
        current: *current == Current::Program(id),
    }
}

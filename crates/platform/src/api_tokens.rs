//! Tokens that programs sign in with: for a team or one site of it, for some of what their owner may do, until a day.

use crate::{Error, Platform, Result, access, audit, audit::Entry, vault};
use model::{
    Actor, FieldError, Grant, Origin, Problem, Scope, SiteId, TeamId, TokenId, UserId,
    names::DisplayName,
    views::{NewTokenView, TeamView, TokenView},
};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use store::api_tokens::{self, ApiTokenRow, NewApiToken, PresentedRow};
use time::OffsetDateTime;
use utoipa::ToSchema;

/// What a token begins with, so that scanners for leaked secrets and people know it.
pub const PREFIX: &str = "wmt_";
/// So many an account may have.
const MOST: i64 = 50;
/// What a token is sealed as until it is shown.
const WRAPPED: &str = "sessions/fresh_token";
/// So many of its characters are shown again.
const SHOWN: usize = 4;

/// What is asked for.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What it is for.
    pub name: String,
    /// What it may do.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Its team; without one, the caller's first.
    #[serde(default)]
    pub team_id: Option<TeamId>,
    /// The one site it is for.
    #[serde(default)]
    pub site_id: Option<SiteId>,
    /// Until; without it, for ever.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub expires_at: Option<OffsetDateTime>,
}

/// Makes a token, and shows it this once.
///
/// # Errors
/// 403 `token_not_allowed` for a caller with a token; 404 for a team or site it may not know of; 422 for the fields
/// `name`, `scopes` and `expires_at`; 409 `too_many_tokens`; 429.
pub async fn create(platform: &Platform, actor: &Actor, new: NewToken) -> Result<NewTokenView> {
    let user = owner(actor)?;
    platform.throttle.make_token(user)?;
    let (name, scopes) = checked(actor, &new)?;
    let mut tx = platform.pool.begin().await?;
    let team = match (new.site_id, new.team_id) {
        (Some(site), team) => {
            let site = access::site(&mut tx, actor, site).await?;
            if team.is_some_and(|team| team != site.team_id) {
                return Err(Problem::invalid("site_id", "other_team", "This site belongs to another team.").into());
            }
            site.team_id
        }
        (None, Some(team)) => {
            actor.role_in(team).ok_or_else(|| Problem::not_found("team"))?;
            team
        }
        (None, None) => actor.teams().first().copied().ok_or_else(|| Problem::not_found("team"))?,
    };
    // One after the other for each account, so that the count holds.
    store::users::lock(&mut tx, user).await?;
    let token = format!("{PREFIX}{}", vault::random_secret());
    let words: Vec<String> = scopes.iter().map(|scope| scope.as_str().to_owned()).collect();
    let id = TokenId::new();
    let row = NewApiToken {
        id,
        team,
        user,
        site: new.site_id,
        name: name.as_str(),
        scopes: &words,
        hash: &digest(&token),
        ends_with: &token[token.len() - SHOWN..],
        expires_at: new.expires_at,
    };
    if !api_tokens::insert(&mut tx, &row, MOST).await? {
        let words = format!("An account has at most {MOST} tokens; remove one that is not used.");
        return Err(Problem::conflict("too_many_tokens", words).into());
    }
    let rows = api_tokens::of_user(&mut tx, user).await?;
    let row = rows.into_iter().find(|row| row.id == id).ok_or_else(|| Problem::not_found("token"))?;
    let entry = Entry::new("token.create", id, &row.name).of(team).change(None, told(&row));
    audit::record(&mut tx, actor, entry).await?;
    tx.commit().await?;
    tracing::info!(token = %id, %user, scopes = words.join(" "), "an API token was made");
    Ok(NewTokenView { token, view: view(actor, row) })
}

/// The caller's tokens, newest first.
///
/// # Errors
/// 403 `token_not_allowed` for a caller with a token.
pub async fn list(platform: &Platform, actor: &Actor) -> Result<Vec<TokenView>> {
    let user = owner(actor)?;
    let mut conn = platform.pool.acquire().await?;
    let rows = api_tokens::of_user(&mut conn, user).await?;
    Ok(rows.into_iter().map(|row| view(actor, row)).collect())
}

/// Forgets a token of the caller's: from now on it opens nothing.
///
/// # Errors
/// 404; 403 `token_not_allowed` for a caller with a token.
pub async fn delete(platform: &Platform, actor: &Actor, id: TokenId) -> Result<()> {
    let user = owner(actor)?;
    let mut tx = platform.pool.begin().await?;
    let row = api_tokens::of_user(&mut tx, user).await?.into_iter().find(|row| row.id == id);
    let row = row.ok_or_else(|| Problem::not_found("token"))?;
    if !api_tokens::delete(&mut tx, user, id).await? {
        return Err(Problem::not_found("token").into());
    }
    let entry = Entry::new("token.delete", id, &row.name).of(row.team_id).change(told(&row), None);
    audit::record(&mut tx, actor, entry).await?;
    tx.commit().await?;
    tracing::info!(token = %id, %user, "an API token was removed");
    Ok(())
}

/// The caller that a token stands for; `None` if it is none of ours, its time is over, or its owner left the team.
///
/// # Errors
/// The database's.
pub async fn actor(platform: &Platform, token: &str) -> Result<Option<Actor>> {
    let Some(row) = presented(platform, token).await? else { return Ok(None) };
    let Some(role) = row.role() else { return Ok(None) };
    Ok(Some(Actor {
        user: Some(row.user_id),
        memberships: vec![(row.team_id, role)],
        // What administrators alone may do is in no scope but the metrics.
        is_admin: false,
        grant: Some(Grant { scopes: scopes(&row.scopes), site: row.site_id }),
        origin: Origin { token: Some(row.id), ..Origin::default() },
    }))
}

/// Whether a token is good for reading the platform's metrics: it has that scope, and its owner is an administrator.
///
/// # Errors
/// The database's.
pub async fn may_read_metrics(platform: &Platform, token: &str) -> Result<bool> {
    let found = presented(platform, token).await?;
    Ok(found.is_some_and(|row| row.is_admin && scopes(&row.scopes).contains(&Scope::Metrics)))
}

async fn presented(platform: &Platform, token: &str) -> Result<Option<PresentedRow>> {
    if !token.starts_with(PREFIX) {
        return Ok(None);
    }
    let mut tx = platform.pool.begin().await?;
    store::without_waiting_for_the_disk(&mut tx).await?;
    let Some(row) = api_tokens::presented(&mut tx, &digest(token)).await? else { return Ok(None) };
    api_tokens::note_use(&mut tx, row.id).await?;
    tx.commit().await?;
    Ok(Some(row))
}

/// Seals a token for the moment until it is shown; nobody reads it in what is stored meanwhile.
///
/// # Errors
/// Only if sealing fails.
pub fn wrap(platform: &Platform, token: &str) -> Result<String> {
    Ok(hex::encode(platform.vault.seal(WRAPPED, token.as_bytes())?))
}

/// Opens what [`wrap`] sealed; `None` for anything else.
pub fn unwrap(platform: &Platform, sealed: &str) -> Option<String> {
    let token = platform.vault.open(WRAPPED, &hex::decode(sealed).ok()?).ok()?;
    String::from_utf8(token).ok()
}

/// Whose tokens these are: a token makes, shows and removes none.
fn owner(actor: &Actor) -> Result<UserId> {
    access::in_person(actor)?;
    Ok(actor.user.ok_or_else(Problem::unauthenticated)?)
}

fn checked(actor: &Actor, new: &NewToken) -> Result<(DisplayName, Vec<Scope>)> {
    let mut errors = Vec::new();
    let mut keep = |field: &str, code: &str, message: String| {
        errors.push(FieldError { field: field.to_owned(), code: code.to_owned(), message });
    };
    let name = DisplayName::parse(&new.name).map_err(|e| keep("name", e.code, e.message)).ok();
    let mut scopes: Vec<Scope> = Vec::new();
    for word in &new.scopes {
        match Scope::from_word(word) {
            Some(Scope::Metrics) if !actor.is_admin => {
                keep("scopes", "forbidden", "Only administrators of the platform read its metrics.".to_owned());
            }
            Some(Scope::AuditRead) if !actor.memberships.iter().any(|(_, role)| role.may_administer()) => {
                keep("scopes", "forbidden", "Only a team's owner and administrators read its audit.".to_owned());
            }
            Some(scope) => scopes.push(scope),
            None => {
                let all = Scope::ALL.map(Scope::as_str).join(", ");
                keep("scopes", "unknown", format!("“{}” is no scope; there are {all}.", word.escape_debug()));
            }
        }
    }
    scopes.sort_unstable();
    scopes.dedup();
    if new.scopes.is_empty() {
        keep("scopes", "required", "Choose at least one thing that the token may do.".to_owned());
    }
    if new.expires_at.is_some_and(|at| at <= OffsetDateTime::now_utc()) {
        keep("expires_at", "past", "The last day must be to come.".to_owned());
    }
    match name {
        Some(name) if errors.is_empty() => Ok((name, scopes)),
        _ => {
            let detail = errors.first().map(|error| error.message.clone()).unwrap_or_default();
            Err(Error::Problem(Problem { errors, ..Problem::new(422, "invalid_input", detail) }))
        }
    }
}

/// How far a token goes, as the audit tells of it.
fn told(row: &ApiTokenRow) -> Value {
    let until = row.expires_at.map(|at| at.date().to_string());
    json!({ "scopes": row.scopes, "site_id": row.site_id, "site": row.site_name, "until": until })
}

fn scopes(words: &[String]) -> Vec<Scope> {
    words.iter().filter_map(|word| Scope::from_word(word)).collect()
}

fn view(actor: &Actor, row: ApiTokenRow) -> TokenView {
    let role = actor.role_in(row.team_id);
    TokenView {
        id: row.id,
        name: row.name,
        team: TeamView { id: row.team_id, slug: row.team_slug, name: row.team_name, role },
        site_id: row.site_id,
        site_name: row.site_name,
        scopes: scopes(&row.scopes),
        ends_with: row.ends_with,
        created_at: row.created_at,
        expires_at: row.expires_at,
        last_used_at: row.last_used_at,
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests;

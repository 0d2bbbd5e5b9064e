//! Reading the audit: a team's for its owners and administrators, an account's own for itself, all of it for
//! administrators of the platform.

use crate::{Platform, Result, access};
use model::{
    Actor, FieldError, Problem, Role, Scope, TeamId, UserId,
    names::Email,
    views::{AuditActor, AuditFilter, AuditTarget, AuditToken, AuditView, Page},
};
use sqlx::PgConnection;
use store::audit::{self, AuditRow, By, Done, Filter};
use time::{Date, Duration, OffsetDateTime, Time, format_description::well_known::Rfc3339, macros::format_description};

/// Whose entries are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// This team's.
    Team(TeamId),
    /// The caller's own; with an API token, its team's.
    Own,
    /// All of the installation.
    Everybody,
}

/// Entries, newest first.
///
/// # Errors
/// 404 for a team that the caller may not know of; 403 for who is neither its owner nor its administrator, for a token
/// without the scope `audit:read`, and, asked for everybody's, for who is no administrator of the platform; 422 for the
/// filters' fields and a cursor that is none.
pub async fn list(
    platform: &Platform,
    actor: &Actor,
    whose: Whose,
    filter: AuditFilter,
    limit: i64,
    cursor: Option<&str>,
) -> Result<Page<AuditView>> {
    let whose = allowed(actor, whose)?;
    let before = cursor.map(str::parse).transpose().map_err(|_| access::bad_cursor())?;
    let mut conn = platform.pool.acquire().await?;
    let filter = parsed(&mut conn, filter.trimmed()).await?;
    let mut rows = audit::list(&mut conn, whose, &filter, before, limit + 1).await?;
    let more = i64::try_from(rows.len()).unwrap_or(i64::MAX) > limit;
    rows.truncate(usize::try_from(limit).unwrap_or_default());
    let next_cursor = rows.last().filter(|_| more).map(|row| row.id.to_string());
    Ok(Page { items: rows.into_iter().map(view).collect(), next_cursor })
}

fn allowed(actor: &Actor, whose: Whose) -> Result<audit::Whose> {
    let is_platform_admin = actor.is_admin && actor.grant.is_none();
    match whose {
        Whose::Everybody if is_platform_admin => Ok(audit::Whose::Everybody),
        Whose::Everybody => Err(Problem::forbidden().into()),
        Whose::Team(team) if is_platform_admin => Ok(audit::Whose::Team(team)),
        Whose::Team(team) => of_team(actor, team),
        // A token is for a team's affairs, and shows nothing of what its owner does elsewhere.
        Whose::Own if actor.grant.is_some() => {
            let team = actor.teams().first().copied().ok_or_else(|| Problem::not_found("team"))?;
            of_team(actor, team)
        }
        Whose::Own => Ok(audit::Whose::Account(actor.user.ok_or_else(Problem::unauthenticated)?)),
    }
}

fn of_team(actor: &Actor, team: TeamId) -> Result<audit::Whose> {
    let role = actor.role_in(team).ok_or_else(|| Problem::not_found("team"))?;
    access::allows(actor, Scope::AuditRead)?;
    if actor.only_site().is_some() {
        let detail = "This token is for one site; a team's audit takes one for the whole team.";
        return Err(Problem::new(403, "insufficient_scope", detail).into());
    }
    if !Role::may_administer(role) {
        return Err(Problem::forbidden().into());
    }
    Ok(audit::Whose::Team(team))
}

/// The filters, each told by its field where it is wrong.
async fn parsed(conn: &mut PgConnection, raw: AuditFilter) -> Result<Filter> {
    let mut wrong = Vec::new();
    let mut keep = |field: &str, message: &str| {
        wrong.push(FieldError { field: field.into(), code: "unreadable".into(), message: message.into() });
    };
    let time_words = "A day such as 2026-11-28, or a time such as 2026-11-28T09:30:00Z.";
    let from = raw.from.as_deref().map(|text| moment(text, Edge::Begin));
    let until = raw.until.as_deref().map(|text| moment(text, Edge::End));
    let done = raw.action.as_deref().map(done);
    for (field, is_wrong) in [("from", from == Some(None)), ("until", until == Some(None))] {
        if is_wrong {
            keep(field, time_words);
        }
    }
    if done == Some(None) {
        keep("action", "An action such as site.create, or a kind of thing such as site.");
    }
    if let Some(first) = wrong.first() {
        let detail = first.message.clone();
        return Err(Problem { errors: wrong, ..Problem::new(422, "invalid_input", detail) }.into());
    }
    let by = match raw.actor {
        Some(text) => Some(by(conn, text).await?),
        None => None,
    };
    Ok(Filter { by, done: done.flatten(), target: raw.target, from: from.flatten(), until: until.flatten() })
}

/// An account by its id or its address of now, or whoever had this name then.
async fn by(conn: &mut PgConnection, text: String) -> Result<By> {
    if let Ok(id) = text.parse::<UserId>() {
        return Ok(By::Account(id));
    }
    let account = match Email::parse(&text) {
        Ok(email) => store::users::find_by_email(conn, email.as_str()).await?,
        Err(_) => None,
    };
    Ok(account.map_or(By::Name(text), |account| By::Account(account.id)))
}

fn done(text: &str) -> Option<Done> {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    match text.strip_suffix('.').unwrap_or(text).split_once('.') {
        None => {
            let kind = text.strip_suffix('.').unwrap_or(text);
            is_word(kind).then(|| Done::Kind(kind.to_owned()))
        }
        Some((kind, verb)) => (is_word(kind) && is_word(verb)).then(|| Done::Action(text.to_owned())),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Edge {
    Begin,
    End,
}

/// A time, or the begin of a day or of the one after it.
fn moment(text: &str, edge: Edge) -> Option<OffsetDateTime> {
    if let Ok(at) = OffsetDateTime::parse(text, &Rfc3339) {
        return Some(at);
    }
    let day = Date::parse(text, format_description!("[year]-[month]-[day]")).ok()?;
    // Beyond these the database has no time.
    let day = if (1..9999).contains(&day.year()) { day } else { return None };
    let begin = day.with_time(Time::MIDNIGHT).assume_utc();
    Some(if edge == Edge::End { begin + Duration::DAY } else { begin })
}

fn view(row: AuditRow) -> AuditView {
    AuditView {
        id: row.id,
        at: row.at,
        team_id: row.team_id,
        actor: AuditActor { id: row.actor_id, name: row.actor_name },
        action: row.action,
        target: AuditTarget { kind: row.target_kind, id: row.target_id, name: row.target_name },
        before: row.before,
        after: row.after,
        address: row.address.and_then(|address| address.parse().ok()),
        token: row.token_id.map(|id| AuditToken { id, name: row.token_name }),
    }
}

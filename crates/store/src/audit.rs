//! The audit: who did what. Rows are added and read, never changed.

use model::{AuditId, TeamId, TokenId, UserId};
use serde_json::Value;
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use std::net::IpAddr;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// An entry to add.
#[derive(Debug, Clone)]
pub struct NewEntry<'a> {
    /// The team whose affair it is; `None`: the platform's, or an account's own.
    pub team: Option<TeamId>,
    /// Who; `None`: the platform itself.
    pub actor: Option<UserId>,
    /// What was done: `site.create`.
    pub action: &'a str,
    /// What kind of thing it was done to: `site`.
    pub target_kind: &'a str,
    /// Which one.
    pub target_id: &'a str,
    /// Its name at that time.
    pub target_name: &'a str,
    /// How it was.
    pub before: Option<&'a Value>,
    /// How it is.
    pub after: Option<&'a Value>,
    /// Where the request came from.
    pub address: Option<IpAddr>,
    /// The API token it came with.
    pub token: Option<TokenId>,
}

/// Adds an entry; the actor's address as a name is looked up and kept with it.
pub async fn insert(conn: &mut PgConnection, new: &NewEntry<'_>) -> sqlx::Result<AuditId> {
    sqlx::query_scalar(
        "insert into audit_entries (id, team_id, actor_id, actor_name, action, target_kind, target_id, target_name,
                                    before, after, address, token_id)
         values ($1, $2, $3, coalesce((select email from users where id = $3), 'WebMeteor'), $4, $5, $6, $7, $8, $9,
                 $10::inet, $11)
         returning id",
    )
    .bind(AuditId::new())
    .bind(new.team)
    .bind(new.actor)
    .bind(new.action)
    .bind(new.target_kind)
    .bind(new.target_id)
    .bind(new.target_name)
    .bind(new.before)
    .bind(new.after)
    .bind(new.address.map(|address| address.to_string()))
    .bind(new.token)
    .fetch_one(conn)
    .await
}

/// An entry as it is stored, with the name of its token.
#[derive(Debug, Clone, FromRow)]
pub struct AuditRow {
    /// Id.
    pub id: AuditId,
    /// When.
    pub at: OffsetDateTime,
    /// The team whose affair it is.
    pub team_id: Option<TeamId>,
    /// Who.
    pub actor_id: Option<UserId>,
    /// Who, as a name.
    pub actor_name: String,
    /// What was done.
    pub action: String,
    /// What kind of thing it was done to.
    pub target_kind: String,
    /// Which one.
    pub target_id: String,
    /// Its name at that time.
    pub target_name: String,
    /// How it was.
    pub before: Option<Value>,
    /// How it is.
    pub after: Option<Value>,
    /// Where the request came from.
    pub address: Option<String>,
    /// The API token it came with.
    pub token_id: Option<TokenId>,
    /// That token's name, if there still is one.
    pub token_name: Option<String>,
}

/// Whose entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// This team's.
    Team(TeamId),
    /// What this account did, and what concerns it and no team.
    Account(UserId),
    /// All of the installation.
    Everybody,
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// This account.
    Account(UserId),
    /// Whoever had this name then.
    Name(String),
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// Exactly this.
    Action(String),
    /// Anything to things of this kind, of letters and underscores.
    Kind(String),
}

/// Which entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Who.
    pub by: Option<By>,
    /// What.
    pub done: Option<Done>,
    /// To the thing of this id, or of this name then.
    pub target: Option<String>,
    /// From then on.
    pub from: Option<OffsetDateTime>,
    /// Before then.
    pub until: Option<OffsetDateTime>,
}

/// Ids begin with the time they were made at, by another clock and a little earlier than the entry's own time: so much
/// apart they are at most.
const CLOCKS: Duration = Duration::DAY;

/// The first id that may have been made at this time (RFC 9562, section 5.7: 48 bits of milliseconds come first).
fn first_id(at: OffsetDateTime) -> Uuid {
    let millis = u128::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
    Uuid::from_u128((millis & 0xffff_ffff_ffff) << 80)
}

/// Entries before this one, newest first. They are found by their ids in the order of an index, however many there are.
pub async fn list(
    conn: &mut PgConnection,
    whose: Whose,
    filter: &Filter,
    before: Option<AuditId>,
    limit: i64,
) -> sqlx::Result<Vec<AuditRow>> {
    let mut sql = QueryBuilder::new("");
    select(&mut sql, whose, filter, before, limit);
    sql.build_query_as().fetch_all(conn).await
}

fn select(sql: &mut QueryBuilder<Postgres>, whose: Whose, filter: &Filter, before: Option<AuditId>, limit: i64) {
    sql.push(
        "select e.id, e.at, e.team_id, e.actor_id, e.actor_name, e.action, e.target_kind, e.target_id, e.target_name, \
         e.before, e.after, host(e.address) as address, e.token_id, t.name as token_name \
         from audit_entries e left join api_tokens t on t.id = e.token_id where ",
    );
    match whose {
        Whose::Team(team) => {
            sql.push("e.team_id = ").push_bind(team);
            narrow(sql, filter, before);
        }
        Whose::Everybody => {
            sql.push("true");
            narrow(sql, filter, before);
        }
        // Each half in the order of its own index.
        Whose::Account(user) => {
            sql.push("e.id in ((select e.id from audit_entries e where e.actor_id = ").push_bind(user);
            narrow(sql, filter, before);
            sql.push(" order by e.id desc limit ").push_bind(limit);
            sql.push(") union (select e.id from audit_entries e where e.team_id is null and e.target_id = ");
            sql.push_bind(user.to_string());
            narrow(sql, filter, before);
            sql.push(" order by e.id desc limit ").push_bind(limit).push("))");
        }
    }
    sql.push(" order by e.id desc limit ").push_bind(limit);
}

fn narrow(sql: &mut QueryBuilder<Postgres>, filter: &Filter, before: Option<AuditId>) {
    match &filter.by {
        Some(By::Account(user)) => _ = sql.push(" and e.actor_id = ").push_bind(*user),
        Some(By::Name(name)) => _ = sql.push(" and e.actor_name = ").push_bind(name.clone()),
        None => {}
    }
    match &filter.done {
        Some(Done::Action(action)) => _ = sql.push(" and e.action = ").push_bind(action.clone()),
        Some(Done::Kind(kind)) => {
            let pattern = format!("{}.%", kind.replace('_', "\\_"));
            sql.push(" and e.action like ").push_bind(pattern);
        }
        None => {}
    }
    if let Some(target) = &filter.target {
        sql.push(" and (e.target_id = ").push_bind(target.clone());
        sql.push(" or e.target_name = ").push_bind(target.clone()).push(")");
    }
    if let Some(from) = filter.from {
        sql.push(" and e.at >= ").push_bind(from).push(" and e.id >= ").push_bind(first_id(from - CLOCKS));
    }
    if let Some(until) = filter.until {
        sql.push(" and e.at < ").push_bind(until).push(" and e.id < ").push_bind(first_id(until + CLOCKS));
    }
    if let Some(before) = before {
        sql.push(" and e.id < ").push_bind(before);
    }
}

#[cfg(test)]
mod tests;

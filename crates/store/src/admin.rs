//! For administrators of the platform: what belongs to all teams.

use model::{SiteId, TeamId};
use sqlx::{FromRow, PgConnection, Result};
use time::OffsetDateTime;

/// The installation in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct Numbers {
    /// Accounts.
    pub accounts: i64,
    /// Teams.
    pub teams: i64,
    /// Sites.
    pub sites: i64,
    /// Environments.
    pub environments: i64,
    /// Deployments that wait.
    pub waiting: i64,
    /// Deployments at work.
    pub running: i64,
    /// Deployments asked for within 24 hours.
    pub deployments: i64,
    /// Those of them that failed.
    pub failed: i64,
}

/// Counts everything.
pub async fn numbers(conn: &mut PgConnection) -> Result<Numbers> {
    sqlx::query_as(
        "select (select count(*) from users) as accounts, (select count(*) from teams) as teams, \
             (select count(*) from sites) as sites, (select count(*) from environments) as environments, \
             count(*) filter (where status = 'queued') as waiting, \
             count(*) filter (where status in ('fetching', 'building', 'starting', 'verifying', 'switching')) as running, \
             count(*) filter (where created_at > now() - interval '24 hours') as deployments, \
             count(*) filter (where created_at > now() - interval '24 hours' and status = 'failed') as failed \
         from deployments",
    )
    .fetch_one(conn)
    .await
}

/// A team.
#[derive(Debug, Clone, FromRow)]
pub struct TeamRow {
    /// Id.
    pub id: TeamId,
    /// Its short name.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Since.
    pub created_at: OffsetDateTime,
}

/// All teams, newest first, those older than `before`.
pub async fn teams(conn: &mut PgConnection, before: Option<TeamId>, limit: i64) -> Result<Vec<TeamRow>> {
    sqlx::query_as(
        "select id, slug, name, created_at from teams where $1::uuid is null or id < $1 order by id desc limit $2",
    )
    .bind(before)
    .bind(limit)
    .fetch_all(conn)
    .await
}

/// One team.
pub async fn team(conn: &mut PgConnection, id: TeamId) -> Result<Option<TeamRow>> {
    sqlx::query_as("select id, slug, name, created_at from teams where id = $1").bind(id).fetch_optional(conn).await
}

/// A site, without anything that is secret.
#[derive(Debug, Clone, FromRow)]
pub struct SiteRow {
    /// Id.
    pub id: SiteId,
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Owner.
    pub team_id: TeamId,
    /// The owner's name.
    pub team_name: String,
    /// Its removal was asked for.
    pub is_going: bool,
    /// A release serves in production.
    pub serves: bool,
    /// Since.
    pub created_at: OffsetDateTime,
}

/// The sites of all teams, newest first, those older than `before`.
pub async fn sites(conn: &mut PgConnection, before: Option<SiteId>, limit: i64) -> Result<Vec<SiteRow>> {
    sqlx::query_as(
        "select s.id, s.slug, s.name, s.team_id, t.name as team_name, s.deleting_at is not null as is_going, \
             coalesce(e.current_release is not null, false) as serves, s.created_at \
         from sites s join teams t on t.id = s.team_id \
             left join environments e on e.site_id = s.id and e.name = 'production' \
         where $1::uuid is null or s.id < $1 order by s.id desc limit $2",
    )
    .bind(before)
    .bind(limit)
    .fetch_all(conn)
    .await
}

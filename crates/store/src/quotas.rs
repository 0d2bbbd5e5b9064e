//! What teams may use, and what they use.

use crate::deployments::Word;
use model::{DeploymentId, EnvironmentId, SiteId, TeamId, UserId, views::Quota};
use sqlx::{FromRow, PgConnection, Result};
use time::OffsetDateTime;

impl TryFrom<String> for Word<Quota> {
    type Error = String;
    fn try_from(word: String) -> std::result::Result<Self, String> {
        Quota::from_word(&word).map(Self).ok_or_else(|| format!("unknown word {word:?} in the database"))
    }
}

#[derive(FromRow)]
struct OwnRow {
    #[sqlx(try_from = "String")]
    quota: Word<Quota>,
    most: Option<i64>,
}

/// Holds what a team is allowed until the transaction ends: of two that ask at once, the second sees what the first got.
pub async fn lock(conn: &mut PgConnection, team: TeamId) -> Result<()> {
    sqlx::query("select pg_advisory_xact_lock(hashtext('webmeteor.quotas'), hashtext($1::text))")
        .bind(team)
        .execute(conn)
        .await?;
    Ok(())
}

/// What was set for this team alone: `None` in the pair is no limit.
pub async fn own(conn: &mut PgConnection, team: TeamId) -> Result<Vec<(Quota, Option<i64>)>> {
    let rows: Vec<OwnRow> =
        sqlx::query_as("select quota, most from team_quotas where team_id = $1").bind(team).fetch_all(conn).await?;
    Ok(rows.into_iter().map(|row| (row.quota.0, row.most)).collect())
}

/// Sets a quota for this team alone.
pub async fn set(
    conn: &mut PgConnection,
    team: TeamId,
    quota: Quota,
    most: Option<i64>,
    by: Option<UserId>,
) -> Result<()> {
    sqlx::query(
        "insert into team_quotas (team_id, quota, most, set_by) values ($1, $2, $3, $4) \
         on conflict (team_id, quota) do update set most = excluded.most, set_by = excluded.set_by, set_at = now()",
    )
    .bind(team)
    .bind(quota.as_str())
    .bind(most)
    .bind(by)
    .execute(conn)
    .await?;
    Ok(())
}

/// The installation's quota holds for the team again.
pub async fn unset(conn: &mut PgConnection, team: TeamId, quota: Quota) -> Result<()> {
    sqlx::query("delete from team_quotas where team_id = $1 and quota = $2")
        .bind(team)
        .bind(quota.as_str())
        .execute(conn)
        .await?;
    Ok(())
}

/// What a team uses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, FromRow)]
pub struct Used {
    /// Sites that are not being removed.
    pub sites: i64,
    /// Bytes of memory of what runs, or is about to.
    pub memory: i64,
    /// Thousandths of a CPU of the same.
    pub cpu: i64,
    /// Bytes of disk, when it was measured last.
    pub disk: i64,
    /// When that was.
    pub disk_measured_at: Option<OffsetDateTime>,
    /// Builds at work.
    pub builds: i64,
    /// Deployments since `day_began` that built something.
    pub deployments: i64,
}

/// What a team uses. An environment whose next release is about to start counts as the larger of both.
pub async fn used(conn: &mut PgConnection, team: TeamId, day_began: OffsetDateTime) -> Result<Used> {
    sqlx::query_as(
        "select (select count(*) from sites where team_id = $1 and deleting_at is null) as sites, \
             p.memory, p.cpu, coalesce(u.bytes, 0) as disk, u.measured_at as disk_measured_at, \
             (select count(*) from deployments where team_id = $1 and from_release is null \
                 and status in ('fetching', 'building')) as builds, \
             (select count(*) from deployments where team_id = $1 and from_release is null and created_at > $2) \
                 as deployments \
         from planned_of_team($1, null, null) p left join team_disk_use u on u.team_id = $1",
    )
    .bind(team)
    .bind(day_began)
    .fetch_one(conn)
    .await
}

/// When the oldest of a team's deployments since then was asked for.
pub async fn oldest_since(
    conn: &mut PgConnection,
    team: TeamId,
    since: OffsetDateTime,
) -> Result<Option<OffsetDateTime>> {
    sqlx::query_scalar(
        "select min(created_at) from deployments where team_id = $1 and from_release is null and created_at > $2",
    )
    .bind(team)
    .bind(since)
    .fetch_one(conn)
    .await
}

/// Memory and CPU of what a team's environments have, or are about to have: those of this site alone, and all but this
/// one, where they are given.
pub async fn planned(
    conn: &mut PgConnection,
    team: TeamId,
    site: Option<SiteId>,
    but: Option<EnvironmentId>,
) -> Result<(i64, i64)> {
    sqlx::query_as("select memory, cpu from planned_of_team($1, $2, $3)")
        .bind(team)
        .bind(site)
        .bind(but)
        .fetch_one(conn)
        .await
}

/// Writes down what a deployment is about to start.
pub async fn set_plan(
    conn: &mut PgConnection,
    team: TeamId,
    deployment: DeploymentId,
    memory: i64,
    cpu: i64,
) -> Result<()> {
    sqlx::query("update deployments set plan_memory_bytes = $3, plan_cpu_millis = $4 where team_id = $1 and id = $2")
        .bind(team)
        .bind(deployment)
        .bind(memory)
        .bind(cpu)
        .execute(conn)
        .await?;
    Ok(())
}

/// Notes what a team's sites take of the disk.
pub async fn set_disk(conn: &mut PgConnection, team: TeamId, bytes: i64) -> Result<()> {
    sqlx::query(
        "insert into team_disk_use (team_id, bytes) values ($1, $2) \
         on conflict (team_id) do update set bytes = excluded.bytes, measured_at = now()",
    )
    .bind(team)
    .bind(bytes)
    .execute(conn)
    .await?;
    Ok(())
}

/// For the background: teams without a site take nothing.
pub async fn clear_disk(conn: &mut PgConnection) -> Result<()> {
    sqlx::query("delete from team_disk_use u where not exists (select from sites s where s.team_id = u.team_id)")
        .execute(conn)
        .await?;
    Ok(())
}

/// For the background: bytes of logs of every team that has any.
pub async fn log_bytes_of_teams(conn: &mut PgConnection) -> Result<Vec<(TeamId, i64)>> {
    sqlx::query_as("select team_id, coalesce(sum(log_bytes), 0)::bigint from deployments group by team_id")
        .fetch_all(conn)
        .await
}

/// For the background: every site with its team.
pub async fn sites_of_teams(conn: &mut PgConnection) -> Result<Vec<(TeamId, SiteId)>> {
    sqlx::query_as("select team_id, id from sites").fetch_all(conn).await
}

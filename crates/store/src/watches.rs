//! What is seen of releases in the first while after their switch.

use model::{DeploymentId, EnvironmentId, ReleaseId, TeamId};
use serde_json::Value;
use sqlx::{FromRow, PgConnection, Result};
use time::OffsetDateTime;

/// A release that is, or was, watched.
#[derive(Debug, Clone, FromRow)]
pub struct WatchRow {
    /// What made the release.
    pub deployment_id: DeploymentId,
    /// Owner.
    pub team_id: TeamId,
    /// Where it runs.
    pub environment_id: EnvironmentId,
    /// What served before.
    pub previous_release: Option<ReleaseId>,
    /// What the proxy had counted before the switch.
    pub baseline: Value,
    /// Since.
    pub began_at: OffsetDateTime,
    /// Judged until then.
    pub until: OffsetDateTime,
    /// Requests without an answer of the site during the switch.
    pub failed_requests: i64,
    /// `well`, `unwell`, `rolled_back` or `replaced`.
    pub verdict: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// No longer looked at since.
    pub ended_at: Option<OffsetDateTime>,
}

const COLUMNS: &str = "deployment_id, team_id, environment_id, previous_release, baseline, began_at, until, \
     failed_requests, verdict, reason, ended_at";

/// A release to be watched.
pub struct NewWatch<'a> {
    /// What made it.
    pub deployment: DeploymentId,
    /// Owner.
    pub team: TeamId,
    /// Where it runs.
    pub environment: EnvironmentId,
    /// What served before.
    pub previous_release: Option<ReleaseId>,
    /// What the proxy had counted.
    pub baseline: &'a Value,
    /// How long it is judged, in seconds.
    pub seconds: f64,
}

/// Begins to watch.
pub async fn insert(conn: &mut PgConnection, new: &NewWatch<'_>) -> Result<()> {
    sqlx::query(
        "insert into release_watches (deployment_id, team_id, environment_id, previous_release, baseline, until) \
         values ($1, $2, $3, $4, $5, now() + make_interval(secs => $6))",
    )
    .bind(new.deployment)
    .bind(new.team)
    .bind(new.environment)
    .bind(new.previous_release)
    .bind(new.baseline)
    .bind(new.seconds)
    .execute(conn)
    .await?;
    Ok(())
}

/// What was seen of a deployment's release.
pub async fn of_deployment(
    conn: &mut PgConnection,
    team: TeamId,
    deployment: DeploymentId,
) -> Result<Option<WatchRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "select {COLUMNS} from release_watches where team_id = $1 and deployment_id = $2"
    )))
    .bind(team)
    .bind(deployment)
    .fetch_optional(conn)
    .await
}

/// For the watcher: everything that is still looked at, of all teams.
pub async fn open(conn: &mut PgConnection) -> Result<Vec<WatchRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "select {COLUMNS} from release_watches where ended_at is null order by began_at"
    )))
    .fetch_all(conn)
    .await
}

/// For the watcher: one that is still looked at, held until the transaction ends; `None` if somebody else holds it.
pub async fn hold(conn: &mut PgConnection, deployment: DeploymentId) -> Result<Option<WatchRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "select {COLUMNS} from release_watches where deployment_id = $1 and ended_at is null \
         for update skip locked"
    )))
    .bind(deployment)
    .fetch_optional(conn)
    .await
}

/// Writes how many requests failed so far; `false` if that was known.
pub async fn set_failed(conn: &mut PgConnection, deployment: DeploymentId, failed: i64) -> Result<bool> {
    let done = sqlx::query(
        "update release_watches set failed_requests = $2 where deployment_id = $1 and failed_requests < $2",
    )
    .bind(deployment)
    .bind(failed)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Judges; the first verdict stays.
pub async fn judge(
    conn: &mut PgConnection,
    deployment: DeploymentId,
    verdict: &str,
    reason: Option<&str>,
) -> Result<()> {
    sqlx::query("update release_watches set verdict = $2, reason = $3 where deployment_id = $1 and verdict is null")
        .bind(deployment)
        .bind(verdict)
        .bind(reason)
        .execute(conn)
        .await?;
    Ok(())
}

/// No longer looks at it.
pub async fn end(conn: &mut PgConnection, deployment: DeploymentId) -> Result<()> {
    sqlx::query("update release_watches set ended_at = now() where deployment_id = $1 and ended_at is null")
        .bind(deployment)
        .execute(conn)
        .await?;
    Ok(())
}

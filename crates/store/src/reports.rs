//! What forges are to be told of deployments. The rows are written by a trigger, in the transaction in which a
//! deployment's state changes (`migrations/0012_forge_reports.sql`).

use model::{DeploymentId, SiteId, TeamId};
use sqlx::{Connection, FromRow, PgConnection, Result};

/// Channel that wakes whoever sends reports; no payload.
pub const REPORTS: &str = "webmeteor_reports";

/// A report that is to be sent, with what it says.
#[derive(Debug, Clone, FromRow)]
pub struct ReportRow {
    /// Of this deployment.
    pub deployment_id: DeploymentId,
    /// Owner.
    pub team_id: TeamId,
    /// Its site.
    pub site_id: SiteId,
    /// `queued`, `running`, or the state in which the deployment ended.
    pub state: String,
    /// Which state this is; a newer one has a higher number.
    pub change: i64,
    /// How often this state was tried, this time included.
    pub attempts: i32,
    /// The environment's name.
    pub environment: String,
    /// The label that the environment's host begins with.
    pub host: String,
    /// The commit.
    pub commit_sha: String,
    /// The step it failed in.
    pub error_step: Option<String>,
    /// What happened.
    pub error_message: Option<String>,
}

/// Takes the report that waits longest, of a site of which none is being sent; nobody else gets one of that site until
/// it is settled, or `lease_seconds` are over. One of an older deployment of the same commit to the same environment is
/// passed over for good: the newer one's says how the commit stands.
pub async fn claim(conn: &mut PgConnection, lease_seconds: f64) -> Result<Option<ReportRow>> {
    let mut tx = conn.begin().await?;
    // Two that ask at once would each see none of a site that is being sent.
    sqlx::query("select pg_advisory_xact_lock(hashtext($1))").bind(REPORTS).execute(&mut *tx).await?;
    sqlx::query(
        "update forge_reports f set due_at = null, last_error = null from deployments d \
         where d.id = f.deployment_id and f.due_at <= now() and (f.leased_until is null or f.leased_until < now()) \
           and exists (select 1 from deployments n join forge_reports r on r.deployment_id = n.id \
               where n.environment_id = d.environment_id and n.commit_sha = d.commit_sha and n.number > d.number)",
    )
    .execute(&mut *tx)
    .await?;
    let taken: Option<DeploymentId> = sqlx::query_scalar(
        "update forge_reports set leased_until = now() + make_interval(secs => $1), attempts = attempts + 1 \
         where deployment_id = (select w.deployment_id from forge_reports w \
             where w.due_at <= now() and not exists (select 1 from forge_reports o where o.site_id = w.site_id \
                 and o.leased_until > now()) order by w.due_at, w.deployment_id limit 1) \
         returning deployment_id",
    )
    .bind(lease_seconds)
    .fetch_optional(&mut *tx)
    .await?;
    // In a statement of its own: the one above may have waited for the state, and would show the deployment from before.
    let row = sqlx::query_as(
        "select f.deployment_id, f.team_id, f.site_id, f.state, f.change, f.attempts, e.name as environment, e.host, \
             d.commit_sha, d.error_step, d.error_message \
         from forge_reports f join deployments d on d.id = f.deployment_id join environments e on e.id = d.environment_id \
         where f.deployment_id = $1",
    )
    .bind(taken)
    .fetch_optional(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(row)
}

/// What came of sending a report.
#[derive(Debug, Clone, Copy)]
pub enum Outcome<'a> {
    /// The forge took it.
    Sent,
    /// There is nobody to tell.
    Dropped,
    /// It is tried again after so many seconds.
    Later(f64, &'a str),
    /// The forge does not take it, and will not.
    GivenUp(&'a str),
}

/// Writes down what came of a report, and lets the site's next one go. A state that came meanwhile is still to be told.
pub async fn settle(
    conn: &mut PgConnection,
    team: TeamId,
    deployment: DeploymentId,
    change: i64,
    outcome: Outcome<'_>,
) -> Result<()> {
    let (delay, error) = match outcome {
        Outcome::Sent | Outcome::Dropped => (None, None),
        Outcome::Later(delay, error) => (Some(delay), Some(error)),
        Outcome::GivenUp(error) => (None, Some(error)),
    };
    sqlx::query(
        "update forge_reports set leased_until = null, last_error = $5, \
             sent_at = case when $6 then now() else sent_at end, \
             due_at = case when change = $3 then now() + make_interval(secs => $4) else due_at end \
         where team_id = $1 and deployment_id = $2",
    )
    .bind(team)
    .bind(deployment)
    .bind(change)
    .bind(delay)
    .bind(error)
    .bind(matches!(outcome, Outcome::Sent))
    .execute(&mut *conn)
    .await?;
    // Others of the site may have waited for it.
    sqlx::query("select pg_notify($1, '')").bind(REPORTS).execute(conn).await?;
    Ok(())
}

/// In how many seconds the next report is due; `None` where none waits.
pub async fn next_due(conn: &mut PgConnection) -> Result<Option<f64>> {
    sqlx::query_scalar(
        "select extract(epoch from min(greatest(due_at, coalesce(leased_until, due_at))) - now())::float8 \
         from forge_reports where due_at is not null",
    )
    .fetch_one(conn)
    .await
}

/// Why the newest report of a site that was tried did not arrive; `None` where it did, or none was tried.
pub async fn trouble(conn: &mut PgConnection, team: TeamId, site: SiteId) -> Result<Option<String>> {
    let newest: Option<Option<String>> = sqlx::query_scalar(
        "select last_error from forge_reports where team_id = $1 and site_id = $2 \
           and (sent_at is not null or last_error is not null) order by deployment_id desc limit 1",
    )
    .bind(team)
    .bind(site)
    .fetch_optional(conn)
    .await?;
    Ok(newest.flatten())
}

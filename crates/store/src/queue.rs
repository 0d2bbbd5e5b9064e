//! What workers do with deployments: take one, keep its lease, write its progress. Every write names the worker and
//! the attempt, so that a worker that lost its lease changes nothing.

use crate::deployments::{DeploymentRow, SELECT, Word};
use model::{
    DeploymentId, EnvironmentId, SiteId, TeamId,
    deployment::{FailureCode, Status, Step, StepStatus},
    views::StepView,
};
use sqlx::{Connection, FromRow, PgConnection, Result};
use time::OffsetDateTime;
use uuid::Uuid;

/// The right to write a deployment's progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// Which deployment.
    pub deployment: DeploymentId,
    /// Whose.
    pub team: TeamId,
    /// Which worker.
    pub worker: Uuid,
    /// Which take-over.
    pub attempt: i32,
}

/// Why progress was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Another worker has it now, or it has ended.
    #[error("the lease is lost")]
    LeaseLost,
    /// The database did not answer or refused.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Takes the next deployment for a worker, the team with the fewest running and the longest wait first; `None` if
/// nothing waits that may run. At most one deployment of an environment runs at a time, and a team builds at most `builds`
/// at a time where no other number was set for it: what has to wait for that lets others pass.
pub async fn claim(
    conn: &mut PgConnection,
    worker: Uuid,
    lease_seconds: f64,
    builds: Option<i64>,
) -> Result<Option<(Lease, DeploymentRow)>> {
    let mut tx = conn.begin().await?;
    // Two workers at once would each find room for the same team's next build. One that is stopped in here, process or
    // machine, loses its connection, and with it what the others wait for.
    sqlx::query(
        "select pg_advisory_xact_lock(hashtext('webmeteor.claim')), \
                set_config('idle_in_transaction_session_timeout', '5s', true)",
    )
    .execute(&mut *tx)
    .await?;
    let taken: Option<(DeploymentId, TeamId, i32)> = match sqlx::query_as(
        "update deployments set status = case when from_release is null then 'fetching' else 'starting' end, \
             attempt = attempt + 1, worker = $1, \
             lease_until = now() + make_interval(secs => $2), started_at = coalesce(started_at, now()) \
         where id = ( \
             select d.id from deployments d \
             where d.status = 'queued' and (d.not_before is null or d.not_before <= now()) \
               and not exists (select 1 from deployments n where n.environment_id = d.environment_id \
                   and n.status = 'queued' and n.id > d.id) \
               and not exists (select 1 from deployments r where r.environment_id = d.environment_id \
                   and r.status in ('fetching', 'building', 'starting', 'verifying', 'switching')) \
               and (d.from_release is not null \
                   or coalesce((select count(*) from deployments r where r.team_id = d.team_id \
                       and r.from_release is null and r.status in ('fetching', 'building')) \
                       < builds_allowed(d.team_id, $3), true)) \
             order by (select count(*) from deployments r where r.team_id = d.team_id \
                   and r.status in ('fetching', 'building', 'starting', 'verifying', 'switching')), \
                 (select max(r.started_at) from deployments r where r.team_id = d.team_id) nulls first, d.id \
             limit 1 for update of d skip locked) \
         returning id, team_id, attempt",
    )
    .bind(worker)
    .bind(lease_seconds)
    .bind(builds)
    .fetch_optional(&mut *tx)
    .await
    {
        Ok(taken) => taken,
        // Another worker took a deployment of the same environment in the same instant.
        Err(sqlx::Error::Database(e)) if e.constraint() == Some("deployments_one_running") => return Ok(None),
        Err(e) => return Err(e),
    };
    let Some((deployment, team, attempt)) = taken else { return Ok(None) };
    let row = sqlx::query_as(sqlx::AssertSqlSafe(format!("{SELECT} where d.team_id = $1 and d.id = $2")))
        .bind(team)
        .bind(deployment)
        .fetch_one(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(Some((Lease { deployment, team, worker, attempt }, row)))
}

/// Keeps a lease; tells whether the deployment's end was asked for.
pub async fn heartbeat(conn: &mut PgConnection, lease: Lease, lease_seconds: f64) -> Result<bool, WriteError> {
    let row: Option<(bool,)> = sqlx::query_as(
        "update deployments set lease_until = now() + make_interval(secs => $4) \
         where id = $1 and worker = $2 and attempt = $3 \
           and status in ('fetching', 'building', 'starting', 'verifying', 'switching') \
         returning cancel_requested_at is not null",
    )
    .bind(lease.deployment)
    .bind(lease.worker)
    .bind(lease.attempt)
    .bind(lease_seconds)
    .fetch_optional(conn)
    .await?;
    row.map(|(cancel,)| cancel).ok_or(WriteError::LeaseLost)
}

/// Moves a deployment from one state to the next.
pub async fn advance(conn: &mut PgConnection, lease: Lease, from: Status, to: Status) -> Result<(), WriteError> {
    debug_assert!(from.can_move_to(to), "{from} -> {to}");
    let done = sqlx::query(
        "update deployments set status = $5, finished_at = case when $6 then now() else null end, \
             lease_until = case when $6 then null else lease_until end \
         where id = $1 and worker = $2 and attempt = $3 and status = $4 \
           and (cancel_requested_at is null or $5 <> 'switching')",
    )
    .bind(lease.deployment)
    .bind(lease.worker)
    .bind(lease.attempt)
    .bind(from.as_str())
    .bind(to.as_str())
    .bind(to.is_final())
    .execute(conn)
    .await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(WriteError::LeaseLost) }
}

/// Ends a deployment with an error.
pub async fn fail(
    conn: &mut PgConnection,
    lease: Lease,
    code: FailureCode,
    step: Option<Step>,
    service: Option<&str>,
    message: &str,
) -> Result<(), WriteError> {
    let done = sqlx::query(
        "update deployments set status = 'failed', finished_at = now(), lease_until = null, error_code = $4, \
             error_step = $5, error_service = $6, error_message = $7 \
         where id = $1 and worker = $2 and attempt = $3 \
           and status in ('fetching', 'building', 'starting', 'verifying', 'switching')",
    )
    .bind(lease.deployment)
    .bind(lease.worker)
    .bind(lease.attempt)
    .bind(code.as_str())
    .bind(step.map(Step::as_str))
    .bind(service)
    .bind(message)
    .execute(conn)
    .await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(WriteError::LeaseLost) }
}

/// Gives a deployment back to the queue, to be tried again after `delay_seconds`; where its end was asked for, it is
/// `cancelled`, and where a newer one of its environment waits already, `superseded`. Returns which of the three.
pub async fn give_back(conn: &mut PgConnection, lease: Lease, delay_seconds: f64) -> Result<Status, WriteError> {
    let word: Option<(String,)> = sqlx::query_as(
        "update deployments d set lease_until = null, not_before = now() + make_interval(secs => $4), \
             status = case when d.cancel_requested_at is not null and d.status <> 'switching' then 'cancelled' \
                 when newer.waits then 'superseded' else 'queued' end, \
             finished_at = case when (d.cancel_requested_at is not null and d.status <> 'switching') or newer.waits \
                 then now() end \
         from (select exists (select 1 from deployments n, deployments o where o.id = $1 \
             and n.environment_id = o.environment_id and n.status = 'queued' and n.id > o.id) as waits) newer \
         where d.id = $1 and d.worker = $2 and d.attempt = $3 \
           and d.status in ('fetching', 'building', 'starting', 'verifying', 'switching') \
         returning d.status",
    )
    .bind(lease.deployment)
    .bind(lease.worker)
    .bind(lease.attempt)
    .bind(delay_seconds)
    .fetch_optional(conn)
    .await?;
    word.and_then(|(word,)| Status::from_word(&word)).ok_or(WriteError::LeaseLost)
}

/// What waits for its next try is tried now: what it waited for is back.
pub async fn retry_now(conn: &mut PgConnection) -> Result<()> {
    sqlx::query("update deployments set not_before = null where status = 'queued' and not_before > now()")
        .execute(&mut *conn)
        .await?;
    crate::events::wake_workers(conn).await
}

/// Puts back what workers that are gone left behind: back into the queue, or `superseded` where a newer one waits
/// already, or `cancelled` where that was asked for. What was put back in the same instant in which a newer one was
/// queued is `superseded` too. Returns id, team, site and the new state of each.
pub async fn recover(conn: &mut PgConnection) -> Result<Vec<(DeploymentId, TeamId, SiteId, String)>> {
    sqlx::query_as(
        "update deployments d set lease_until = null, \
             status = case when d.cancel_requested_at is not null and d.status <> 'switching' then 'cancelled' \
                 when exists (select 1 from deployments n where n.environment_id = d.environment_id \
                     and n.status = 'queued' and n.id > d.id) then 'superseded' else 'queued' end, \
             finished_at = case when (d.cancel_requested_at is not null and d.status <> 'switching') \
                 or exists (select 1 from deployments n where n.environment_id = d.environment_id \
                     and n.status = 'queued' and n.id > d.id) then now() end \
         where d.id in (select l.id from deployments l \
             where l.status in ('fetching', 'building', 'starting', 'verifying', 'switching') \
                 and l.lease_until < now() \
               or l.status = 'queued' and exists (select 1 from deployments n \
                 where n.environment_id = l.environment_id and n.status = 'queued' and n.id > l.id) \
             for update skip locked) \
         returning d.id, d.team_id, d.site_id, d.status",
    )
    .fetch_all(conn)
    .await
}

/// Keeps what was learnt of the commit.
pub async fn set_commit(
    conn: &mut PgConnection,
    lease: Lease,
    sha: &str,
    message: &str,
    author: &str,
) -> Result<(), WriteError> {
    let done = sqlx::query(
        "update deployments set commit_sha = $4, commit_message = $5, commit_author = $6 \
         where id = $1 and worker = $2 and attempt = $3",
    )
    .bind(lease.deployment)
    .bind(lease.worker)
    .bind(lease.attempt)
    .bind(sha)
    .bind(message)
    .bind(author)
    .execute(conn)
    .await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(WriteError::LeaseLost) }
}

/// Writes how a step stands; its times follow from its states.
pub async fn set_step(conn: &mut PgConnection, deployment: DeploymentId, step: Step, status: StepStatus) -> Result<()> {
    sqlx::query(
        "insert into deployment_steps (deployment_id, name, status, started_at, finished_at) \
         values ($1, $2, $3, case when $3 = 'running' then now() end, \
             case when $3 in ('done', 'failed') then now() end) \
         on conflict (deployment_id, name) do update set status = excluded.status, \
             started_at = case when excluded.status = 'running' then now() else deployment_steps.started_at end, \
             finished_at = excluded.finished_at",
    )
    .bind(deployment)
    .bind(step.as_str())
    .bind(status.as_str())
    .execute(conn)
    .await?;
    Ok(())
}

/// A deployment that waits or runs.
#[derive(Debug, Clone, FromRow)]
pub struct OpenRow {
    /// Id.
    pub id: DeploymentId,
    /// Owner.
    pub team_id: TeamId,
    /// The owner's name.
    pub team_name: String,
    /// How many builds of the owner may be at work at the same time; `None`: any number.
    pub team_builds: Option<i64>,
    /// It builds something: it is no release that is applied again.
    pub is_build: bool,
    /// When the owner's last turn began.
    pub team_last_turn: Option<OffsetDateTime>,
    /// Its site.
    pub site_id: SiteId,
    /// The site's name.
    pub site_name: String,
    /// Where it goes.
    pub environment_id: EnvironmentId,
    /// That environment's name.
    pub environment: String,
    /// 1, 2, 3 … of its site.
    pub number: i64,
    #[sqlx(try_from = "String")]
    status: Word<Status>,
    /// Its next try is not before then.
    pub not_before: Option<OffsetDateTime>,
    /// Asked for.
    pub created_at: OffsetDateTime,
    /// First taken by a worker.
    pub started_at: Option<OffsetDateTime>,
}

impl OpenRow {
    /// Where it stands.
    pub fn status(&self) -> Status {
        self.status.0
    }
}

/// All that waits or runs, of all teams: places in the queue depend on everybody. What a caller may see of it is for
/// the use case to decide.
/// `builds`: how many of a team's builds may be at work at a time where no other number was set for it.
pub async fn open_of_all_teams(conn: &mut PgConnection, builds: Option<i64>) -> Result<Vec<OpenRow>> {
    sqlx::query_as(
        "select d.id, d.team_id, t.name as team_name, builds_allowed(d.team_id, $1) as team_builds, \
             d.from_release is null as is_build, \
             (select max(r.started_at) from deployments r where r.team_id = d.team_id) as team_last_turn, \
             d.site_id, s.name as site_name, d.environment_id, e.name as environment, d.number, d.status, \
             d.not_before, d.created_at, d.started_at \
         from deployments d join teams t on t.id = d.team_id join sites s on s.id = d.site_id \
             join environments e on e.id = d.environment_id \
         where d.status in ('queued', 'fetching', 'building', 'starting', 'verifying', 'switching') order by d.id",
    )
    .bind(builds)
    .fetch_all(conn)
    .await
}

#[derive(FromRow)]
struct StepRow {
    #[sqlx(try_from = "String")]
    name: Word<Step>,
    #[sqlx(try_from = "String")]
    status: Word<StepStatus>,
    started_at: Option<OffsetDateTime>,
    finished_at: Option<OffsetDateTime>,
}

/// The steps of a deployment, all of them and in order; those not begun are pending.
pub async fn steps(conn: &mut PgConnection, team: TeamId, deployment: DeploymentId) -> Result<Vec<StepView>> {
    let rows: Vec<StepRow> = sqlx::query_as(
        "select name, status, started_at, finished_at from deployment_steps where deployment_id = $2 \
         and exists (select from deployments where team_id = $1 and id = $2)",
    )
    .bind(team)
    .bind(deployment)
    .fetch_all(conn)
    .await?;
    Ok(Step::ALL
        .iter()
        .map(|step| match rows.iter().find(|row| row.name.0 == *step) {
            Some(row) => {
                StepView { name: *step, status: row.status.0, started_at: row.started_at, finished_at: row.finished_at }
            }
            None => StepView { name: *step, status: StepStatus::Pending, started_at: None, finished_at: None },
        })
        .collect())
}

/// Whether anything waits or runs in this environment.
pub async fn is_busy(conn: &mut PgConnection, team: TeamId, environment: EnvironmentId) -> Result<bool> {
    sqlx::query_scalar(
        "select exists (select 1 from deployments where team_id = $1 and environment_id = $2 \
         and status not in ('live', 'failed', 'cancelled', 'superseded'))",
    )
    .bind(team)
    .bind(environment)
    .fetch_one(conn)
    .await
}

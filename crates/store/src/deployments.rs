//! Deployments as people see them: asked for, listed, cancelled. What workers do with them is in [`crate::queue`].

use model::{
    DeploymentId, EnvironmentId, ReleaseId, SiteId, TeamId, UserId,
    deployment::{Status, Trigger},
};
use sqlx::{FromRow, PgConnection, Result};
use time::OffsetDateTime;

/// A deployment.
#[derive(Debug, Clone, FromRow)]
pub struct DeploymentRow {
    /// Id.
    pub id: DeploymentId,
    /// Owner.
    pub team_id: TeamId,
    /// Its site.
    pub site_id: SiteId,
    /// Where it goes.
    pub environment_id: EnvironmentId,
    /// That environment's name.
    pub environment: String,
    /// 1, 2, 3 … of its site.
    pub number: i64,
    #[sqlx(try_from = "String")]
    status: Word<Status>,
    #[sqlx(try_from = "String")]
    trigger: Word<Trigger>,
    /// The branch asked for.
    pub branch: Option<String>,
    /// The commit, once known.
    pub commit_sha: Option<String>,
    /// The commit's message.
    pub commit_message: Option<String>,
    /// The commit's author.
    pub commit_author: Option<String>,
    /// For a rollback: what to apply again.
    pub from_release: Option<ReleaseId>,
    /// The version of the environment's variables to run with; `None` is the newest.
    pub variables_version: Option<i64>,
    /// Why the platform itself began it.
    pub reason: Option<String>,
    /// See [`model::deployment::FailureCode`].
    pub error_code: Option<String>,
    /// The step it failed in.
    pub error_step: Option<String>,
    /// The service it was.
    pub error_service: Option<String>,
    /// What happened.
    pub error_message: Option<String>,
    /// How often a worker took it.
    pub attempt: i32,
    /// Somebody wants it ended.
    pub cancel_requested_at: Option<OffsetDateTime>,
    /// Asked for.
    pub created_at: OffsetDateTime,
    /// First taken by a worker.
    pub started_at: Option<OffsetDateTime>,
    /// Ended.
    pub finished_at: Option<OffsetDateTime>,
    /// Lines in its log.
    pub log_lines: i64,
    /// It left the release that serves now.
    pub is_current: bool,
}

impl DeploymentRow {
    /// Where it stands.
    pub fn status(&self) -> Status {
        self.status.0
    }
    /// What asked for it.
    pub fn trigger(&self) -> Trigger {
        self.trigger.0
    }
}

/// A stored word read back as its enum.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Word<T>(pub(crate) T);

macro_rules! read_word {
    ($($kind:ty),*) => {$(
        impl TryFrom<String> for Word<$kind> {
            type Error = String;
            fn try_from(word: String) -> std::result::Result<Self, String> {
                <$kind>::from_word(&word).map(Self).ok_or_else(|| format!("unknown word {word:?} in the database"))
            }
        }
    )*};
}
read_word!(Status, Trigger, model::deployment::Step, model::deployment::StepStatus, model::deployment::Stream);

pub(crate) const SELECT: &str = "select d.id, d.team_id, d.site_id, d.environment_id, e.name as environment, d.number, \
     d.status, d.trigger, d.branch, d.commit_sha, d.commit_message, d.commit_author, d.from_release, d.variables_version, d.reason, \
     d.error_code, d.error_step, d.error_service, d.error_message, d.attempt, d.cancel_requested_at, d.created_at, d.started_at, \
     d.finished_at, d.log_lines, coalesce(r.deployment_id = d.id, false) as is_current \
     from deployments d join environments e on e.id = d.environment_id \
     left join releases r on r.id = e.current_release";

/// The newest deployment of an environment `w`: one look into the index, however many there were.
const NEWEST: &str = "lateral (select id from deployments where environment_id = w.id order by number desc limit 1)";

/// What a new deployment needs.
#[derive(Debug, Clone)]
pub struct NewDeployment<'a> {
    /// Id.
    pub id: DeploymentId,
    /// Owner.
    pub team: TeamId,
    /// Its site.
    pub site: SiteId,
    /// Where it goes.
    pub environment: EnvironmentId,
    /// What asked for it.
    pub trigger: Trigger,
    /// Who asked for it.
    pub triggered_by: Option<UserId>,
    /// The branch.
    pub branch: Option<&'a str>,
    /// The commit, if it is known already.
    pub commit: Option<&'a str>,
    /// Its message.
    pub message: Option<&'a str>,
    /// Its author.
    pub author: Option<&'a str>,
    /// For a rollback.
    pub from_release: Option<ReleaseId>,
    /// `None`: the newest when it begins.
    pub variables_version: Option<i64>,
    /// Why, where the platform itself asks for it.
    pub reason: Option<&'a str>,
}

/// Queues a deployment and gives it its number.
pub async fn insert(conn: &mut PgConnection, new: &NewDeployment<'_>) -> Result<i64> {
    sqlx::query_scalar(
        "with counted as (update sites set deployment_count = deployment_count + 1 \
             where team_id = $2 and id = $3 returning deployment_count) \
         insert into deployments (id, team_id, site_id, environment_id, number, trigger, triggered_by, branch, \
             commit_sha, commit_message, commit_author, from_release, variables_version, reason) \
         select $1, $2, $3, $4, deployment_count, $5, $6, $7, $8, $9, $10, $11, $12, $13 from counted returning number",
    )
    .bind(new.id)
    .bind(new.team)
    .bind(new.site)
    .bind(new.environment)
    .bind(new.trigger.as_str())
    .bind(new.triggered_by)
    .bind(new.branch)
    .bind(new.commit)
    .bind(new.message)
    .bind(new.author)
    .bind(new.from_release)
    .bind(new.variables_version)
    .bind(new.reason)
    .fetch_one(conn)
    .await
}

/// Ends the other deployments of the environment that still wait; returns them.
pub async fn supersede_queued(
    conn: &mut PgConnection,
    team: TeamId,
    environment: EnvironmentId,
    newest: DeploymentId,
) -> Result<Vec<DeploymentId>> {
    sqlx::query_scalar(
        "update deployments set status = 'superseded', finished_at = now() \
         where team_id = $1 and environment_id = $2 and status = 'queued' and id <> $3 returning id",
    )
    .bind(team)
    .bind(environment)
    .bind(newest)
    .fetch_all(conn)
    .await
}

/// One deployment of these teams.
pub async fn by_id(conn: &mut PgConnection, teams: &[TeamId], id: DeploymentId) -> Result<Option<DeploymentRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!("{SELECT} where d.team_id = any($1) and d.id = $2")))
        .bind(teams)
        .bind(id)
        .fetch_optional(conn)
        .await
}

/// The deployments of a site, or of one environment of it, newest first, those with a number below `before`.
pub async fn list(
    conn: &mut PgConnection,
    team: TeamId,
    site: SiteId,
    environment: Option<EnvironmentId>,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<DeploymentRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{SELECT} where d.team_id = $1 and d.site_id = $2 and ($3::uuid is null or d.environment_id = $3) \
           and ($4::bigint is null or d.number < $4) order by d.number desc limit $5"
    )))
    .bind(team)
    .bind(site)
    .bind(environment)
    .bind(before)
    .bind(limit)
    .fetch_all(conn)
    .await
}

/// The newest deployment to production of each of these sites.
pub async fn newest_of(conn: &mut PgConnection, teams: &[TeamId], sites: &[SiteId]) -> Result<Vec<DeploymentRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{SELECT} where d.id in (select n.id from environments w, {NEWEST} n \
           where w.team_id = any($1) and w.site_id = any($2) and w.name = 'production')"
    )))
    .bind(teams)
    .bind(sites)
    .fetch_all(conn)
    .await
}

/// The newest deployment to each of these environments.
pub async fn newest_of_environments(
    conn: &mut PgConnection,
    team: TeamId,
    environments: &[EnvironmentId],
) -> Result<Vec<DeploymentRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{SELECT} where d.id in (select n.id from environments w, {NEWEST} n where w.team_id = $1 and w.id = any($2))"
    )))
    .bind(team)
    .bind(environments)
    .fetch_all(conn)
    .await
}

/// What left the release that serves now, for each of these environments.
pub async fn current_of_environments(
    conn: &mut PgConnection,
    team: TeamId,
    environments: &[EnvironmentId],
) -> Result<Vec<DeploymentRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{SELECT} where d.team_id = $1 and e.id = any($2) and r.deployment_id = d.id"
    )))
    .bind(team)
    .bind(environments)
    .fetch_all(conn)
    .await
}

/// The commit of the newest deployment of this branch to this environment that waits, runs or went live; `None` if there
/// is none, or its commit is not known yet.
pub async fn newest_commit(
    conn: &mut PgConnection,
    team: TeamId,
    environment: EnvironmentId,
    branch: &str,
) -> Result<Option<String>> {
    let newest: Option<Option<String>> = sqlx::query_scalar(
        "select commit_sha from deployments where team_id = $1 and environment_id = $2 and branch = $3 \
           and status not in ('failed', 'cancelled', 'superseded') order by number desc limit 1",
    )
    .bind(team)
    .bind(environment)
    .bind(branch)
    .fetch_optional(conn)
    .await?;
    Ok(newest.flatten())
}

/// Whether a deployment to this environment is under way, or waits, that applies this release with these variables.
pub async fn is_applying(
    conn: &mut PgConnection,
    team: TeamId,
    environment: EnvironmentId,
    release: ReleaseId,
    variables_version: Option<i64>,
) -> Result<bool> {
    sqlx::query_scalar(
        "select exists (select 1 from deployments where team_id = $1 and environment_id = $2 and from_release = $3 \
           and variables_version is not distinct from $4 \
           and status not in ('live', 'failed', 'cancelled', 'superseded'))",
    )
    .bind(team)
    .bind(environment)
    .bind(release)
    .bind(variables_version)
    .fetch_one(conn)
    .await
}

/// Whether a deployment that builds this commit for this environment is under way, or waits, and is not to be cancelled.
/// Without a commit: one that has not learnt its commit either.
pub async fn is_building(
    conn: &mut PgConnection,
    team: TeamId,
    environment: EnvironmentId,
    commit: Option<&str>,
) -> Result<bool> {
    sqlx::query_scalar(
        "select exists (select 1 from deployments where team_id = $1 and environment_id = $2 \
           and commit_sha is not distinct from $3 and from_release is null and cancel_requested_at is null \
           and status not in ('live', 'failed', 'cancelled', 'superseded'))",
    )
    .bind(team)
    .bind(environment)
    .bind(commit)
    .fetch_one(conn)
    .await
}

/// Ends a deployment that still waits; `false` if it no longer does.
pub async fn cancel_queued(conn: &mut PgConnection, team: TeamId, id: DeploymentId) -> Result<bool> {
    let done = sqlx::query(
        "update deployments set status = 'cancelled', cancel_requested_at = now(), finished_at = now() \
         where team_id = $1 and id = $2 and status = 'queued'",
    )
    .bind(team)
    .bind(id)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Asks the worker to end a deployment that has not begun to switch; `false` if it is past that, or was asked already.
pub async fn request_cancel(conn: &mut PgConnection, team: TeamId, id: DeploymentId) -> Result<bool> {
    let done = sqlx::query(
        "update deployments set cancel_requested_at = now() \
         where team_id = $1 and id = $2 and cancel_requested_at is null and status in ('fetching', 'building', 'starting', 'verifying')",
    )
    .bind(team)
    .bind(id)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A site is being removed: ends what waits and asks for the end of what runs.
pub async fn cancel_all_of_site(conn: &mut PgConnection, team: TeamId, site: SiteId) -> Result<()> {
    sqlx::query(
        "update deployments set cancel_requested_at = now(), \
             status = case when status = 'queued' then 'cancelled' else status end, \
             finished_at = case when status = 'queued' then now() else finished_at end \
         where team_id = $1 and site_id = $2 and status not in ('live', 'failed', 'cancelled', 'superseded')",
    )
    .bind(team)
    .bind(site)
    .execute(conn)
    .await?;
    Ok(())
}

/// An environment is being removed: ends what waits and asks for the end of what runs.
pub async fn cancel_all_of_environment(
    conn: &mut PgConnection,
    team: TeamId,
    environment: EnvironmentId,
) -> Result<()> {
    sqlx::query(
        "update deployments set cancel_requested_at = now(), \
             status = case when status = 'queued' then 'cancelled' else status end, \
             finished_at = case when status = 'queued' then now() else finished_at end \
         where team_id = $1 and environment_id = $2 and status not in ('live', 'failed', 'cancelled', 'superseded')",
    )
    .bind(team)
    .bind(environment)
    .execute(conn)
    .await?;
    Ok(())
}

/// How many deployments there are in each state.
pub async fn count_by_status(conn: &mut PgConnection) -> Result<Vec<(String, i64)>> {
    sqlx::query_as("select status, count(*) from deployments group by status").fetch_all(conn).await
}

/// When the build began that has run longest; `None` where none runs.
pub async fn oldest_build(conn: &mut PgConnection) -> Result<Option<OffsetDateTime>> {
    sqlx::query_scalar(
        "select min(s.started_at) from deployments d join deployment_steps s on s.deployment_id = d.id \
         where d.status = 'building' and s.name = 'build'",
    )
    .fetch_one(conn)
    .await
}

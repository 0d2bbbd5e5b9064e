//! What the reconciler reads of all environments at once: what should run, what is under way, what is kept.

use crate::environments::EnvironmentRow;
use model::{DeploymentId, EnvironmentId, ReleaseId, TeamId, plan::ReleasePlan};
use sqlx::{FromRow, PgConnection, Result, types::Json};
use time::OffsetDateTime;

/// One environment, with what serves and what is under way in it.
#[derive(Debug, Clone, FromRow)]
pub struct StateRow {
    /// The environment.
    #[sqlx(flatten)]
    pub environment: EnvironmentRow,
    /// It or its site is marked for removal.
    pub is_being_removed: bool,
    /// The release that serves.
    pub plan: Option<Json<ReleasePlan>>,
    /// The version of the variables that it runs with.
    pub release_variables: Option<i64>,
    /// Since when it does.
    pub live_since: Option<OffsetDateTime>,
    /// The deployment that a worker is at work on.
    pub running: Option<DeploymentId>,
    /// Which take-over of it.
    pub attempt: Option<i32>,
    /// That deployment moves the route just now.
    pub is_switching: bool,
    /// A deployment waits in the queue.
    pub is_waited_for: bool,
    /// The domains that lead here.
    pub domains: Vec<String>,
}

/// Every environment, those of sites that are being removed too.
pub async fn environments(conn: &mut PgConnection) -> Result<Vec<StateRow>> {
    sqlx::query_as(
        "select e.*, e.deleting_at is not null or s.deleting_at is not null as is_being_removed, \
             r.plan, r.variables_version as release_variables, r.created_at as live_since, \
             d.id as running, d.attempt, coalesce(d.status = 'switching', false) as is_switching, \
             exists (select 1 from deployments w where w.environment_id = e.id and w.status = 'queued') \
                 as is_waited_for, \
             array(select n.host from domains n where n.environment_id = e.id and n.verified_at is not null \
                 order by n.host) as domains \
         from environments e join sites s on s.id = e.site_id \
         left join releases r on r.id = e.current_release \
         left join deployments d on d.environment_id = e.id \
             and d.status in ('fetching', 'building', 'starting', 'verifying', 'switching') \
         order by e.id",
    )
    .fetch_all(conn)
    .await
}

/// Deployments that are not at their end.
pub async fn open_deployments(conn: &mut PgConnection) -> Result<Vec<DeploymentId>> {
    sqlx::query_scalar(
        "select id from deployments \
         where status in ('queued', 'fetching', 'building', 'starting', 'verifying', 'switching')",
    )
    .fetch_all(conn)
    .await
}

/// Live deployments whose old release still finishes its requests.
pub async fn draining(conn: &mut PgConnection) -> Result<Vec<(EnvironmentId, DeploymentId)>> {
    sqlx::query_as(
        "select d.environment_id, d.id from deployment_steps s join deployments d on d.id = s.deployment_id \
         where s.name = 'drain' and s.status = 'running' and d.status = 'live'",
    )
    .fetch_all(conn)
    .await
}

/// A release as far as keeping it goes.
#[derive(Debug, Clone, FromRow)]
pub struct KeptRow {
    /// Id.
    pub id: ReleaseId,
    /// Owner.
    pub team_id: TeamId,
    /// Where it ran.
    pub environment_id: EnvironmentId,
    /// It serves, is among the newest, or is about to be applied again.
    pub is_kept: bool,
    /// The images it runs.
    pub images: Vec<String>,
}

/// All releases; of each environment the newest `kept` are kept.
pub async fn releases(conn: &mut PgConnection, kept: i64) -> Result<Vec<KeptRow>> {
    sqlx::query_as(
        "select r.id, r.team_id, r.environment_id, r.place <= $1 or r.id is not distinct from e.current_release \
             or exists (select 1 from deployments d where d.from_release = r.id \
                 and d.status in ('queued', 'fetching', 'building', 'starting', 'verifying', 'switching')) as is_kept, \
             array(select c ->> 'image' from jsonb_array_elements(r.plan -> 'containers') c) as images \
         from (select *, row_number() over (partition by environment_id order by created_at desc, id desc) as place \
             from releases) r \
         join environments e on e.id = r.environment_id",
    )
    .bind(kept)
    .fetch_all(conn)
    .await
}

/// What serves in an environment and whether a deployment moves its route just now; held like this until the
/// transaction ends. `None`: there is no such environment.
pub async fn hold_route(
    conn: &mut PgConnection,
    team: TeamId,
    environment: EnvironmentId,
) -> Result<Option<(Option<ReleaseId>, bool)>> {
    // In the order in which a deployment goes live writes them, so that neither waits for the other for ever.
    let running: Vec<String> = sqlx::query_scalar(
        "select status from deployments where team_id = $1 and environment_id = $2 \
         and status in ('fetching', 'building', 'starting', 'verifying', 'switching') for share",
    )
    .bind(team)
    .bind(environment)
    .fetch_all(&mut *conn)
    .await?;
    let current: Option<(Option<ReleaseId>,)> =
        sqlx::query_as("select current_release from environments where team_id = $1 and id = $2 for share")
            .bind(team)
            .bind(environment)
            .fetch_optional(conn)
            .await?;
    Ok(current.map(|(current,)| (current, running.iter().any(|status| status == "switching"))))
}

//! Releases: what successful deployments left behind.

use model::{DeploymentId, EnvironmentId, ReleaseId, SiteId, TeamId, plan::ReleasePlan};
use sqlx::{FromRow, PgConnection, Result, types::Json};
use time::OffsetDateTime;

/// A release.
#[derive(Debug, Clone, FromRow)]
pub struct ReleaseRow {
    /// Id.
    pub id: ReleaseId,
    /// Owner.
    pub team_id: TeamId,
    /// Where it ran.
    pub environment_id: EnvironmentId,
    /// What made it.
    pub deployment_id: DeploymentId,
    /// What runs, where, and how it is reached.
    pub plan: Json<ReleasePlan>,
    /// The version of the environment's variables that it runs with.
    pub variables_version: i64,
    /// When it went live.
    pub created_at: OffsetDateTime,
}

const COLUMNS: &str = "id, team_id, environment_id, deployment_id, plan, variables_version, created_at";

/// Adds a release.
pub async fn insert(
    conn: &mut PgConnection,
    team: TeamId,
    id: ReleaseId,
    environment: EnvironmentId,
    deployment: DeploymentId,
    plan: &ReleasePlan,
    variables_version: i64,
) -> Result<()> {
    sqlx::query(
        "insert into releases (id, team_id, environment_id, deployment_id, plan, variables_version) \
         values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(id)
    .bind(team)
    .bind(environment)
    .bind(deployment)
    .bind(Json(plan))
    .bind(variables_version)
    .execute(conn)
    .await?;
    Ok(())
}

/// One release.
pub async fn by_id(conn: &mut PgConnection, team: TeamId, id: ReleaseId) -> Result<Option<ReleaseRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!("select {COLUMNS} from releases where team_id = $1 and id = $2")))
        .bind(team)
        .bind(id)
        .fetch_optional(conn)
        .await
}

/// The release that a deployment left.
pub async fn of_deployment(
    conn: &mut PgConnection,
    team: TeamId,
    deployment: DeploymentId,
) -> Result<Option<ReleaseRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "select {COLUMNS} from releases where team_id = $1 and deployment_id = $2"
    )))
    .bind(team)
    .bind(deployment)
    .fetch_optional(conn)
    .await
}

/// The releases that serve these sites' production now.
pub async fn current_production(
    conn: &mut PgConnection,
    teams: &[TeamId],
    sites: &[SiteId],
) -> Result<Vec<ReleaseRow>> {
    sqlx::query_as(
        "select r.id, r.team_id, r.environment_id, r.deployment_id, r.plan, r.variables_version, r.created_at \
         from environments e join releases r on r.id = e.current_release \
         where e.team_id = any($1) and e.site_id = any($2) and e.name = 'production'",
    )
    .bind(teams)
    .bind(sites)
    .fetch_all(conn)
    .await
}

/// The releases that serve these environments now.
pub async fn current_of(
    conn: &mut PgConnection,
    team: TeamId,
    environments: &[EnvironmentId],
) -> Result<Vec<ReleaseRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "select {COLUMNS} from releases where team_id = $1 \
           and id in (select current_release from environments where team_id = $1 and id = any($2))"
    )))
    .bind(team)
    .bind(environments)
    .fetch_all(conn)
    .await
}

/// Forgets a release, unless a deployment that has not ended is to apply it.
pub async fn remove(conn: &mut PgConnection, team: TeamId, id: ReleaseId) -> Result<()> {
    sqlx::query(
        "delete from releases where team_id = $1 and id = $2 and not exists ( \
             select 1 from deployments d where d.from_release = $2 \
               and d.status not in ('live', 'failed', 'cancelled', 'superseded'))",
    )
    .bind(team)
    .bind(id)
    .execute(conn)
    .await?;
    Ok(())
}

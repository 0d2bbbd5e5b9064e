//! The variables of environments: sealed sets, each change a new version.

use model::{EnvironmentId, TeamId, UserId};
use sqlx::{PgConnection, Result};

/// Adds a version.
pub async fn insert(
    conn: &mut PgConnection,
    team: TeamId,
    environment: EnvironmentId,
    version: i64,
    sealed: &[u8],
    set_by: Option<UserId>,
) -> Result<()> {
    sqlx::query(
        "insert into variable_sets (team_id, environment_id, version, sealed, set_by) values ($1, $2, $3, $4, $5)",
    )
    .bind(team)
    .bind(environment)
    .bind(version)
    .bind(sealed)
    .bind(set_by)
    .execute(conn)
    .await?;
    Ok(())
}

/// One version, sealed; `None` for version 0 and for one that is no longer kept.
pub async fn sealed(
    conn: &mut PgConnection,
    team: TeamId,
    environment: EnvironmentId,
    version: i64,
) -> Result<Option<Vec<u8>>> {
    sqlx::query_scalar("select sealed from variable_sets where team_id = $1 and environment_id = $2 and version = $3")
        .bind(team)
        .bind(environment)
        .bind(version)
        .fetch_optional(conn)
        .await
}

/// Forgets the versions that neither the environment nor a kept release nor a deployment that has not ended needs.
pub async fn prune(conn: &mut PgConnection, team: TeamId, environment: EnvironmentId) -> Result<()> {
    sqlx::query(
        "delete from variable_sets v where v.team_id = $1 and v.environment_id = $2 \
           and v.version < (select variables_version from environments where id = $2) \
           and not exists (select 1 from releases r where r.environment_id = $2 and r.variables_version = v.version) \
           and not exists (select 1 from deployments d where d.environment_id = $2 \
               and d.status not in ('live', 'failed', 'cancelled', 'superseded') \
               and (d.variables_version = v.version or d.status <> 'queued'))",
    )
    .bind(team)
    .bind(environment)
    .execute(conn)
    .await?;
    Ok(())
}

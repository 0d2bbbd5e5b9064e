//! The door of every use case on sites and deployments: what a caller may not know of is not found (404), what it may
//! see but not change is forbidden (403), what is being removed cannot be changed (409).

use crate::Result;
use model::{Actor, DeliveryId, DeploymentId, Problem, Role, SiteId, TeamId};
use sqlx::PgConnection;
use store::{deliveries::DeliveryRow, deployments::DeploymentRow, environments::EnvironmentRow, sites::SiteRow};

/// A site that the actor may see.
pub(crate) async fn site(conn: &mut PgConnection, actor: &Actor, id: SiteId) -> Result<SiteRow> {
    Ok(store::sites::by_id(conn, &actor.teams(), id).await?.ok_or_else(|| Problem::not_found("site"))?)
}

/// A site that the actor may change.
pub(crate) async fn site_to_change(conn: &mut PgConnection, actor: &Actor, id: SiteId) -> Result<SiteRow> {
    let site = site(conn, actor, id).await?;
    may_write(actor, site.team_id)?;
    if site.deleting_at.is_some() {
        return Err(Problem::conflict("site_deleting", "This site is being removed.").into());
    }
    Ok(site)
}

/// A site of which the actor may change what its team and its forges rely on, held until the transaction ends.
pub(crate) async fn site_to_administer(conn: &mut PgConnection, actor: &Actor, id: SiteId) -> Result<SiteRow> {
    let site = site_to_change(conn, actor, id).await?;
    if !actor.role_in(site.team_id).is_some_and(Role::may_administer) {
        return Err(Problem::forbidden().into());
    }
    Ok(store::sites::lock(conn, &[site.team_id], id).await?.ok_or_else(|| Problem::not_found("site"))?)
}

/// A delivery that the actor may see.
pub(crate) async fn delivery(conn: &mut PgConnection, actor: &Actor, id: DeliveryId) -> Result<DeliveryRow> {
    Ok(store::deliveries::by_id(conn, &actor.teams(), id).await?.ok_or_else(|| Problem::not_found("delivery"))?)
}

/// An environment of a site that was found.
pub(crate) async fn environment(conn: &mut PgConnection, site: &SiteRow, name: &str) -> Result<EnvironmentRow> {
    let found = store::environments::by_name(conn, site.team_id, site.id, name).await?;
    Ok(found.ok_or_else(|| Problem::not_found("environment"))?)
}

/// An environment of a site that may be changed, held until the transaction ends.
pub(crate) async fn environment_to_change(
    conn: &mut PgConnection,
    site: &SiteRow,
    name: &str,
) -> Result<EnvironmentRow> {
    let found = store::environments::lock_by_name(conn, site.team_id, site.id, name).await?;
    let environment = found.ok_or_else(|| Problem::not_found("environment"))?;
    if environment.deleting_at.is_some() {
        return Err(environment_deleting().into());
    }
    Ok(environment)
}

/// 409: what is being removed cannot be changed.
pub(crate) fn environment_deleting() -> Problem {
    Problem::conflict("environment_deleting", "This environment is being removed.")
}

/// The environment of a deployment that was found, held until the transaction ends.
pub(crate) async fn environment_of(conn: &mut PgConnection, row: &DeploymentRow) -> Result<EnvironmentRow> {
    let site = store::sites::by_id(conn, &[row.team_id], row.site_id).await?;
    environment_to_change(conn, &site.ok_or_else(|| Problem::not_found("site"))?, &row.environment).await
}

/// A deployment that the actor may see.
pub(crate) async fn deployment(conn: &mut PgConnection, actor: &Actor, id: DeploymentId) -> Result<DeploymentRow> {
    Ok(store::deployments::by_id(conn, &actor.teams(), id).await?.ok_or_else(|| Problem::not_found("deployment"))?)
}

/// A deployment of a site that the actor may change.
pub(crate) async fn deployment_to_change(
    conn: &mut PgConnection,
    actor: &Actor,
    id: DeploymentId,
) -> Result<DeploymentRow> {
    let row = deployment(conn, actor, id).await?;
    site_to_change(conn, actor, row.site_id).await?;
    Ok(row)
}

/// The actor's role in the team allows changes.
pub(crate) fn may_write(actor: &Actor, team: TeamId) -> Result<()> {
    match actor.role_in(team) {
        Some(role) if role.may_write() => Ok(()),
        Some(_) => Err(Problem::forbidden().into()),
        None => Err(Problem::not_found("team").into()),
    }
}

/// 422 for a cursor that this platform did not give out.
pub(crate) fn bad_cursor() -> Problem {
    Problem::invalid("cursor", "cursor", "Pass the `next_cursor` of the page before, as it is.")
}

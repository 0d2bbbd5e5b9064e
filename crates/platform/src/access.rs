//! The door of every use case on sites and deployments: what a caller may not know of is not found (404), what it may
//! see but not change, by its role or by its token, is forbidden (403), what is being removed cannot be changed (409).

use crate::Result;
use model::{Actor, DeliveryId, DeploymentId, Problem, Role, Scope, SiteId, TeamId};
use sqlx::PgConnection;
use store::{
    deliveries::DeliveryRow, deployments::DeploymentRow, environments::EnvironmentRow, members::Member, sites::SiteRow,
    teams::Team,
};

/// A site that the actor may see.
pub(crate) async fn site(conn: &mut PgConnection, actor: &Actor, id: SiteId) -> Result<SiteRow> {
    let site = store::sites::by_id(conn, &actor.teams(), id).await?.filter(|site| is_known(actor, site.id));
    let site = site.ok_or_else(|| Problem::not_found("site"))?;
    may_read(actor)?;
    Ok(site)
}

/// A site that the actor may change in this way.
pub(crate) async fn site_to_change(
    conn: &mut PgConnection,
    actor: &Actor,
    scope: Scope,
    id: SiteId,
) -> Result<SiteRow> {
    let site = site(conn, actor, id).await?;
    may(actor, scope, site.team_id)?;
    if site.deleting_at.is_some() {
        return Err(Problem::conflict("site_deleting", "This site is being removed.").into());
    }
    Ok(site)
}

/// A site of which the actor may change what its team and its forges rely on, held until the transaction ends.
pub(crate) async fn site_to_administer(conn: &mut PgConnection, actor: &Actor, id: SiteId) -> Result<SiteRow> {
    let site = site_to_change(conn, actor, Scope::SitesWrite, id).await?;
    if !actor.role_in(site.team_id).is_some_and(Role::may_administer) {
        return Err(Problem::forbidden().into());
    }
    Ok(store::sites::lock(conn, &[site.team_id], id).await?.ok_or_else(|| Problem::not_found("site"))?)
}

/// A team of the actor, who signed in itself, and its membership by what is stored now; the team is held until the
/// transaction ends, so that what is decided about its members happens one after the other.
pub(crate) async fn team_in_person(conn: &mut PgConnection, actor: &Actor, id: TeamId) -> Result<(Team, Member)> {
    let unknown = || Problem::not_found("team");
    actor.role_in(id).ok_or_else(unknown)?;
    in_person(actor)?;
    let user = actor.user.ok_or_else(Problem::unauthenticated)?;
    let team = store::teams::lock(conn, id).await?.ok_or_else(unknown)?;
    let me = store::members::get(conn, id, user).await?.ok_or_else(unknown)?;
    Ok((team, me))
}

/// A delivery that the actor may see.
pub(crate) async fn delivery(conn: &mut PgConnection, actor: &Actor, id: DeliveryId) -> Result<DeliveryRow> {
    let row = store::deliveries::by_id(conn, &actor.teams(), id).await?.filter(|row| is_known(actor, row.site_id));
    let row = row.ok_or_else(|| Problem::not_found("delivery"))?;
    may_read(actor)?;
    Ok(row)
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
    let row = store::deployments::by_id(conn, &actor.teams(), id).await?.filter(|row| is_known(actor, row.site_id));
    let row = row.ok_or_else(|| Problem::not_found("deployment"))?;
    may_read(actor)?;
    Ok(row)
}

/// A deployment that the actor may do something with.
pub(crate) async fn deployment_to_change(
    conn: &mut PgConnection,
    actor: &Actor,
    id: DeploymentId,
) -> Result<DeploymentRow> {
    let row = deployment(conn, actor, id).await?;
    site_to_change(conn, actor, Scope::Deploy, row.site_id).await?;
    Ok(row)
}

/// The actor's role in the team allows changes, and its token, if it came with one, changes of this kind.
pub(crate) fn may(actor: &Actor, scope: Scope, team: TeamId) -> Result<()> {
    match actor.role_in(team) {
        Some(role) if role.may_write() => allows(actor, scope),
        Some(_) => Err(Problem::forbidden().into()),
        None => Err(Problem::not_found("team").into()),
    }
}

/// The team in which the actor makes something new that is no site's: this one, or the first that it may write in.
pub(crate) fn team_to_write(actor: &Actor, team: Option<TeamId>) -> Result<TeamId> {
    let first = || actor.memberships.iter().find(|(_, role)| role.may_write()).map(|(team, _)| *team);
    let team = team.or_else(first).ok_or_else(Problem::forbidden)?;
    may(actor, Scope::SitesWrite, team)?;
    if actor.only_site().is_some() {
        let detail = "This token is for one site, and makes no other.";
        return Err(Problem::new(403, "insufficient_scope", detail).into());
    }
    Ok(team)
}

/// The actor signed in itself: what concerns an account is not for a token, which another may have.
pub(crate) fn in_person(actor: &Actor) -> Result<()> {
    if actor.grant.is_none() {
        return Ok(());
    }
    let detail = "This is not for API tokens; sign in with your password.";
    Err(Problem::new(403, "token_not_allowed", detail).into())
}

/// Whoever may do something with sites may see them.
pub(crate) fn may_read(actor: &Actor) -> Result<()> {
    let implied = [Scope::SitesWrite, Scope::Deploy, Scope::Variables];
    if implied.into_iter().any(|scope| actor.may(scope)) { Ok(()) } else { allows(actor, Scope::SitesRead) }
}

/// The actor's token, if it came with one, is not for another site alone.
pub(crate) fn is_known(actor: &Actor, site: SiteId) -> bool {
    actor.only_site().is_none_or(|only| only == site)
}

/// The actor came with no token, or with one that is good for this.
pub(crate) fn allows(actor: &Actor, scope: Scope) -> Result<()> {
    if actor.may(scope) {
        return Ok(());
    }
    let detail = format!("This token may not do this; it takes one with the scope “{}”.", scope.as_str());
    Err(Problem::new(403, "insufficient_scope", detail).into())
}

/// 422 for a cursor that this platform did not give out.
pub(crate) fn bad_cursor() -> Problem {
    Problem::invalid("cursor", "cursor", "Pass the `next_cursor` of the page before, as it is.")
}

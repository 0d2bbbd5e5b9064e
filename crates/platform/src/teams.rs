//! Teams: made, shown, renamed, deleted.

use crate::{Platform, Result, access, audit, audit::Entry};
use model::{
    Actor, Problem, Role, TeamId,
    names::{DisplayName, TeamSlug, suggest_slug},
    views::{TeamDetail, TeamView},
};
use rand::RngExt;
use serde::Deserialize;
use serde_json::json;
use sqlx::PgConnection;
use store::teams::{Membership, Team};
use utoipa::ToSchema;

/// The most teams that an account owns.
const MOST: i64 = 20;

/// What a person sends to make a team, or to give it another name.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TeamNaming)]
pub struct Naming {
    /// Name for people.
    pub name: String,
}

/// The caller's teams, with its role in each, the oldest membership first.
///
/// # Errors
/// 401 for who is no person.
pub async fn list(platform: &Platform, actor: &Actor) -> Result<Vec<TeamView>> {
    let user = actor.user.ok_or_else(Problem::unauthenticated)?;
    let mut conn = platform.pool.acquire().await?;
    let memberships = store::teams::of_user(&mut conn, user).await?;
    let mine = memberships.into_iter().filter(|m| actor.role_in(m.team.id).is_some());
    Ok(mine.map(|Membership { team, role }| view(team, role)).collect())
}

/// One team of the caller.
///
/// # Errors
/// 404 if the caller is no member.
pub async fn get(platform: &Platform, actor: &Actor, id: TeamId) -> Result<TeamDetail> {
    let role = actor.role_in(id).ok_or_else(|| Problem::not_found("team"))?;
    let mut conn = platform.pool.acquire().await?;
    let team = store::teams::get(&mut conn, id).await?.ok_or_else(|| Problem::not_found("team"))?;
    detail(&mut conn, team, role).await
}

/// The caller's team with this slug or this id.
///
/// # Errors
/// 404 if the caller has none.
pub async fn find(platform: &Platform, actor: &Actor, team: &str) -> Result<TeamDetail> {
    let mine = list(platform, actor).await?;
    let found = mine.into_iter().find(|it| it.slug == team || it.id.to_string() == team);
    get(platform, actor, found.ok_or_else(|| Problem::not_found("team"))?.id).await
}

/// Makes a team, whose owner is the caller. Its slug is made from its name and stays for good.
///
/// # Errors
/// 403 `token_not_allowed` for a caller with a token; 409 `too_many_teams`; 422 for the field `name`.
pub async fn create(platform: &Platform, actor: &Actor, new: &Naming) -> Result<TeamDetail> {
    access::in_person(actor)?;
    let user = actor.user.ok_or_else(Problem::unauthenticated)?;
    let name = parse(&new.name)?;
    let mut tx = platform.pool.begin().await?;
    // One after the other for each account, so that the count holds.
    store::users::lock(&mut tx, user).await?;
    if store::teams::owned_by(&mut tx, user).await? >= MOST {
        let detail = format!("An account owns at most {MOST} teams; delete one that is not used.");
        return Err(Problem::conflict("too_many_teams", detail).into());
    }
    let base: String = suggest_slug(name.as_str()).chars().filter(|c| *c != '-').take(18).collect();
    let base = if base.len() < 2 { "team" } else { &base };
    let team = make(&mut tx, name.as_str(), base).await?;
    store::teams::set_member(&mut tx, team.id, user, Role::Owner).await?;
    let entry = Entry::new("team.create", team.id, &team.name).of(team.id);
    audit::record(&mut tx, actor, entry.change(None, json!({ "name": team.name, "slug": team.slug }))).await?;
    let made = detail(&mut tx, team, Role::Owner).await?;
    tx.commit().await?;
    Ok(made)
}

/// Gives a team another name for people. Its slug stays: it is in Git addresses and in the names of containers.
///
/// # Errors
/// 404; 403 for who is neither owner nor administrator of it, or comes with a token; 422 for the field `name`.
pub async fn rename(platform: &Platform, actor: &Actor, id: TeamId, new: &Naming) -> Result<TeamDetail> {
    let name = parse(&new.name)?;
    let mut tx = platform.pool.begin().await?;
    let (team, me) = access::team_in_person(&mut tx, actor, id).await?;
    if !me.role.may_administer() {
        return Err(Problem::forbidden().into());
    }
    store::teams::rename(&mut tx, id, name.as_str()).await?;
    if team.name != name.as_str() {
        let entry = Entry::new("team.rename", id, name.as_str()).of(id);
        let entry = entry.change(json!({ "name": team.name }), json!({ "name": name.as_str() }));
        audit::record(&mut tx, actor, entry).await?;
    }
    let renamed = detail(&mut tx, Team { name: name.into(), ..team }, me.role).await?;
    tx.commit().await?;
    Ok(renamed)
}

/// Deletes a team that has no site, with its memberships, invitations and API tokens.
///
/// # Errors
/// 404; 403 for who does not own it, or comes with a token; 409 `team_has_sites`.
pub async fn delete(platform: &Platform, actor: &Actor, id: TeamId) -> Result<()> {
    let mut tx = platform.pool.begin().await?;
    let (team, me) = access::team_in_person(&mut tx, actor, id).await?;
    if me.role != Role::Owner {
        return Err(Problem::forbidden().into());
    }
    let removed = match store::teams::remove(&mut tx, id).await {
        // One was made just now.
        Err(sqlx::Error::Database(error)) if error.is_foreign_key_violation() => false,
        other => other?,
    };
    if !removed {
        let detail = "This team has sites; delete them, or give them to another team, then delete the team.";
        return Err(Problem::conflict("team_has_sites", detail).into());
    }
    let entry = Entry::new("team.delete", id, &team.name).of(id);
    audit::record(&mut tx, actor, entry.change(json!({ "name": team.name, "slug": team.slug }), None)).await?;
    tx.commit().await?;
    tracing::info!(team = %id, user = ?actor.user, "a team was deleted");
    Ok(())
}

/// Makes a team with the first free slug that begins like this; the base leaves room for six digits.
pub(crate) async fn make(conn: &mut PgConnection, name: &str, base: &str) -> Result<Team> {
    for suffix in 1..=30 {
        // The first few in order, because they read well; then at random, so that a popular name needs no long search.
        let slug = match suffix {
            1 => base.to_owned(),
            2..=9 => format!("{base}{suffix}"),
            _ => format!("{base}{}", rand::rng().random_range(10..1_000_000)),
        };
        let slug = TeamSlug::parse(&slug).map_err(anyhow::Error::from)?;
        if let Some(team) = store::teams::insert(conn, slug.as_str(), name).await? {
            return Ok(team);
        }
    }
    Err(anyhow::anyhow!("no short name is left for a team like “{base}”").into())
}

fn parse(name: &str) -> Result<DisplayName> {
    Ok(DisplayName::parse(name).map_err(|e| Problem::invalid("name", e.code, e.message))?)
}

async fn detail(conn: &mut PgConnection, team: Team, role: Role) -> Result<TeamDetail> {
    let counts = store::teams::counts(conn, team.id).await?.ok_or_else(|| Problem::not_found("team"))?;
    Ok(TeamDetail {
        team: view(team, role),
        members: counts.members,
        owners: counts.owners,
        sites: counts.sites,
        created_at: counts.created_at,
    })
}

/// A team as one of its members sees it.
pub(crate) fn view(team: Team, role: Role) -> TeamView {
    TeamView { id: team.id, slug: team.slug, name: team.name, role: Some(role) }
}

#[cfg(test)]
mod tests;

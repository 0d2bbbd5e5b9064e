//! The administration of the platform: all teams and sites, the machine, the settings. For administrators who signed in
//! themselves; for everybody else, API tokens among them, there is no such thing.

mod machine;
mod signup;
#[cfg(test)]
mod tests;

pub use machine::machine;
pub(crate) use signup::mode;
pub use signup::set as set_signup;

use crate::{Platform, Result, access, deployments, members, quotas, sites};
use model::{
    Actor, Problem, SiteId, TeamId,
    views::{AdminSiteView, AdminTeamView, OverviewView, Page, SettingView, SiteStatus},
};
use std::collections::HashMap;
use store::deployments::DeploymentRow;

/// Teams on a page: each is measured by itself.
const TEAMS: i64 = 20;

/// The actor administers the platform, and signed in itself.
///
/// # Errors
/// 404 for everybody else.
pub(crate) fn only(actor: &Actor) -> Result<()> {
    if actor.is_admin && actor.grant.is_none() { Ok(()) } else { Err(Problem::not_found("page").into()) }
}

/// The installation in numbers, and who may register.
///
/// # Errors
/// 404 for everybody but administrators.
pub async fn overview(platform: &Platform, actor: &Actor) -> Result<OverviewView> {
    only(actor)?;
    let mut conn = platform.pool.acquire().await?;
    let numbers = store::admin::numbers(&mut conn).await?;
    drop(conn);
    Ok(OverviewView {
        accounts: numbers.accounts,
        teams: numbers.teams,
        sites: numbers.sites,
        environments: numbers.environments,
        waiting: numbers.waiting,
        running: numbers.running,
        deployments: numbers.deployments,
        failed: numbers.failed,
        signup: signup::view(platform).await?,
    })
}

/// All teams, newest first, `limit` on a page and at most twenty.
///
/// # Errors
/// 404 for everybody but administrators; 422 for a cursor that is none.
pub async fn teams(
    platform: &Platform,
    actor: &Actor,
    limit: i64,
    cursor: Option<&str>,
) -> Result<Page<AdminTeamView>> {
    only(actor)?;
    let limit = limit.min(TEAMS);
    let before: Option<TeamId> = cursor.map(|text| text.parse().map_err(|_| access::bad_cursor())).transpose()?;
    let mut conn = platform.pool.acquire().await?;
    let mut rows = store::admin::teams(&mut conn, before, limit + 1).await?;
    let has_more = rows.len() > usize::try_from(limit).unwrap_or(20);
    if has_more {
        rows.pop();
    }
    let next_cursor = rows.last().filter(|_| has_more).map(|row| row.id.to_string());
    let mut items = vec![];
    for row in rows {
        items.push(team_view(platform, &mut conn, actor, row).await?);
    }
    Ok(Page { items, next_cursor })
}

/// One team.
///
/// # Errors
/// 404 for everybody but administrators, and where there is none.
pub async fn team(platform: &Platform, actor: &Actor, id: TeamId) -> Result<AdminTeamView> {
    only(actor)?;
    let mut conn = platform.pool.acquire().await?;
    let row = store::admin::team(&mut conn, id).await?.ok_or_else(|| Problem::not_found("team"))?;
    team_view(platform, &mut conn, actor, row).await
}

async fn team_view(
    platform: &Platform,
    conn: &mut sqlx::PgConnection,
    actor: &Actor,
    row: store::admin::TeamRow,
) -> Result<AdminTeamView> {
    let members = store::members::of_team(conn, row.id).await?;
    Ok(AdminTeamView {
        members: members.into_iter().map(|member| members::view(actor, member)).collect(),
        quotas: quotas::view(platform, conn, row.id).await?.items,
        id: row.id,
        slug: row.slug,
        name: row.name,
        created_at: row.created_at,
    })
}

/// The sites of all teams, newest first; `limit` ≤ 100.
///
/// # Errors
/// 404 for everybody but administrators; 422 for a cursor that is none.
pub async fn all_sites(
    platform: &Platform,
    actor: &Actor,
    limit: i64,
    cursor: Option<&str>,
) -> Result<Page<AdminSiteView>> {
    only(actor)?;
    let before: Option<SiteId> = cursor.map(|text| text.parse().map_err(|_| access::bad_cursor())).transpose()?;
    let limit = limit.clamp(1, 100);
    let mut conn = platform.pool.acquire().await?;
    let mut rows = store::admin::sites(&mut conn, before, limit + 1).await?;
    let has_more = rows.len() > usize::try_from(limit).unwrap_or(100);
    if has_more {
        rows.pop();
    }
    let next_cursor = rows.last().filter(|_| has_more).map(|row| row.id.to_string());
    let teams: Vec<TeamId> = rows.iter().map(|row| row.team_id).collect();
    let ids: Vec<SiteId> = rows.iter().map(|row| row.id).collect();
    let newest: HashMap<SiteId, DeploymentRow> = store::deployments::newest_of(&mut conn, &teams, &ids)
        .await?
        .into_iter()
        .map(|row| (row.site_id, row))
        .collect();
    let mut primary: HashMap<SiteId, String> =
        store::domains::primary_of_production(&mut conn, &teams, &ids).await?.into_iter().collect();
    let items = rows.into_iter().map(|row| {
        let newest = newest.get(&row.id);
        let own = || sites::host(platform, &row.slug, crate::environments::PRODUCTION);
        AdminSiteView {
            url: platform.settings.site_url(&primary.remove(&row.id).unwrap_or_else(own)),
            status: if row.is_going { SiteStatus::Deleting } else { sites::status(newest, row.serves) },
            latest_deployment: newest.map(deployments::summary),
            id: row.id,
            slug: row.slug,
            name: row.name,
            team_id: row.team_id,
            team_name: row.team_name,
            created_at: row.created_at,
        }
    });
    Ok(Page { items: items.collect(), next_cursor })
}

/// The settings of this process, as `webmeteor config` prints them.
///
/// # Errors
/// 404 for everybody but administrators.
pub fn settings(platform: &Platform, actor: &Actor) -> Result<Vec<SettingView>> {
    only(actor)?;
    Ok(platform.settings.shown.clone())
}

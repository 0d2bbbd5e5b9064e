//! A site as the dashboard and the API show it.

use crate::{Platform, Result, deploy_keys, labels, machine, sites::host};
use docker::ContainerSummary;
use model::{
    Actor, Role, SiteId, TeamId,
    deployment::Status,
    plan::ReleasePlan,
    site::Source,
    views::{RepositoryView, ServiceView, SiteStatus, SiteView, TeamView},
};
use sqlx::PgConnection;
use std::{collections::HashMap, time::Duration};
use store::{deployments::DeploymentRow, sites::SiteRow};

/// The engine may be slow or away; a page does not wait for it longer than this.
const ENGINE_PATIENCE: Duration = Duration::from_millis(1500);

pub(super) async fn one(platform: &Platform, conn: &mut PgConnection, actor: &Actor, row: SiteRow) -> Result<SiteView> {
    let teams = [row.team_id];
    let newest = store::deployments::newest_of(conn, &teams, &[row.id]).await?;
    let plan = production_plan(conn, row.team_id, row.id).await?;
    let environment = store::environments::by_name(conn, row.team_id, row.id, "production").await?;
    let filter = labels::of_site(platform, row.id);
    let containers = containers(platform, &filter).await;
    let branch = environment.map(|e| e.branch).unwrap_or_default();
    let is_told = row.repository_token.is_some() || row.github_installation.is_some();
    let report_problem = if is_told { store::reports::trouble(conn, row.team_id, row.id).await? } else { None };
    let primary = store::domains::primary_of_production(conn, &teams, &[row.id]).await?.pop().map(|(_, host)| host);
    let mut view = view(platform, actor, row, branch, primary, newest.first(), plan.as_ref(), containers.as_deref());
    view.repository.report_problem = report_problem;
    Ok(view)
}

pub(super) async fn many(
    platform: &Platform,
    conn: &mut PgConnection,
    actor: &Actor,
    rows: Vec<SiteRow>,
) -> Result<Vec<SiteView>> {
    let teams = actor.teams();
    let ids: Vec<SiteId> = rows.iter().map(|row| row.id).collect();
    let newest: HashMap<SiteId, DeploymentRow> =
        store::deployments::newest_of(conn, &teams, &ids).await?.into_iter().map(|row| (row.site_id, row)).collect();
    let current = store::releases::current_production(conn, &teams, &ids).await?;
    let branches: HashMap<SiteId, String> =
        store::environments::production_branches(conn, &teams, &ids).await?.into_iter().collect();
    let plans: HashMap<SiteId, &ReleasePlan> = current.iter().map(|row| (row.plan.site, &row.plan.0)).collect();
    let mut primary: HashMap<SiteId, String> =
        store::domains::primary_of_production(conn, &teams, &ids).await?.into_iter().collect();
    let filter = labels::of_instance(platform);
    let containers = if plans.is_empty() { Some(vec![]) } else { containers(platform, &filter).await };
    Ok(rows
        .into_iter()
        .map(|row| {
            let (newest, plan) = (newest.get(&row.id), plans.get(&row.id).copied());
            let branch = branches.get(&row.id).cloned().unwrap_or_default();
            let primary = primary.remove(&row.id);
            view(platform, actor, row, branch, primary, newest, plan, containers.as_deref())
        })
        .collect())
}

async fn production_plan(conn: &mut PgConnection, team: TeamId, site: SiteId) -> Result<Option<ReleasePlan>> {
    Ok(store::releases::current_production(conn, &[team], &[site]).await?.pop().map(|row| row.plan.0))
}

/// The containers with these labels; `None` where the engine does not answer.
pub(crate) async fn containers(platform: &Platform, filter: &docker::Labels) -> Option<Vec<ContainerSummary>> {
    tokio::time::timeout(ENGINE_PATIENCE, machine::containers(platform, filter)).await.ok()?.ok()
}

#[expect(clippy::too_many_arguments, reason = "each is read by itself, for one site or for many")]
fn view(
    platform: &Platform,
    actor: &Actor,
    row: SiteRow,
    branch: String,
    primary: Option<String>,
    newest: Option<&DeploymentRow>,
    plan: Option<&ReleasePlan>,
    containers: Option<&[ContainerSummary]>,
) -> SiteView {
    let settings = &platform.settings;
    let is_going = row.deleting_at.is_some();
    let status = if is_going { SiteStatus::Deleting } else { status(newest, plan.is_some()) };
    SiteView {
        id: row.id,
        url: settings.site_url(&primary.unwrap_or_else(|| host(platform, &row.slug, "production"))),
        status,
        services: plan.map(|plan| services(plan, containers)).unwrap_or_default(),
        repository: repository(platform, actor, &row, branch),
        webhook: crate::webhooks::view(platform, &row),
        previews: crate::previews::settings(&row),
        latest_deployment: newest.map(crate::deployments::summary),
        created_at: row.created_at,
        team: TeamView { id: row.team_id, slug: row.team_slug, name: row.team_name, role: actor.role_in(row.team_id) },
        slug: row.slug,
        name: row.name,
    }
}

/// How an environment stands that is not being removed.
pub(crate) fn status(newest: Option<&DeploymentRow>, serves: bool) -> SiteStatus {
    match newest.map(DeploymentRow::status) {
        Some(status) if !status.is_final() => SiteStatus::Deploying,
        _ if serves => SiteStatus::Live,
        Some(Status::Failed) => SiteStatus::Failed,
        _ => SiteStatus::New,
    }
}

fn repository(platform: &Platform, actor: &Actor, row: &SiteRow, branch: String) -> RepositoryView {
    let hosted = || format!("{}/git/{}/{}.git", platform.settings.public_url, row.team_slug, row.slug);
    let (kind, clone_url, template) = match &row.source.0 {
        Source::Template(id) => ("hosted", hosted(), Some(id.clone())),
        Source::Hosted {} => ("hosted", hosted(), None),
        Source::Git { url, .. } => ("remote", url.to_string(), None),
    };
    let may_change = actor.role_in(row.team_id).is_some_and(Role::may_write);
    RepositoryView {
        kind: kind.into(),
        clone_url,
        branch,
        template,
        has_token: row.repository_token.is_some(),
        deploy_key: deploy_keys::view_of_site(row).filter(|_| may_change),
        through_github: row.github_installation.is_some(),
        report_problem: None,
    }
}

/// The services of a release, as their containers run.
pub(crate) fn services(plan: &ReleasePlan, containers: Option<&[ContainerSummary]>) -> Vec<ServiceView> {
    plan.containers
        .iter()
        .map(|planned| {
            let status = match containers {
                None => "unknown",
                Some(all) => all
                    .iter()
                    .find(|c| c.address == Some(planned.address) && labels::is_environment(&c.labels, plan.environment))
                    .map_or("missing", |c| if c.running { "running" } else { "stopped" }),
            };
            ServiceView {
                name: planned.service.to_string(),
                status: status.into(),
                route: planned.spec.route.clone(),
                image: match &planned.spec.source {
                    model::site::ServiceSource::Image(image) => image.clone(),
                    model::site::ServiceSource::Build { .. } => planned.image.clone(),
                },
                port: planned.spec.port,
            }
        })
        .collect()
}

//! An environment as the dashboard and the API show it.

use crate::{Platform, Result, deployments, domains, labels, sites};
use model::{
    EnvironmentId,
    plan::ReleasePlan,
    views::{EnvironmentView, SiteStatus},
};
use sqlx::PgConnection;
use std::collections::HashMap;
use store::{deployments::DeploymentRow, environments::EnvironmentRow, sites::SiteRow};

pub(super) async fn one(
    platform: &Platform,
    conn: &mut PgConnection,
    site: &SiteRow,
    row: EnvironmentRow,
) -> Result<EnvironmentView> {
    let mut views = many(platform, conn, site, vec![row]).await?;
    Ok(views.pop().ok_or_else(|| anyhow::anyhow!("one environment has one view"))?)
}

pub(super) async fn many(
    platform: &Platform,
    conn: &mut PgConnection,
    site: &SiteRow,
    rows: Vec<EnvironmentRow>,
) -> Result<Vec<EnvironmentView>> {
    let ids: Vec<EnvironmentId> = rows.iter().map(|row| row.id).collect();
    let newest = by_environment(store::deployments::newest_of_environments(conn, site.team_id, &ids).await?);
    let current = by_environment(store::deployments::current_of_environments(conn, site.team_id, &ids).await?);
    let plans: HashMap<EnvironmentId, ReleasePlan> = store::releases::current_of(conn, site.team_id, &ids)
        .await?
        .into_iter()
        .map(|release| (release.environment_id, release.plan.0))
        .collect();
    let urls = domains::urls(platform, conn, site.team_id, &ids).await?;
    let filter = labels::of_site(platform, site.id);
    let containers = if plans.is_empty() { Some(vec![]) } else { sites::containers(platform, &filter).await };
    Ok(rows
        .into_iter()
        .map(|row| {
            let (newest, plan) = (newest.get(&row.id), plans.get(&row.id));
            let is_going = site.deleting_at.is_some() || row.deleting_at.is_some();
            let status = if is_going { SiteStatus::Deleting } else { sites::status(newest, plan.is_some()) };
            let host = sites::host(platform, &site.slug, &row.name);
            EnvironmentView {
                url: urls.get(&row.id).cloned().unwrap_or_else(|| platform.settings.site_url(&host)),
                host,
                status,
                paused: row.paused_at.is_some(),
                services: plan.map(|plan| sites::services(plan, containers.as_deref())).unwrap_or_default(),
                current_deployment: current.get(&row.id).map(deployments::summary),
                latest_deployment: newest.map(deployments::summary),
                name: row.name,
                branch: row.branch,
                root: row.root,
                watch: row.watch,
                created_at: row.created_at,
            }
        })
        .collect())
}

fn by_environment(rows: Vec<DeploymentRow>) -> HashMap<EnvironmentId, DeploymentRow> {
    rows.into_iter().map(|row| (row.environment_id, row)).collect()
}

//! From a release to the routes of the proxy and to the site's folder.

use crate::{Platform, Result, machine, secrets::EnvironmentSecrets};
use anyhow::Context;
use model::{EnvironmentId, TeamId, plan::ReleasePlan};
use proxy::{SiteRoutes, compose::ComposeInput, routes::RouteService};
use std::{collections::BTreeMap, time::Duration};
use store::environments::EnvironmentRow;

/// The proxy may take so long to follow a change of an environment's domains.
const PATIENCE: Duration = Duration::from_secs(3);

/// The routes of a release: the services with a path, on the site's hosts and on the domains that lead to it.
pub(crate) fn of(release: &ReleasePlan, domains: &[String]) -> SiteRoutes {
    SiteRoutes {
        key: key(release.environment),
        hosts: release.hosts.iter().chain(domains).cloned().collect(),
        services: release
            .containers
            .iter()
            .filter_map(|container| {
                Some(RouteService {
                    name: container.service.to_string(),
                    address: container.address,
                    port: container.spec.port,
                    path: container.spec.route.clone()?,
                    strip: container.spec.strip_prefix,
                })
            })
            .collect(),
    }
}

/// Names an environment's routes in the proxy.
pub(crate) fn key(environment: EnvironmentId) -> String {
    environment.to_string()
}

/// Writes the environment's folder: what runs equals what `docker compose up -d` would run there.
pub(crate) async fn write_folder(
    platform: &Platform,
    environment: &EnvironmentRow,
    secrets: &EnvironmentSecrets,
    release: &ReleasePlan,
    domains: &[String],
) -> Result<()> {
    let input = ComposeInput {
        plan: release,
        domains,
        labels: release
            .containers
            .iter()
            .map(|c| (c.service.to_string(), machine::container_labels(platform, release, c)))
            .collect(),
        environment: release
            .containers
            .iter()
            .map(|c| (c.service.to_string(), secrets.own(release, c)))
            .collect::<BTreeMap<_, _>>(),
    };
    let compose = proxy::compose::render(&input).context("writing docker-compose.yaml")?;
    let env = proxy::compose::render_env(&secrets.shared(platform, environment, release));
    let folder = platform.environment_folder(release, &environment.name);
    tokio::task::spawn_blocking(move || proxy::compose::write(&folder, &compose, &env))
        .await
        .context("writing a site's folder")?
        .context("writing a site's folder")?;
    Ok(())
}

/// Leads the domains of an environment, and no others, to the release that serves. Where none serves, or a deployment is
/// just moving the route, nothing is done: whoever writes the route next reads the domains anew.
pub(crate) async fn refresh(platform: &Platform, team: TeamId, environment: EnvironmentId) -> Result<()> {
    let mut tx = platform.pool.begin().await?;
    let Some((Some(release), false)) = store::reconcile::hold_route(&mut tx, team, environment).await? else {
        return Ok(());
    };
    let row = store::environments::by_id(&mut tx, team, environment).await?;
    let release = store::releases::by_id(&mut tx, team, release).await?;
    let (Some(row), Some(release)) = (row.filter(|row| row.deleting_at.is_none()), release) else { return Ok(()) };
    let site = store::sites::by_id(&mut tx, &[team], row.site_id).await?;
    if site.is_none_or(|site| site.deleting_at.is_some()) {
        return Ok(());
    }
    let domains = store::domains::leading(&mut tx, team, environment).await?;
    let secrets = EnvironmentSecrets::open(platform, &mut tx, &row, release.variables_version).await?;
    let new = of(&release.plan, &domains);
    platform.proxy.put(&new).await?;
    write_folder(platform, &row, &secrets, &release.plan, &domains).await?;
    tx.commit().await?;
    platform.proxy.confirm(&new, PATIENCE).await?;
    Ok(())
}

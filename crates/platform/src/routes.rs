//! From a release to the routes of the proxy and to the site's folder.

use crate::{Platform, machine, secrets::EnvironmentSecrets};
use anyhow::Context;
use model::plan::ReleasePlan;
use proxy::{SiteRoutes, compose::ComposeInput, routes::RouteService};
use std::collections::BTreeMap;
use store::environments::EnvironmentRow;

/// The routes of a release: the services with a path on the site's hosts.
pub(crate) fn of(release: &ReleasePlan) -> SiteRoutes {
    SiteRoutes {
        key: key(release.environment),
        hosts: release.hosts.clone(),
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
pub(crate) fn key(environment: model::EnvironmentId) -> String {
    environment.to_string()
}

/// Writes the environment's folder: what runs equals what `docker compose up -d` would run there.
pub(crate) async fn write_folder(
    platform: &Platform,
    environment: &EnvironmentRow,
    secrets: &EnvironmentSecrets,
    release: &ReleasePlan,
) -> crate::Result<()> {
    let input = ComposeInput {
        plan: release,
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

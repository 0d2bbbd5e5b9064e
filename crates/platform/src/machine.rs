//! From a plan to the engine: what the pipeline and the reconciler make, they make through here, so that both make
//! the same.

use crate::{Platform, labels, plan, secrets::EnvironmentSecrets};
use docker::{ContainerSummary, HealthCommand, Labels, NetworkSpec, SiteContainer};
use model::plan::{ContainerPlan, NetworkPlan, ReleasePlan};
use std::time::Duration;
use store::environments::EnvironmentRow;

/// Marks the containers that keep data and outlive releases.
const STATEFUL: &str = "webmeteor.stateful";
/// Processes and threads of one service.
const PIDS: u32 = 256;
/// How long a container may take to end before it is killed.
pub(crate) const STOP_GRACE: Duration = Duration::from_secs(10);
/// A database is given more: it writes everything to disk.
const STATEFUL_STOP_GRACE: Duration = Duration::from_mins(1);

/// The container keeps data and outlives releases.
pub(crate) fn is_stateful(labels: &Labels) -> bool {
    labels.contains_key(STATEFUL)
}

/// The containers with these labels. What a build makes for its steps inherits the labels of the image, and is left out:
/// it belongs to no release, and goes with its build.
pub(crate) async fn containers(platform: &Platform, filter: &Labels) -> docker::Result<Vec<ContainerSummary>> {
    let mut found = platform.engine.list_containers(filter).await?;
    found.retain(|it| it.labels.contains_key(labels::DEPLOYMENT) || it.labels.contains_key(labels::PROXY));
    Ok(found)
}

/// How long a container may take to end.
pub(crate) fn stop_grace(is_stateful: bool) -> Duration {
    if is_stateful { STATEFUL_STOP_GRACE } else { STOP_GRACE }
}

/// Makes an environment's network unless it is there.
pub(crate) async fn ensure_network(
    platform: &Platform,
    network: &NetworkPlan,
    environment: &Labels,
) -> docker::Result<()> {
    let spec = NetworkSpec {
        name: network.name.clone(),
        base: network.base,
        prefix: network.prefix,
        labels: environment.clone(),
    };
    platform.engine.ensure_network(&spec).await
}

/// One container of a release, as the engine is asked for it.
pub(crate) fn site_container(
    platform: &Platform,
    environment: &EnvironmentRow,
    secrets: &EnvironmentSecrets,
    release: &ReleasePlan,
    container: &ContainerPlan,
    name: &str,
) -> SiteContainer {
    let mut spec = SiteContainer::new(name, &container.image, &release.network.name, container.address);
    let mut env = if container.stateful {
        std::collections::BTreeMap::new()
    } else {
        secrets.shared(platform, environment, release)
    };
    env.extend(secrets.own(release, container));
    spec.env = env.into_iter().collect();
    spec.aliases = vec![container.service.to_string()];
    spec.labels = container_labels(platform, release, container);
    spec.command.clone_from(&container.spec.command);
    spec.memory_bytes = container.spec.memory_bytes;
    spec.cpu_millis = container.spec.cpu_millis;
    spec.pids_limit = PIDS;
    spec.volumes = volumes(release, container);
    spec.stop_timeout = stop_grace(container.stateful);
    spec.health = container.spec.health.command.as_ref().map(|argv| HealthCommand {
        argv: argv.clone(),
        interval: Duration::from_millis(container.spec.health.interval_ms.max(500)),
        timeout: Duration::from_millis(container.spec.health.timeout_ms),
        retries: container.spec.health.retries,
        start_period: Duration::from_millis(container.spec.health.start_period_ms),
    });
    spec
}

/// The labels of one container of a release.
pub(crate) fn container_labels(platform: &Platform, release: &ReleasePlan, container: &ContainerPlan) -> Labels {
    let environment = labels::of_environment(platform, release.team, release.site, release.environment);
    let mut labels = labels::of_service(environment, release.deployment, container.service.as_str());
    if container.stateful {
        labels.insert(STATEFUL.into(), "true".into());
    }
    labels
}

/// The named volumes of one container: (name on the engine, path inside).
pub(crate) fn volumes(release: &ReleasePlan, container: &ContainerPlan) -> Vec<(String, String)> {
    container.spec.volumes.iter().map(|(name, path)| (format!("{}-{name}", release.project), path.clone())).collect()
}

/// What became of a container that outlives releases.
pub(crate) enum Stateful {
    /// It already ran.
    Running,
    /// It was made or started again.
    Started,
}

/// Makes sure that a container which keeps data runs; it is never replaced by a deployment.
pub(crate) async fn ensure_stateful(platform: &Platform, spec: &SiteContainer) -> docker::Result<Stateful> {
    match platform.engine.inspect(&spec.name).await? {
        Some(there) if there.running => Ok(Stateful::Running),
        Some(_) => {
            platform.engine.start(&spec.name).await?;
            Ok(Stateful::Started)
        }
        None => {
            platform.engine.start_site_container(spec).await?;
            Ok(Stateful::Started)
        }
    }
}

/// The container of a release, whether it still has its overlap name or has its plain one already.
pub(crate) async fn find(
    platform: &Platform,
    release: &ReleasePlan,
    container: &ContainerPlan,
) -> docker::Result<Option<docker::ContainerState>> {
    let deployment = release.deployment.to_string();
    for name in [&container.name, &plan::overlap_name(container, release.deployment)] {
        let found = platform
            .engine
            .inspect(name)
            .await?
            .filter(|there| container.stateful || there.labels.get(labels::DEPLOYMENT) == Some(&deployment));
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

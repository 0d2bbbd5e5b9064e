//! What builds are confined to: a control group with limits, and a network from which little can be reached.
//!
//! What the engine cannot do is done beside it where this process may (it runs as root, on the engine's own machine);
//! where it may not, builds run with the limits that the engine itself puts on each step, and the log says so once.

mod cgroup;

use crate::{Platform, firewall, labels, plan};
use cgroup::Group;
use docker::NetworkSpec;
use model::DeploymentId;
use std::{
    sync::Once,
    time::{Duration, Instant},
};

/// At its limit of processes for so long, a build only tries in vain to start more.
const AT_LIMIT: Duration = Duration::from_secs(5);
/// Between two looks at a build that runs.
const LOOK: Duration = Duration::from_millis(250);
/// What is told once is told by the process's whole life.
static TOLD: Once = Once::new();

/// The confines of one build; they go when this is dropped.
pub(crate) struct Confines {
    group: Option<Group>,
    network: Option<String>,
    most_processes: u64,
}

impl Confines {
    /// Makes them for a deployment's build.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) async fn make(platform: &Platform, deployment: DeploymentId) -> docker::Result<Self> {
        let limits = &platform.settings.limits;
        let kind = platform.engine.cgroups().await?;
        let group = Group::make(kind, &platform.settings, deployment).await.inspect_err(|error| {
            TOLD.call_once(|| {
                tracing::warn!(%error, "builds have no limits in common, and none on processes, only those of each step");
            });
        });
        let network = network(platform).await?;
        Ok(Self { group: group.ok(), network, most_processes: u64::from(limits.build_processes) })
    }

    /// The control group for the engine's own groups of the build's steps.
    pub(crate) fn cgroup_parent(&self) -> Option<String> {
        self.group.as_ref().map(|group| group.parent().to_owned())
    }

    /// The network of the build's steps; `None`: the engine's default.
    pub(crate) fn network(&self) -> Option<String> {
        self.network.clone()
    }

    /// Ends once the build has been at its limit of processes for a while.
    pub(crate) async fn until_overrun(&self) {
        let Some(group) = &self.group else { return std::future::pending().await };
        let mut since = None;
        loop {
            tokio::time::sleep(LOOK).await;
            if group.processes().is_some_and(|now| now >= self.most_processes) {
                if since.get_or_insert_with(Instant::now).elapsed() >= AT_LIMIT {
                    return;
                }
            } else {
                since = None;
            }
        }
    }

    /// The build once had as many processes as it may.
    pub(crate) fn reached_most_processes(&self) -> bool {
        self.group.as_ref().and_then(Group::most_processes).is_some_and(|most| most >= self.most_processes)
    }
}

/// The builds' network of this installation, out of its pool of subnets; `None` where the pool is too small for one.
async fn network(platform: &Platform) -> docker::Result<Option<String>> {
    let Some((base, prefix)) = plan::build_subnet(&platform.settings) else { return Ok(None) };
    let spec = NetworkSpec { name: network_name(platform), base, prefix, labels: labels::of_instance(platform) };
    let bridge = format!("{}{}", firewall::BRIDGES, platform.settings.instance);
    platform.engine.ensure_build_network(&spec, &bridge).await?;
    firewall::confine_builds().await;
    Ok(Some(spec.name))
}

fn network_name(platform: &Platform) -> String {
    format!("webmeteor-{}-builds", platform.settings.instance)
}

/// Removes containers of builds that no longer run: the engine forgets them when it is killed during a build. Between
/// two builds their control groups go too.
pub(crate) async fn remove_strangers(platform: &Platform) -> crate::Result<()> {
    let there = platform.engine.containers_on(&network_name(platform)).await?;
    // First what is there, then what may be: a build that begins meanwhile has nothing in the list.
    let mut conn = platform.pool.acquire().await?;
    let oldest = store::deployments::oldest_build(&mut conn).await?;
    drop(conn);
    if oldest.is_none() {
        cgroup::sweep(&platform.settings.instance).await;
    }
    for id in there {
        let Some(container) = platform.engine.inspect(&id).await? else { continue };
        let is_left_over = match (oldest, container.started_at) {
            (None, _) => true,
            (Some(oldest), Some(started)) => started < oldest,
            (Some(_), None) => false,
        };
        if is_left_over {
            tracing::warn!(container = %container.name, "removed: its build no longer runs");
            platform.engine.remove(&id, true).await?;
        }
    }
    Ok(())
}

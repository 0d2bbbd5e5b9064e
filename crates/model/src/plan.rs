//! A plan: all that a deployment will make, decided before anything is touched. Pure data; also what a release keeps.

use crate::{DeploymentId, EnvironmentId, SiteId, TeamId, names::ServiceName, site::ServiceSpec};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, net::Ipv4Addr};

/// The network of an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkPlan {
    /// `{team}-{site}-network`.
    pub name: String,
    /// First address of the subnet.
    pub base: Ipv4Addr,
    /// Prefix length, 27 by default.
    pub prefix: u8,
}

/// One container of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerPlan {
    /// The service it runs.
    pub service: ServiceName,
    /// `{team}-{site}-{service}`; a suffix stands behind it while two releases overlap.
    pub name: String,
    /// The image: a tag before the build, a digest in a release.
    pub image: String,
    /// Its static address.
    pub address: Ipv4Addr,
    /// The declaration it came from.
    pub spec: ServiceSpec,
    /// Kept over deployments (the database), not replaced.
    pub stateful: bool,
}

/// A whole release: what runs, where, and how it is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleasePlan {
    /// The team that the site was made in; it may belong to another one by now.
    pub team: TeamId,
    /// Site.
    pub site: SiteId,
    /// Environment.
    pub environment: EnvironmentId,
    /// The deployment that made it.
    pub deployment: DeploymentId,
    /// The compose project: `{team}-{site}` (`{team}-{site}.{environment}` but for production).
    pub project: String,
    /// Hosts of the platform's own that reach it. Domains come and go while it runs, so they are not kept here.
    pub hosts: Vec<String>,
    /// The domain that its services were told they answer at; `None`: the first host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Its network.
    pub network: NetworkPlan,
    /// Its containers, stateful ones first.
    pub containers: Vec<ContainerPlan>,
    /// Volume name → labels' service; all of them are kept over deployments.
    pub volumes: BTreeMap<String, String>,
}

impl ReleasePlan {
    /// The host that its services were told they answer at.
    pub fn told_host(&self) -> &str {
        self.domain.as_deref().or(self.hosts.first().map(String::as_str)).unwrap_or_default()
    }
}

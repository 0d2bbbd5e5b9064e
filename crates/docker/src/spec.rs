//! What is asked of the engine. A site's container and one of the platform's own are different types, so that no
//! path leads from a site's declaration to a host mount, the host's network or a privilege.

use crate::Labels;
use model::hardening;
use std::{net::Ipv4Addr, path::PathBuf, time::Duration};

/// A network of its own for one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkSpec {
    /// Its name.
    pub name: String,
    /// First address of the subnet; the one after it is the gateway.
    pub base: Ipv4Addr,
    /// Prefix length.
    pub prefix: u8,
    /// Labels.
    pub labels: Labels,
}

impl NetworkSpec {
    /// `10.64.0.0/27`.
    pub fn subnet(&self) -> String {
        format!("{}/{}", self.base, self.prefix)
    }
}

/// A command inside the container that says whether it is well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCommand {
    /// Exit 0 is well.
    pub argv: Vec<String>,
    /// Between two tries.
    pub interval: Duration,
    /// One try may take so long.
    pub timeout: Duration,
    /// Failures in a row that count as ill.
    pub retries: u32,
    /// Failures in this time after the start do not count.
    pub start_period: Duration,
}

/// A container of a site: unprivileged, limited, on its own network with a static address, with named volumes only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteContainer {
    /// Its name on this engine.
    pub name: String,
    /// The image, by tag or id.
    pub image: String,
    /// The network, which must exist.
    pub network: String,
    /// Its address there; stays over restarts.
    pub address: Ipv4Addr,
    /// Names by which others on the network reach it.
    pub aliases: Vec<String>,
    /// Environment.
    pub env: Vec<(String, String)>,
    /// Labels.
    pub labels: Labels,
    /// Another command than the image's.
    pub command: Option<Vec<String>>,
    /// Another user than the image's.
    pub user: Option<String>,
    /// Bytes of memory; it gets no swap beside it.
    pub memory_bytes: u64,
    /// Thousandths of a CPU.
    pub cpu_millis: u32,
    /// Processes and threads.
    pub pids_limit: u32,
    /// Named volume → absolute path in the container.
    pub volumes: Vec<(String, String)>,
    /// The signal that asks it to end; `None`: the image's, or SIGTERM.
    pub stop_signal: Option<String>,
    /// How long it may take to end before it is killed.
    pub stop_timeout: Duration,
    /// `None`: the image's own health check, if it has one.
    pub health: Option<HealthCommand>,
}

impl SiteContainer {
    /// With the defaults of a service: 512 MB, half a CPU, 256 processes, 10 s to end.
    pub fn new(
        name: impl Into<String>,
        image: impl Into<String>,
        network: impl Into<String>,
        address: Ipv4Addr,
    ) -> Self {
        Self {
            name: name.into(),
            image: image.into(),
            network: network.into(),
            address,
            aliases: vec![],
            env: vec![],
            labels: Labels::new(),
            command: None,
            user: None,
            memory_bytes: 512 * 1024 * 1024,
            cpu_millis: 500,
            pids_limit: hardening::PIDS,
            volumes: vec![],
            stop_signal: None,
            stop_timeout: Duration::from_secs(hardening::STOP_GRACE_SECONDS),
            health: None,
        }
    }
}

/// A folder or file of the host in a container of the platform's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bind {
    /// Absolute path on the host; must exist.
    pub host: PathBuf,
    /// Absolute path in the container.
    pub container: String,
    /// The container cannot write to it.
    pub read_only: bool,
}

/// A container of the platform's own, such as the proxy: on the host's network, still without privileges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformContainer {
    /// Its name on this engine.
    pub name: String,
    /// The image.
    pub image: String,
    /// Arguments for the image's entry point.
    pub args: Vec<String>,
    /// What it sees of the host's files.
    pub binds: Vec<Bind>,
    /// Environment.
    pub env: Vec<(String, String)>,
    /// Labels.
    pub labels: Labels,
    /// Bytes of memory; `None`: no limit of its own.
    pub memory_bytes: Option<u64>,
    /// How long it may take to end before it is killed.
    pub stop_timeout: Duration,
}

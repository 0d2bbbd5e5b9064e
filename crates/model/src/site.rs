//! What a site is made of: its source and what its repository declares.

use crate::names::{BranchName, RepoUrl, ServiceName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where a site's code comes from, as stored. A private repository's token is stored apart, encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Begun from a template; its repository is kept by the platform.
    Template(String),
    /// A remote repository.
    Git {
        /// Its address.
        url: RepoUrl,
        /// The branch that production deploys.
        branch: BranchName,
    },
    /// An empty repository kept by the platform.
    Hosted {},
}

impl Source {
    /// The platform keeps the repository itself.
    pub fn is_hosted(&self) -> bool {
        !matches!(self, Self::Git { .. })
    }
}

/// What a service runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceSource {
    /// Built from a folder of the repository with a Dockerfile in it.
    Build {
        /// Relative to the root; `.` is the root itself.
        folder: String,
        /// A Dockerfile made by the platform where the repository has none; shown in the log.
        generated: Option<String>,
    },
    /// A ready image.
    Image(String),
}

/// How a service shows that it is well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// HTTP path to ask; a status below 400 is well. `None` with no command: a TCP connection is enough.
    pub path: Option<String>,
    /// Or a command inside the container; exit 0 is well.
    pub command: Option<Vec<String>>,
    /// Milliseconds between two tries.
    pub interval_ms: u64,
    /// Milliseconds one try may take.
    pub timeout_ms: u64,
    /// Failures in a row that count as ill, once started.
    pub retries: u32,
    /// Milliseconds from the container's start until it must be well.
    pub start_period_ms: u64,
}

impl Default for HealthCheck {
    /// Path `/`, ready within 120 s.
    fn default() -> Self {
        Self {
            path: Some("/".into()),
            command: None,
            interval_ms: 500,
            timeout_ms: 5_000,
            retries: 3,
            start_period_ms: 120_000,
        }
    }
}

/// One service as the repository declares it, defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceSpec {
    /// Its name.
    pub name: ServiceName,
    /// What runs.
    pub source: ServiceSource,
    /// The port it listens on inside its container.
    pub port: u16,
    /// Another command than the image's.
    pub command: Option<Vec<String>>,
    /// The path on the site's host; `None` is reachable inside the environment's network only.
    pub route: Option<String>,
    /// The route's prefix is cut off before the request reaches the service.
    pub strip_prefix: bool,
    /// How it shows that it is well.
    pub health: HealthCheck,
    /// Bytes of memory.
    pub memory_bytes: u64,
    /// Thousandths of a CPU.
    pub cpu_millis: u32,
    /// Named volume → path in the container; kept over deployments.
    pub volumes: BTreeMap<String, String>,
}

/// What a repository asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Its services, in the order of their names.
    pub services: Vec<ServiceSpec>,
    /// A PostgreSQL database of its own.
    pub postgres: bool,
    /// How the services were found: `webmeteor.toml`, `folders`, `Dockerfile`, `node`, `php`, …, `static`.
    pub found_by: String,
}

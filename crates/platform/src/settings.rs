//! How an installation is set up: plain values, read and checked by the server.

use forge::report::GitHub;
use model::views::{Quota, SettingView};
use secrecy::SecretString;
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

/// Who may register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signup {
    /// Everybody.
    Open,
    /// Invited people only.
    Invite,
}

/// How much of the machine logs, images and builds may use. Sizes are in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Lines of one attempt's log, beside its last ones.
    pub log_lines: usize,
    /// Text of one attempt's log.
    pub log_bytes: usize,
    /// Logs are kept so long after their deployment's end.
    pub log_kept: Duration,
    /// Webhooks that were received are kept so long.
    pub deliveries_kept: Duration,
    /// Images and layers of builds together; `None`: a fifth of the engine's disk.
    pub image_budget: Option<u64>,
    /// One image, with all its layers.
    pub image_bytes: u64,
    /// With less room on the disk nothing is built.
    pub disk_floor: u64,
    /// Memory of one build.
    pub build_memory: u64,
    /// Thousandths of a CPU for one build; `None`: all that sites leave.
    pub build_cpu_millis: Option<u32>,
    /// Processes and threads of one build.
    pub build_processes: u32,
}

impl Default for Limits {
    fn default() -> Self {
        const MEGABYTE: u64 = 1024 * 1024;
        Self {
            log_lines: 100_000,
            log_bytes: 32 * 1024 * 1024,
            log_kept: Duration::from_hours(30 * 24),
            deliveries_kept: Duration::from_hours(30 * 24),
            image_budget: None,
            image_bytes: 4096 * MEGABYTE,
            disk_floor: 1024 * MEGABYTE,
            build_memory: 2048 * MEGABYTE,
            build_cpu_millis: None,
            build_processes: 2048,
        }
    }
}

/// A provider of accounts that people may sign in with.
#[derive(Debug, Clone)]
pub struct Provider {
    /// `github`, `google`, `oidc`: stands in addresses and in the database.
    pub key: &'static str,
    /// What people call it.
    pub label: String,
    /// What it speaks.
    pub kind: ProviderKind,
    /// What it knows the platform by.
    pub client_id: String,
    /// What proves that it is the platform.
    pub client_secret: SecretString,
}

/// What a provider speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProviderKind {
    /// OAuth 2.0 and an API of its own, at [`Settings::github`].
    GitHub,
    /// OpenID Connect.
    OpenId {
        /// Its address, as it writes it itself.
        issuer: String,
    },
}

/// How much of each a team may use where nobody set another amount for it; without a number as much as there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quotas {
    /// Sites.
    pub sites: Option<i64>,
    /// Bytes.
    pub memory: Option<i64>,
    /// Thousandths of a CPU.
    pub cpu: Option<i64>,
    /// Bytes.
    pub disk: Option<i64>,
    /// At the same time.
    pub builds: Option<i64>,
    /// Within 24 hours.
    pub deployments: Option<i64>,
}

impl Quotas {
    /// One of them.
    pub fn get(&self, quota: Quota) -> Option<i64> {
        match quota {
            Quota::Sites => self.sites,
            Quota::Memory => self.memory,
            Quota::Cpu => self.cpu,
            Quota::Disk => self.disk,
            Quota::Builds => self.builds,
            Quota::Deployments => self.deployments,
        }
    }
}

/// The settings that use cases need.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where everything is kept.
    pub data_dir: PathBuf,
    /// The dashboard's address, without a slash at its end.
    pub public_url: String,
    /// Sites answer at `{slug}.{sites_domain}`.
    pub sites_domain: String,
    /// The machine's addresses as visitors reach them: what a domain that can have no CNAME is led to.
    pub public_addresses: Vec<IpAddr>,
    /// Whom to ask about domains; `None`: the system's resolver.
    pub dns_server: Option<SocketAddr>,
    /// The proxy's port for HTTP.
    pub proxy_http_port: u16,
    /// First address of the pool of subnets.
    pub subnet_base: Ipv4Addr,
    /// Prefix length of the pool.
    pub subnet_prefix: u8,
    /// Deployments at once on this machine.
    pub build_concurrency: usize,
    /// Who may register.
    pub signup: Signup,
    /// How mail is sent.
    pub mail: crate::mail::Settings,
    /// Repositories over plain HTTP and on private addresses are fetched too.
    pub allow_private_repositories: bool,
    /// Where GitHub is.
    pub github: GitHub,
    /// Where the templates are.
    pub templates_dir: PathBuf,
    /// How long an old release may finish its requests.
    pub drain: Duration,
    /// How long each step of a deployment may take.
    pub deadlines: Deadlines,
    /// How long a new release is watched after its switch; zero: not at all.
    pub watch: Duration,
    /// How long a webhook's secret goes on working after it was replaced; zero: not at all.
    pub webhook_grace: Duration,
    /// How much of the machine logs, images and builds may use.
    pub limits: Limits,
    /// What a team may use.
    pub quotas: Quotas,
    /// The settings as they are printed, secrets hidden.
    pub shown: Vec<SettingView>,
    /// Installations on one engine share the layers of builds where this word is the same.
    pub layer_scope: String,
    /// Providers of accounts that people may sign in with.
    pub providers: Vec<Provider>,
    /// What this process knows and nobody else may: kept out of logs, beside the secrets of sites.
    pub private: Vec<SecretString>,
    /// Releases of each environment that can be gone back to, the one that serves included.
    pub kept_releases: i64,
    /// Labels added to everything made in Docker (tests mark theirs).
    pub extra_labels: Vec<(String, String)>,
    /// Sets apart what several installations on one machine make in Docker.
    pub instance: String,
}

/// How long each step of a deployment may take; one that takes longer fails with a code of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// Getting the commit.
    pub fetch: Duration,
    /// Building all images.
    pub build: Duration,
    /// Making and starting the containers.
    pub start: Duration,
    /// Until all services are well; a service's own start period is cut to it.
    pub verify: Duration,
    /// Until the proxy follows.
    pub switch: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            fetch: Duration::from_mins(10),
            build: Duration::from_mins(20),
            start: Duration::from_mins(2),
            verify: Duration::from_mins(10),
            switch: Duration::from_secs(15),
        }
    }
}

impl Settings {
    /// The address of a host that the proxy serves.
    pub fn site_url(&self, host: &str) -> String {
        match self.proxy_http_port {
            80 => format!("http://{host}"),
            port => format!("http://{host}:{port}"),
        }
    }
}

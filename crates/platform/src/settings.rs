//! How an installation is set up: plain values, read and checked by the server.

use std::{net::Ipv4Addr, path::PathBuf, time::Duration};

/// Who may register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signup {
    /// Everybody.
    Open,
    /// Invited people only.
    Invite,
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
    /// Repositories over plain HTTP and on private addresses are fetched too.
    pub allow_private_repositories: bool,
    /// Where the templates are.
    pub templates_dir: PathBuf,
    /// How long an old release may finish its requests.
    pub drain: Duration,
    /// How long each step of a deployment may take.
    pub deadlines: Deadlines,
    /// How long a new release is watched after its switch; zero: not at all.
    pub watch: Duration,
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

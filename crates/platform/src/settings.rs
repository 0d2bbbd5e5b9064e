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
    /// Labels added to everything made in Docker (tests mark theirs).
    pub extra_labels: Vec<(String, String)>,
    /// Sets apart what several installations on one machine make in Docker.
    pub instance: String,
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

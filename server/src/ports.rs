//! The proxy's ports, looked at before anything is started: another program may have them.

use crate::config::Config;
use docker::{Engine, Runtime};
use platform::proxy_container;
use std::net::{Ipv4Addr, TcpListener};

/// A port of the proxy that another program has.
#[derive(Debug, thiserror::Error)]
#[error(
    "port {port} is used by another program; stop it, or set {setting} to a free port \
     (the proxy that serves the sites needs it)"
)]
pub struct PortInUse {
    /// Which.
    pub port: u16,
    /// What says so.
    pub setting: &'static str,
}

/// Whether the proxy can have its ports. Where our own proxy runs (it outlives the platform), or where Docker cannot say
/// whether it does, they are not looked at. Nothing is made by this: a new installation has no name yet, and no proxy.
///
/// # Errors
/// [`PortInUse`] for the first that is taken.
pub async fn check(config: &Config) -> Result<(), PortInUse> {
    let instance = std::fs::read_to_string(config.data_dir.join("instance")).unwrap_or_default();
    let found = Engine::from_env().inspect(&proxy_container::name(instance.trim())).await;
    let is_free_to_look = found.is_ok_and(|container| container.is_none_or(|proxy| !proxy.running));
    if is_free_to_look { taken(config).map_or(Ok(()), Err) } else { Ok(()) }
}

/// The first port of the proxy on which something listens.
pub fn taken(config: &Config) -> Option<PortInUse> {
    let is_taken = |address: Ipv4Addr, port: u16| TcpListener::bind((address, port)).is_err();
    [
        ("WEBMETEOR_PROXY_HTTP_PORT", Ipv4Addr::UNSPECIFIED, config.proxy_http_port),
        ("WEBMETEOR_PROXY_HTTPS_PORT", Ipv4Addr::UNSPECIFIED, config.proxy_https_port),
        ("WEBMETEOR_PROXY_API_PORT", Ipv4Addr::LOCALHOST, config.proxy_api_port),
    ]
    .into_iter()
    .find(|(_, address, port)| is_taken(*address, *port))
    .map(|(setting, _, port)| PortInUse { port, setting })
}

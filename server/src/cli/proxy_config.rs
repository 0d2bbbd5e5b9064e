//! `webmeteor proxy config`: for a Traefik that is run by hand, or a web server in front.

use crate::{config::Config, state};
use clap::{Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print a configuration
    Config {
        /// Of what
        kind: Kind,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Kind {
    /// The options of the Traefik that serves the sites, one a line
    Traefik,
    /// A site of Apache, where it has the ports 80 and 443
    Apache,
}

/// The configuration.
pub fn text(command: &Command, config: &Config) -> anyhow::Result<String> {
    let Command::Config { kind } = command;
    Ok(match kind {
        Kind::Traefik => {
            let settings = state::proxy_settings(config);
            settings.args(&settings.routes_dir.to_string_lossy()).join("\n")
        }
        Kind::Apache => proxy::apache(&config.sites_domain, config.proxy_http_port)?,
    })
}

//! Traefik: routes as dynamic files, its static configuration, and the compose file of a site.
//!
//! Traefik reads a folder of small files, one for each environment, that are renamed into place; it needs no access
//! to the container engine.

mod api;
pub mod compose;
mod container;
mod files;
pub mod routes;

pub use api::Api;
pub use container::{Bind, Container};
pub use routes::{RouteService, SiteRoutes};

use files::Files;
use std::{path::PathBuf, time::Duration};

/// Why the proxy did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be written, read or removed.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The routes could not be put into words.
    #[error("a route file could not be written: {0}")]
    Format(String),
    /// Its API did not answer.
    #[error("the proxy does not answer: {0}")]
    Unavailable(String),
    /// It answers, but does not follow.
    #[error("the proxy did not take the route within {} s", .0.as_secs())]
    NotConfirmed(Duration),
}

/// What every call answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// How the proxy is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The folder of dynamic files.
    pub folder: PathBuf,
    /// Port for HTTP.
    pub http_port: u16,
    /// Port for HTTPS.
    pub https_port: u16,
    /// Port of its API, on loopback.
    pub api_port: u16,
}

/// The proxy: its files and its API.
#[derive(Debug, Clone)]
pub struct Proxy {
    settings: Settings,
    files: Files,
    api: Api,
}

impl Proxy {
    /// A proxy with these settings; nothing is touched yet.
    ///
    /// # Errors
    /// If no HTTP client can be made.
    pub fn new(settings: Settings) -> Result<Self> {
        let files = Files::new(settings.folder.clone());
        let api = Api::new(&format!("http://127.0.0.1:{}", settings.api_port))?;
        Ok(Self { settings, files, api })
    }

    /// Writes an environment's routes; `false` if they were there just so.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub async fn put(&self, routes: &SiteRoutes) -> Result<bool> {
        self.files.put(&routes.key, routes.to_yaml()?).await
    }

    /// Removes an environment's routes; ones that are gone are fine.
    ///
    /// # Errors
    /// If the file cannot be removed.
    pub async fn remove(&self, key: &str) -> Result<()> {
        self.files.remove(key).await
    }

    /// The keys of all routes.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub async fn list(&self) -> Result<Vec<String>> {
        self.files.list().await
    }

    /// Waits until the proxy routes to just these servers; returns how long it took.
    ///
    /// # Errors
    /// [`Error::NotConfirmed`] after `patience`, [`Error::Unavailable`] if it did not answer all that time.
    pub async fn confirm(&self, routes: &SiteRoutes, patience: Duration) -> Result<Duration> {
        self.api.confirm(routes, patience).await
    }

    /// It answers.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn ping(&self) -> Result<()> {
        self.api.ping().await
    }

    /// Its container.
    pub fn container(&self) -> Container {
        container::plan(&self.settings)
    }
}

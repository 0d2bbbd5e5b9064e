//! Traefik: routes as dynamic files, its static configuration, and the compose file of a site.
//!
//! Traefik reads a folder; the platform writes one file per environment into it and asks Traefik's API whether it
//! follows. Neither needs the other to run: sites are served from what is on disk.

mod api;
mod atomic;
pub mod compose;
mod container;
mod counts;
mod dotenv;
mod error;
mod files;
mod gateway;
pub mod routes;
mod yaml;

pub use api::TraefikApi;
pub use container::{ContainerBind, ProxyContainer, ProxySettings};
pub use counts::Counts;
pub use error::{Error, Result};
pub use files::{ProxyFiles, RouteFile};
pub use gateway::apache;
pub use routes::{RouteService, SiteRoutes};

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// The proxy of this installation: its files and its API.
#[derive(Debug, Clone)]
pub struct Proxy {
    settings: ProxySettings,
    files: ProxyFiles,
    api: TraefikApi,
}

impl Proxy {
    /// Touches neither disk nor network.
    ///
    /// # Errors
    /// [`Error::Api`] if no HTTP client can be made.
    pub fn new(settings: ProxySettings) -> Result<Self> {
        Ok(Self {
            files: ProxyFiles::new(settings.routes_dir.clone()),
            api: TraefikApi::new(&format!("http://127.0.0.1:{}", settings.api_port))?,
            settings,
        })
    }

    /// Writes the routes; `false` and nothing written where they are on disk already.
    pub async fn put(&self, routes: &SiteRoutes) -> Result<bool> {
        self.files.put(routes).await
    }

    /// The same, unless this moment has passed when everything but the rename is done.
    ///
    /// # Errors
    /// As [`Proxy::put`], and [`Error::File`] where it is too late.
    pub async fn put_before(&self, routes: &SiteRoutes, end: Instant) -> Result<bool> {
        self.files.put_before(routes, end).await
    }

    /// Removes the routes with this key; none is fine.
    pub async fn remove(&self, key: &str) -> Result<()> {
        self.files.remove(key).await
    }

    /// All routes by their keys, as they are on disk.
    pub async fn read(&self) -> Result<BTreeMap<String, RouteFile>> {
        self.files.read().await
    }

    /// Waits until the proxy serves exactly these routes.
    ///
    /// # Errors
    /// [`Error::NotFollowed`] after `patience`.
    pub async fn confirm(&self, routes: &SiteRoutes, patience: Duration) -> Result<()> {
        self.api.confirm(routes, patience).await.map(|_| ())
    }

    /// What it counted so far for the services of the routes with this key.
    ///
    /// # Errors
    /// [`Error::Api`] if it does not answer.
    pub async fn counts(&self, key: &str) -> Result<Counts> {
        Ok(Counts::read(&self.api.metrics().await?, key))
    }

    /// The proxy answers.
    pub async fn ping(&self) -> Result<()> {
        self.api.ping().await
    }

    /// The container that it runs in.
    pub fn container(&self) -> ProxyContainer {
        self.settings.container()
    }
}

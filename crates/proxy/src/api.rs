//! Traefik's API: does it follow?

use crate::{Error, Result, RouteService, SiteRoutes};
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use std::time::{Duration, Instant};

/// Asked without a pause, the API slows down the very thing that is waited for.
const PAUSE: Duration = Duration::from_millis(25);
/// One answer may take so long.
const ANSWER: Duration = Duration::from_secs(5);

/// The API of a running Traefik.
#[derive(Debug, Clone)]
pub struct TraefikApi {
    base: String,
    http: Client,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ServiceAnswer {
    #[serde(default)]
    load_balancer: LoadBalancer,
    #[serde(default)]
    error: Vec<String>,
}

#[derive(Default, Deserialize)]
struct LoadBalancer {
    #[serde(default)]
    servers: Vec<Server>,
}

#[derive(Deserialize)]
struct Server {
    url: String,
}

#[derive(Deserialize)]
struct RouterAnswer {
    #[serde(default)]
    rule: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    middlewares: Vec<String>,
    #[serde(default)]
    error: Vec<String>,
}

impl TraefikApi {
    /// The API at an address such as `http://127.0.0.1:8889`.
    ///
    /// # Errors
    /// [`Error::Api`] if no HTTP client can be made.
    pub fn new(base: &str) -> Result<Self> {
        // Whoever came first has chosen; any provider does, for the API speaks plain HTTP.
        rustls::crypto::ring::default_provider().install_default().ok();
        let http = Client::builder().no_proxy().timeout(ANSWER).build().map_err(|e| Error::Api(e.to_string()))?;
        Ok(Self { base: base.trim_end_matches('/').to_owned(), http })
    }

    /// It answers.
    pub async fn ping(&self) -> Result<()> {
        let answer = self.http.get(format!("{}/ping", self.base)).send().await.map_err(said)?;
        if answer.status().is_success() { Ok(()) } else { Err(Error::Api(answer.status().to_string())) }
    }

    /// Its metrics, in Prometheus' text format.
    pub async fn metrics(&self) -> Result<String> {
        let answer = self.http.get(format!("{}/metrics", self.base)).send().await.map_err(said)?;
        answer.error_for_status().map_err(said)?.text().await.map_err(said)
    }

    /// Waits until Traefik serves exactly these routes, and returns how long that took.
    ///
    /// # Errors
    /// [`Error::NotFollowed`] with what was seen last.
    pub async fn confirm(&self, routes: &SiteRoutes, patience: Duration) -> Result<Duration> {
        let begun = Instant::now();
        let mut open: Vec<&RouteService> = routes.services.iter().collect();
        while let Some(service) = open.first() {
            match self.follows(routes, service).await {
                Ok(()) => {
                    open.remove(0);
                }
                Err(error) if begun.elapsed() >= patience => {
                    return Err(Error::NotFollowed { after: patience, reason: error.to_string() });
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
        Ok(begun.elapsed())
    }

    async fn follows(&self, routes: &SiteRoutes, service: &RouteService) -> Result<()> {
        let name = routes.name(service);
        let found: ServiceAnswer = self.get("services", &name).await?;
        let urls: Vec<&str> = found.load_balancer.servers.iter().map(|server| server.url.as_str()).collect();
        if urls != [service.url()] || !found.error.is_empty() {
            return Err(Error::Api(format!("{name} leads to {urls:?} {}", found.error.join("; "))));
        }
        let found: RouterAnswer = self.get("routers", &name).await?;
        let strips = !found.middlewares.is_empty();
        if found.rule != routes.rule(service)? || found.status != "enabled" || strips != service.strips() {
            let RouterAnswer { rule, status, error, .. } = found;
            return Err(Error::Api(format!("{name} is {status}: {rule} {}", error.join("; "))));
        }
        Ok(())
    }

    async fn get<T: for<'a> Deserialize<'a>>(&self, kind: &str, name: &str) -> Result<T> {
        let url = format!("{}/api/http/{kind}/{name}@file", self.base);
        let answer = self.http.get(url).send().await.map_err(said)?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Err(Error::Api(format!("{name} is not among its {kind}")));
        }
        answer.error_for_status().map_err(said)?.json().await.map_err(said)
    }
}

#[allow(clippy::needless_pass_by_value)]
fn said(error: reqwest::Error) -> Error {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    Error::Api(text)
}

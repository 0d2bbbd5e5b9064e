//! Traefik's API, on loopback: the word that a route has been taken.

use crate::{Error, Result, SiteRoutes};
use serde::Deserialize;
use std::time::{Duration, Instant};

/// Asking without a pause slows the proxy down by itself.
const PAUSE: Duration = Duration::from_millis(20);
const ONE_ANSWER: Duration = Duration::from_secs(2);

/// Traefik's API.
#[derive(Debug, Clone)]
pub struct Api {
    base: String,
    client: reqwest::Client,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Service {
    load_balancer: Option<LoadBalancer>,
}

#[derive(Deserialize)]
struct LoadBalancer {
    #[serde(default)]
    servers: Vec<Server>,
}

#[derive(Deserialize)]
struct Server {
    url: String,
}

#[derive(Deserialize)]
struct Router {
    rule: String,
    status: String,
}

impl Api {
    /// The API at this address.
    ///
    /// # Errors
    /// If no HTTP client can be made.
    pub fn new(base: &str) -> Result<Self> {
        let client = reqwest::Client::builder()
            .timeout(ONE_ANSWER)
            .no_proxy()
            .build()
            .map_err(|e| Error::Unavailable(e.to_string()))?;
        Ok(Self { base: base.to_owned(), client })
    }

    /// It answers.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn ping(&self) -> Result<()> {
        let answer = self.client.get(format!("{}/ping", self.base)).send().await.map_err(unavailable)?;
        answer.error_for_status().map_err(unavailable)?;
        Ok(())
    }

    /// Waits until every router and service of these routes is as it should be; returns how long it took.
    ///
    /// # Errors
    /// [`Error::NotConfirmed`] after `patience`, [`Error::Unavailable`] if it did not answer to the last.
    pub async fn confirm(&self, routes: &SiteRoutes, patience: Duration) -> Result<Duration> {
        let begun = Instant::now();
        let mut waiting: Vec<_> = routes.services.iter().collect();
        loop {
            let mut trouble = None;
            while let Some(service) = waiting.last() {
                let name = routes.name_of(service);
                let taken = async {
                    let there: Option<Service> = self.get(&format!("services/{name}@file")).await?;
                    let servers = there.and_then(|s| s.load_balancer).map(|l| l.servers).unwrap_or_default();
                    if servers.len() != 1 || servers[0].url != service.url() {
                        return Ok(false);
                    }
                    let router: Option<Router> = self.get(&format!("routers/{name}@file")).await?;
                    Ok::<_, Error>(router.is_some_and(|r| r.status == "enabled" && r.rule == routes.rule_of(service)))
                };
                match taken.await {
                    Ok(true) => {
                        waiting.pop();
                    }
                    Ok(false) => break,
                    Err(error) => {
                        trouble = Some(error);
                        break;
                    }
                }
            }
            if waiting.is_empty() {
                return Ok(begun.elapsed());
            }
            if begun.elapsed() >= patience {
                return Err(trouble.unwrap_or(Error::NotConfirmed(patience)));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn get<T: for<'de> Deserialize<'de>>(&self, path: &str) -> Result<Option<T>> {
        let url = format!("{}/api/http/{path}", self.base);
        let answer = self.client.get(url).send().await.map_err(unavailable)?;
        if answer.status() == reqwest::StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let answer = answer.error_for_status().map_err(unavailable)?;
        answer.json().await.map(Some).map_err(unavailable)
    }
}

fn unavailable(error: reqwest::Error) -> Error {
    Error::Unavailable(error.without_url().to_string())
}

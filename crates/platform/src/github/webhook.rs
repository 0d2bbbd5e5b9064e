//! The App's webhook: proven by the App's secret, then the sites that it means, each with a delivery of its own.

use super::app;
use crate::{Platform, Result, vault::random_secret, webhooks};
use bytes::Bytes;
use forge::{
    github::{InstallationChange, installation, repository},
    webhook::{Provider, is_signed, verify},
};
use http::HeaderMap;
use model::Problem;
use serde_json::Value;

/// Takes a webhook of the App's. What came of it at each site that it means, none where it means none.
///
/// # Errors
/// 401 `bad_signature` for a wrong or missing signature, and where there is no App; 400 `unreadable` for a signed body
/// that is no JSON; 413 `too_large`.
pub async fn receive(platform: &Platform, headers: &HeaderMap, body: Bytes) -> Result<Vec<webhooks::Received>> {
    if body.len() > webhooks::BODY_MAX {
        return Err(Problem::new(413, "too_large", "A webhook has at most 25 MB.").into());
    }
    if !is_signed(Provider::GitHub, headers) {
        return Err(refused().into());
    }
    let secret = app(platform).await?.map_or_else(random_secret, |app| app.webhook_secret);
    let (its_headers, its_body) = (headers.clone(), body.clone());
    tokio::task::spawn_blocking(move || verify(Provider::GitHub, &its_headers, &its_body, secret.as_bytes()))
        .await
        .map_err(anyhow::Error::from)?
        .map_err(|_| refused())?;
    let payload: Value = serde_json::from_slice(&body)
        .map_err(|error| Problem::new(400, "unreadable", format!("The body is no JSON: {error}.")))?;
    if Provider::GitHub.event(headers) == "installation" {
        if let Some(change) = InstallationChange::of(&payload) {
            changed(platform, &change).await?;
        }
        return Ok(Vec::new());
    }
    let (Some(installation), Some(repository)) = (installation(&payload), repository(&payload)) else {
        return Ok(Vec::new());
    };
    let mut conn = platform.pool.acquire().await?;
    let mut sites = Vec::new();
    for (site, team) in store::github::sites_of_repository(&mut conn, installation, repository).await? {
        sites.extend(store::sites::by_id(&mut conn, &[team], site).await?);
    }
    drop(conn);
    let mut received = Vec::new();
    for site in sites {
        received.push(webhooks::deliver(platform, &site, headers, &body).await?);
    }
    Ok(received)
}

async fn changed(platform: &Platform, change: &InstallationChange) -> Result<()> {
    let mut conn = platform.pool.acquire().await?;
    let (id, teams) = match *change {
        InstallationChange::Removed(id) => (id, store::github::remove_installation(&mut conn, id).await?),
        InstallationChange::Suspended(id) => (id, store::github::suspend_installation(&mut conn, id, true).await?),
        InstallationChange::Resumed(id) => (id, store::github::suspend_installation(&mut conn, id, false).await?),
    };
    platform.github.forget(id);
    tracing::info!(?change, teams, "an installation of the GitHub App changed");
    Ok(())
}

fn refused() -> Problem {
    let detail = "The webhook's signature is missing or wrong, or no GitHub App is registered here.";
    Problem { title: "Signature refused".into(), ..Problem::new(401, "bad_signature", detail) }
}

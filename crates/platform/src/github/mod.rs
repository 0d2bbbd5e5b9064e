//! The GitHub App of this installation: registered by an administrator, installed by customers, and what is done by it:
//! reading repositories, taking their webhooks, telling how deployments stand.

mod connect;
pub(crate) mod pick;
mod tell;
mod tokens;
mod webhook;

pub use connect::{connect, disconnect_all, install_url, installations};
pub use pick::repositories;
pub(crate) use tell::{tell, token_to_tell};
pub use tokens::Cache;
pub(crate) use tokens::{known_tokens, token_of};
pub use webhook::receive;

use crate::{Error, Platform, Result, access};
use anyhow::Context;
use forge::{
    github::{Api, App, manifest},
    http::ApiError,
};
use model::{
    Actor, Problem,
    views::{GitHubAppView, GitHubManifest},
};
use serde_json::json;

/// Where the App is kept: its names in the open, the whole sealed.
const KEY: &str = "github_app";
/// What the sealed App is bound to.
const ROW: &str = "settings/github_app";
/// GitHub's limit for an App's name.
const NAME_MAX: usize = 34;

/// The App, if one is registered.
pub(crate) async fn app(platform: &Platform) -> Result<Option<App>> {
    let mut conn = platform.pool.acquire().await?;
    let Some(kept) = store::settings::get(&mut conn, KEY).await? else { return Ok(None) };
    let sealed = kept["sealed"].as_str().and_then(|text| hex::decode(text).ok()).context("reading the GitHub App")?;
    let opened = platform.vault.open(ROW, &sealed)?;
    Ok(Some(serde_json::from_slice(&opened).context("reading the GitHub App")?))
}

/// The App, which must be registered.
pub(crate) async fn registered(platform: &Platform) -> Result<App> {
    let detail = "This platform is not connected with GitHub yet; its operator registers a GitHub App first.";
    Ok(app(platform).await?.ok_or_else(|| Problem::new(409, "no_github_app", detail))?)
}

pub(crate) fn api(platform: &Platform) -> Api {
    Api::new(platform.settings.github.clone())
}

/// GitHub's error, for whoever waits for it.
pub(crate) fn told(error: ApiError) -> Error {
    match error {
        ApiError::Later { reason, .. } => Problem::new(503, "github_unavailable", reason).into(),
        ApiError::Refused(404) => {
            let detail = "GitHub does not know this any more: it was used before, or taken away. Connect GitHub again.";
            Problem::new(409, "github_refused", detail).into()
        }
        ApiError::Refused(status) => {
            let detail = format!("GitHub refuses this; it answers {status}. Connect GitHub again.");
            Problem::new(409, "github_refused", detail).into()
        }
        ApiError::NotAsked(reason) => Problem::new(409, "github_refused", reason).into(),
    }
}

/// The platform's administrators, in person.
fn administers(actor: &Actor) -> Result<()> {
    access::in_person(actor)?;
    if actor.is_admin { Ok(()) } else { Err(Problem::forbidden().into()) }
}

/// Whether customers can connect GitHub.
///
/// # Errors
/// The database's.
pub async fn is_registered(platform: &Platform, _actor: &Actor) -> Result<bool> {
    let mut conn = platform.pool.acquire().await?;
    Ok(store::settings::get(&mut conn, KEY).await?.is_some())
}

/// The App, for administrators; `None` before it is registered.
///
/// # Errors
/// 403 for everybody else.
pub async fn view(platform: &Platform, actor: &Actor) -> Result<Option<GitHubAppView>> {
    administers(actor)?;
    let url = platform.settings.github.url.as_str().trim_end_matches('/').to_owned();
    Ok(app(platform).await?.map(|app| GitHubAppView {
        id: app.id,
        url: format!("{url}/apps/{}", app.slug),
        slug: app.slug,
        webhook: format!("{}/webhook/github-app", platform.settings.public_url),
    }))
}

/// What an administrator's browser sends to GitHub to register the App; `state` comes back with the answer.
///
/// # Errors
/// 403 for everybody else, 422 for an organization that has no name of one.
pub fn registration(platform: &Platform, actor: &Actor, organization: &str, state: &str) -> Result<GitHubManifest> {
    administers(actor)?;
    let mut url = platform.settings.github.url.clone();
    let organization = organization.trim();
    if !organization.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        let message = "An organization's name on GitHub has letters, digits and hyphens.";
        return Err(Problem::invalid("organization", "characters", message).into());
    }
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty();
        if !organization.is_empty() {
            path.extend(["organizations", organization]);
        }
        path.extend(["settings", "apps", "new"]);
    }
    url.query_pairs_mut().append_pair("state", state);
    let host = platform.settings.public_url.split("://").last().unwrap_or_default();
    let name: String = format!("WebMeteor {host}").chars().take(NAME_MAX).collect();
    let manifest = manifest(name.trim_end(), &platform.settings.public_url);
    Ok(GitHubManifest { action: url.into(), manifest: manifest.to_string() })
}

/// Takes the App that GitHub has registered: its code, once, for its secrets, which are sealed.
///
/// # Errors
/// 403 for who is no administrator, 409 `github_app_registered` where there is one already, and where GitHub refuses.
pub async fn register(platform: &Platform, actor: &Actor, code: &str) -> Result<()> {
    administers(actor)?;
    if is_registered(platform, actor).await? {
        let detail = "A GitHub App is registered already; remove it here first.";
        return Err(Problem::conflict("github_app_registered", detail).into());
    }
    let app = api(platform).convert(code).await.map_err(told)?;
    let whole = serde_json::to_vec(&app).context("writing the GitHub App")?;
    let sealed = hex::encode(platform.vault.seal(ROW, &whole)?);
    let mut conn = platform.pool.acquire().await?;
    store::settings::put(&mut conn, KEY, &json!({"id": app.id, "slug": app.slug, "sealed": sealed})).await?;
    tracing::info!(id = app.id, slug = app.slug, user = ?actor.user, "a GitHub App was registered");
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests;

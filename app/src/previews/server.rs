//! What the page asks of the server about previews.

use crate::failure::Failure;
use leptos::prelude::*;
use model::{
    SiteId,
    views::{PreviewSettings, PreviewView},
};

/// The pull requests of a site with their previews, those that are open first.
#[server(prefix = "/_fn", endpoint = "previews")]
pub async fn list_previews(site: SiteId) -> Result<Vec<PreviewView>, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    Ok(platform::previews::list(&platform, &actor, site).await.map_err(context::failed)?.items)
}

/// Lets this commit of a fork be built, and deploys it.
#[server(prefix = "/_fn", endpoint = "approve_preview")]
pub async fn approve_preview(site: SiteId, number: i64, commit: String) -> Result<PreviewView, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    let approval = platform::previews::Approval { commit };
    platform::previews::approve(&platform, &actor, site, number, approval).await.map_err(context::failed)
}

/// Removes a preview with its data.
#[server(prefix = "/_fn", endpoint = "remove_preview")]
pub async fn remove_preview(site: SiteId, number: i64) -> Result<PreviewView, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    let view = platform::previews::remove(&platform, &actor, site, number).await.map_err(context::failed)?;
    context::send_on(&super::address(site));
    Ok(view)
}

/// Sets what a site wants of its previews.
#[server(prefix = "/_fn", endpoint = "set_previews")]
pub async fn set_previews(
    site: SiteId,
    #[server(default)] enabled: bool,
    max: String,
    idle_days: String,
) -> Result<PreviewSettings, Failure> {
    use crate::{context, failure::Keep};
    let (platform, actor) = context::signed_in().await?;
    // What is no number is beyond every bound, and told like that.
    let number = |text: &str| Some(text.trim().parse().unwrap_or(-1));
    let wanted =
        platform::previews::Change { enabled: Some(enabled), max: number(&max), idle_days: number(&idle_days) };
    let change = platform::sites::Change { previews: Some(wanted), ..Default::default() };
    let view = platform::sites::change(&platform, &actor, site, change)
        .await
        .map_err(context::failed)
        .keep(&[("max", &max), ("idle_days", &idle_days)])?;
    Ok(view.previews)
}

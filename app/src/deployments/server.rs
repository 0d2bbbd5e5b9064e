//! What the pages ask of the server about deployments.

use crate::failure::Failure;
use leptos::prelude::*;
use model::{
    DeploymentId, SiteId,
    views::{DeploymentSummary, DeploymentView, LogPage, Page},
};

/// The deployments to an environment of a site, newest first.
#[server(prefix = "/_fn", endpoint = "deployments")]
pub async fn list_deployments(
    site: SiteId,
    environment: String,
    #[server(default)] cursor: Option<String>,
) -> Result<Page<DeploymentSummary>, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    platform::deployments::list(&platform, &actor, site, Some(&environment), 20, cursor.as_deref())
        .await
        .map_err(context::failed)
}

/// One deployment.
#[server(prefix = "/_fn", endpoint = "deployment")]
pub async fn get_deployment(id: DeploymentId) -> Result<DeploymentView, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    platform::deployments::get(&platform, &actor, id).await.map_err(context::failed)
}

/// Lines of a deployment's log after `after`, at most `limit`.
#[server(prefix = "/_fn", endpoint = "deployment_log")]
pub async fn get_log(id: DeploymentId, after: i64, limit: i64) -> Result<LogPage, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    platform::deployments::log(&platform, &actor, id, after, limit.clamp(1, 5_000)).await.map_err(context::failed)
}

/// Deploys the newest commit of an environment's branch.
#[server(prefix = "/_fn", endpoint = "deploy")]
pub async fn deploy(site: SiteId, environment: String) -> Result<(), Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    let new = platform::deployments::NewDeployment { environment: Some(environment), commit: None };
    let made = platform::deployments::create(&platform, &actor, site, new).await.map_err(context::failed)?;
    leptos_axum::redirect(&format!("/deployments/{}", made.summary.id));
    Ok(())
}

/// Ends a deployment that has not begun to switch.
#[server(prefix = "/_fn", endpoint = "cancel_deployment")]
pub async fn cancel_deployment(id: DeploymentId) -> Result<DeploymentView, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    platform::deployments::cancel(&platform, &actor, id).await.map_err(context::failed)
}

/// Deploys the same commit again.
#[server(prefix = "/_fn", endpoint = "redeploy")]
pub async fn redeploy(id: DeploymentId) -> Result<(), Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    let made = platform::deployments::redeploy(&platform, &actor, id).await.map_err(context::failed)?;
    leptos_axum::redirect(&format!("/deployments/{}", made.summary.id));
    Ok(())
}

/// Applies an earlier release again, without a build: with the variables it ran with, or with today's where `variables`
/// is `now`.
#[server(prefix = "/_fn", endpoint = "rollback")]
pub async fn rollback(id: DeploymentId, #[server(default)] variables: String) -> Result<(), Failure> {
    use crate::context;
    use platform::deployments::{Rollback, Variables};
    let (platform, actor) = context::signed_in().await?;
    let how = Rollback { variables: if variables == "now" { Variables::Now } else { Variables::Then } };
    let made = platform::deployments::rollback(&platform, &actor, id, how).await.map_err(context::failed)?;
    leptos_axum::redirect(&format!("/deployments/{}", made.summary.id));
    Ok(())
}

/// Applies a release in another environment of its site, without a build.
#[server(prefix = "/_fn", endpoint = "promote")]
pub async fn promote(id: DeploymentId, environment: String) -> Result<(), Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    let to = platform::deployments::Promotion { environment };
    let made = platform::deployments::promote(&platform, &actor, id, to).await.map_err(context::failed)?;
    leptos_axum::redirect(&format!("/deployments/{}", made.summary.id));
    Ok(())
}

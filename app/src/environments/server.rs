//! What the pages ask of the server about environments.

use crate::failure::Failure;
use leptos::prelude::*;
use model::{SiteId, views::EnvironmentView};

/// The environments of a site, production first.
#[server(prefix = "/_fn", endpoint = "environments")]
pub async fn list_environments(site: SiteId) -> Result<Vec<EnvironmentView>, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    Ok(platform::environments::list(&platform, &actor, site).await.map_err(context::failed)?.items)
}

/// Makes an environment and goes to its variables. `copy` is empty, or the environment whose variables it begins with.
#[server(prefix = "/_fn", endpoint = "create_environment")]
pub async fn create_environment(
    site: SiteId,
    name: String,
    branch: String,
    #[server(default)] copy: String,
    #[server(default)] copy_secrets: bool,
) -> Result<(), Failure> {
    use crate::{context, failure::Keep};
    let (platform, actor) = context::signed_in().await?;
    let new = platform::environments::NewEnvironment {
        name: name.clone(),
        branch: branch.clone(),
        copy_variables_from: Some(copy).filter(|from| !from.is_empty()),
        copy_secrets,
        ..Default::default()
    };
    let made = platform::environments::create(&platform, &actor, site, new)
        .await
        .map_err(context::failed)
        .keep(&[("name", &name), ("branch", &branch)])?;
    leptos_axum::redirect(&format!("/sites/{site}?environment={}", made.name));
    Ok(())
}

/// Changes what an environment deploys. `watch` has a pattern on each line.
#[server(prefix = "/_fn", endpoint = "change_environment")]
pub async fn change_environment(
    site: SiteId,
    environment: String,
    branch: String,
    #[server(default)] root: String,
    #[server(default)] watch: String,
) -> Result<EnvironmentView, Failure> {
    use crate::{context, failure::Keep};
    let (platform, actor) = context::signed_in().await?;
    let change = platform::environments::Change {
        branch: Some(branch.clone()),
        root: Some(root.clone()),
        watch: Some(watch.lines().map(str::to_owned).collect()),
        paused: None,
    };
    platform::environments::change(&platform, &actor, site, &environment, change)
        .await
        .map_err(context::failed)
        .keep(&[("branch", &branch), ("root", &root), ("watch", &watch)])
}

/// Pauses an environment or lets it go on.
#[server(prefix = "/_fn", endpoint = "pause_environment")]
pub async fn pause_environment(
    site: SiteId,
    environment: String,
    #[server(default)] paused: bool,
) -> Result<EnvironmentView, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    let change = platform::environments::Change { paused: Some(paused), ..Default::default() };
    platform::environments::change(&platform, &actor, site, &environment, change).await.map_err(context::failed)
}

/// Removes an environment when its name was typed as it is.
#[server(prefix = "/_fn", endpoint = "delete_environment")]
pub async fn delete_environment(
    site: SiteId,
    environment: String,
    confirm: String,
    #[server(default)] keep_data: bool,
) -> Result<(), Failure> {
    use crate::context;
    use model::Problem;
    let (platform, actor) = context::signed_in().await?;
    if confirm.trim() != environment {
        let message = format!("This is not the environment's name. Type {environment} to delete it.");
        return Err(context::refuse(Problem::invalid("confirm", "mismatch", message)));
    }
    platform::environments::delete(&platform, &actor, site, &environment, keep_data).await.map_err(context::failed)?;
    leptos_axum::redirect(&format!("/sites/{site}"));
    Ok(())
}

//! What the pages ask of the server about GitHub.

use crate::failure::Failure;
use leptos::prelude::*;
use model::views::{GitHubAppView, GitHubManifest, GitHubRepositoryView, InstallationView, TeamView};
use serde::{Deserialize, Serialize};

/// The App, or the form that registers it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Registration {
    /// It.
    pub app: Option<GitHubAppView>,
    /// Where there is none yet.
    pub form: Option<GitHubManifest>,
}

/// How the visitor can come to a repository on GitHub.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ways {
    /// The operator has registered an App.
    pub registered: bool,
    /// What the visitor's teams have connected.
    pub installations: Vec<InstallationView>,
    /// The teams that an installation can be connected with.
    pub teams: Vec<TeamView>,
}

/// The App, for administrators.
#[server(prefix = "/_fn", endpoint = "github_app")]
pub async fn get_github_app(#[server(default)] organization: String) -> Result<Registration, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    if let Some(app) = platform::github::view(&platform, &actor).await.map_err(context::failed)? {
        return Ok(Registration { app: Some(app), form: None });
    }
    let state = platform::vault::random_secret();
    let form = platform::github::registration(&platform, &actor, &organization, &state).map_err(context::failed)?;
    context::put_into_session(super::REGISTERING, state).await?;
    Ok(Registration { app: None, form: Some(form) })
}

/// Forgets the App and all installations.
#[server(prefix = "/_fn", endpoint = "forget_github")]
pub async fn forget_github() -> Result<(), Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    platform::github::disconnect_all(&platform, &actor).await.map_err(context::failed)?;
    context::send_on("/admin/github");
    Ok(())
}

/// How the visitor can come to a repository on GitHub.
#[server(prefix = "/_fn", endpoint = "github_ways")]
pub async fn get_github_ways() -> Result<Ways, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    let mut teams = platform::teams::list(&platform, &actor).await.map_err(context::failed)?;
    teams.retain(|team| team.role.is_some_and(model::Role::may_write));
    Ok(Ways {
        teams,
        registered: platform::github::is_registered(&platform, &actor).await.map_err(context::failed)?,
        installations: platform::github::installations(&platform, &actor).await.map_err(context::failed)?,
    })
}

/// The repositories of an installation whose names hold `q`.
#[server(prefix = "/_fn", endpoint = "github_repositories")]
pub async fn list_github_repositories(
    installation: i64,
    #[server(default)] q: String,
) -> Result<Vec<GitHubRepositoryView>, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    platform::github::repositories(&platform, &actor, installation, &q).await.map_err(context::failed)
}

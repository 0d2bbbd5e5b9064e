//! The GitHub App, its installations, and the repositories that they reach.

use crate::TeamId;
use serde::{Deserialize, Serialize};

/// The registered App, as administrators see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GitHubAppView {
    /// GitHub's number.
    pub id: i64,
    /// Its name in addresses.
    pub slug: String,
    /// Its page on GitHub.
    pub url: String,
    /// Where GitHub sends its webhooks.
    pub webhook: String,
}

/// What an administrator's browser posts to GitHub to register the App.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GitHubManifest {
    /// Where to.
    pub action: String,
    /// The field `manifest`: JSON.
    pub manifest: String,
}

/// An installation that a team has connected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InstallationView {
    /// GitHub's number.
    pub id: i64,
    /// Whose.
    pub team_id: TeamId,
    /// The user or organization on GitHub.
    pub account: String,
    /// GitHub does not let it be used for now.
    pub suspended: bool,
}

/// A repository that an installation reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GitHubRepositoryView {
    /// GitHub's number.
    pub id: i64,
    /// `owner/name`
    pub full_name: String,
    /// Only some may see it.
    pub private: bool,
    /// Its default branch.
    pub default_branch: String,
}

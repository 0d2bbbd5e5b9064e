//! Sites: made, shown, deleted.

use crate::{Platform, Result};
use model::{
    Actor, Problem, SiteId, TeamId,
    views::{CreatedSite, Page, SiteView, TemplateView},
};
use serde::{Deserialize, Serialize};

/// Where a new site's code comes from, as the API takes it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum NewSource {
    /// A template's id.
    Template(String),
    /// A remote repository.
    Git {
        /// Its address.
        url: String,
        /// `None`: the repository's default branch.
        #[serde(default)]
        branch: Option<String>,
        /// For a private repository.
        #[serde(default)]
        token: Option<String>,
    },
    /// An empty repository kept by the platform.
    Hosted {},
}

/// What a person sends to make a site.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewSite {
    /// `None`: the caller's first team.
    #[serde(default)]
    pub team_id: Option<TeamId>,
    /// Name for people.
    pub name: String,
    /// `None`: made from the name.
    #[serde(default)]
    pub slug: Option<String>,
    /// Where the code comes from.
    pub source: NewSource,
}

/// Whether an address is free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlugCheck {
    /// As it would be used.
    pub slug: String,
    /// It can be taken.
    pub available: bool,
    /// Why not, or where the site would answer.
    pub message: String,
}

fn soon<T>() -> Result<T> {
    Err(Problem::new(503, "not_ready", "Not ready.").into())
}

/// The templates to begin from.
pub fn templates(_platform: &Platform) -> Result<Vec<TemplateView>> {
    soon()
}
/// Whether an address is free; checked as it is typed.
pub async fn check_slug(_platform: &Platform, _actor: &Actor, _slug: &str) -> Result<SlugCheck> {
    soon()
}
/// The sites of the caller's teams, newest first; `limit` ≤ 100.
pub async fn list(_platform: &Platform, _actor: &Actor, _limit: i64, _cursor: Option<&str>) -> Result<Page<SiteView>> {
    soon()
}
/// One site.
pub async fn get(_platform: &Platform, _actor: &Actor, _id: SiteId) -> Result<SiteView> {
    soon()
}
/// Makes a site and queues its first deployment.
pub async fn create(_platform: &Platform, _actor: &Actor, _new: NewSite) -> Result<CreatedSite> {
    soon()
}
/// Gives a site another name for people.
pub async fn rename(_platform: &Platform, _actor: &Actor, _id: SiteId, _name: &str) -> Result<SiteView> {
    soon()
}
/// The webhook's secret, for those who may change the site.
pub async fn webhook_secret(_platform: &Platform, _actor: &Actor, _id: SiteId) -> Result<String> {
    soon()
}
/// Removes a site and all that was made for it; with `keep_data` its volumes stay.
pub async fn delete(_platform: &Platform, _actor: &Actor, _id: SiteId, _keep_data: bool) -> Result<()> {
    soon()
}

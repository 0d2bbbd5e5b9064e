//! Deployments: asked for, shown, cancelled, repeated.

use crate::{Platform, Result};
use model::{
    Actor, DeploymentId, Problem, SiteId,
    views::{DeploymentSummary, DeploymentView, LogPage, Page},
};
use serde::Deserialize;

/// What a person sends to deploy.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct NewDeployment {
    /// `None`: production.
    #[serde(default)]
    pub environment: Option<String>,
    /// `None`: the newest commit of the environment's branch.
    #[serde(default)]
    pub commit: Option<String>,
}

fn soon<T>() -> Result<T> {
    Err(Problem::new(503, "not_ready", "Not ready.").into())
}

/// The deployments of a site, newest first; `limit` ≤ 100.
pub async fn list(
    _platform: &Platform,
    _actor: &Actor,
    _site: SiteId,
    _limit: i64,
    _cursor: Option<&str>,
) -> Result<Page<DeploymentSummary>> {
    soon()
}
/// One deployment.
pub async fn get(_platform: &Platform, _actor: &Actor, _id: DeploymentId) -> Result<DeploymentView> {
    soon()
}
/// Queues a deployment; older ones of that environment that still wait are superseded.
pub async fn create(
    _platform: &Platform,
    _actor: &Actor,
    _site: SiteId,
    _new: NewDeployment,
) -> Result<DeploymentView> {
    soon()
}
/// Ends a deployment that has not begun to switch; 409 `not_cancellable` otherwise.
pub async fn cancel(_platform: &Platform, _actor: &Actor, _id: DeploymentId) -> Result<DeploymentView> {
    soon()
}
/// Deploys the same commit again.
pub async fn redeploy(_platform: &Platform, _actor: &Actor, _id: DeploymentId) -> Result<DeploymentView> {
    soon()
}
/// Applies the release of this deployment again, without a build; 409 `release_gone` if it is no longer kept.
pub async fn rollback(_platform: &Platform, _actor: &Actor, _id: DeploymentId) -> Result<DeploymentView> {
    soon()
}
/// Lines after `after`, at most `limit` (≤ 5,000).
pub async fn log(_platform: &Platform, _actor: &Actor, _id: DeploymentId, _after: i64, _limit: i64) -> Result<LogPage> {
    soon()
}

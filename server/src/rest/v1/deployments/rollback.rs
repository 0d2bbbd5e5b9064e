//! `POST /deployments/{id}/rollback` → 202 with a new deployment that applies this release again, without a build; 409 where it is no longer kept.

use crate::{auth::Caller, path::Id, problem::ApiResult};
use axum::{Json, extract::State, http::StatusCode};
use model::{DeploymentId, views::DeploymentView};
use platform::{Platform, deployments};
use std::sync::Arc;

/// Goes back to a release.
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(id): Id<DeploymentId>,
) -> ApiResult<(StatusCode, Json<DeploymentView>)> {
    Ok((StatusCode::ACCEPTED, Json(deployments::rollback(&platform, &actor, id).await?)))
}

//! `GET /deployments/{id}`.

use crate::{auth::Caller, path::Id, problem::ApiResult};
use axum::{Json, extract::State};
use model::{DeploymentId, views::DeploymentView};
use platform::{Platform, deployments};
use std::sync::Arc;

/// Shows a deployment.
#[utoipa::path(
    get, path = "", security(("api_token" = ["sites:read"])),
    responses(
        (status = 200, body = DeploymentView)
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(id): Id<DeploymentId>,
) -> ApiResult<Json<DeploymentView>> {
    Ok(Json(deployments::get(&platform, &actor, id).await?))
}

//! `POST /deployments/{id}/redeploy` → 202 with a new deployment of the same commit.

use crate::{auth::Caller, path::Id, problem::ApiResult};
use axum::{Json, extract::State, http::StatusCode};
use model::{DeploymentId, views::DeploymentView};
use platform::{Platform, deployments};
use std::sync::Arc;

/// Deploys the same commit again.
#[utoipa::path(
    post, path = "", security(("api_token" = ["deploy"])),
    responses(
        (status = 202, body = DeploymentView),
        (status = 403, description = "`forbidden`"),
        (status = 409, description = "`already_under_way` `site_deleting` `environment_deleting` `environment_paused` `not_approved`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(id): Id<DeploymentId>,
) -> ApiResult<(StatusCode, Json<DeploymentView>)> {
    Ok((StatusCode::ACCEPTED, Json(deployments::redeploy(&platform, &actor, id).await?)))
}

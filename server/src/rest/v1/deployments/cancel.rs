//! `POST /deployments/{id}/cancel` → 202; 409 `not_cancellable` once it switches or has ended.

use crate::{auth::Caller, path::Id, problem::ApiResult};
use axum::{Json, extract::State, http::StatusCode};
use model::{DeploymentId, views::DeploymentView};
use platform::{Platform, deployments};
use std::sync::Arc;

/// Ends a deployment that has not begun to switch.
#[utoipa::path(
    post, path = "", security(("api_token" = ["deploy"])),
    responses(
        (status = 202, body = DeploymentView),
        (status = 403, description = "`forbidden`"),
        (status = 409, description = "`not_cancellable` `already_cancelling` `site_deleting`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(id): Id<DeploymentId>,
) -> ApiResult<(StatusCode, Json<DeploymentView>)> {
    Ok((StatusCode::ACCEPTED, Json(deployments::cancel(&platform, &actor, id).await?)))
}

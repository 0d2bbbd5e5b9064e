//! `POST /deployments/{id}/promote` → 202 with a new deployment that applies this release in another environment of the
//! site, without a build.

use crate::{auth::Caller, json::ApiJson, path::Id, problem::ApiResult};
use axum::{Json, extract::State, http::StatusCode};
use model::{DeploymentId, views::DeploymentView};
use platform::{Platform, deployments};
use std::sync::Arc;

/// Promotes a release.
#[utoipa::path(
    post, path = "", security(("api_token" = ["deploy"])), request_body = deployments::Promotion,
    responses(
        (status = 202, body = DeploymentView),
        (status = 403, description = "`forbidden`"),
        (status = 409, description = "`release_gone` `same_environment` `already_under_way` `site_deleting` `environment_deleting` `environment_paused` `environment_is_preview`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(id): Id<DeploymentId>,
    ApiJson(to): ApiJson<deployments::Promotion>,
) -> ApiResult<(StatusCode, Json<DeploymentView>)> {
    Ok((StatusCode::ACCEPTED, Json(deployments::promote(&platform, &actor, id, to).await?)))
}

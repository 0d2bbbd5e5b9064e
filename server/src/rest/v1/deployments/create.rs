//! `POST /sites/{id}/deployments` → 202 with the queued deployment; the body may be left out.

use crate::{auth::Caller, json::MaybeJson, path::Id, problem::ApiResult};
use axum::{Json, extract::State, http::StatusCode};
use model::{SiteId, views::DeploymentView};
use platform::{Platform, deployments};
use std::sync::Arc;

/// Queues a deployment.
#[utoipa::path(
    post, path = "", security(("api_token" = ["deploy"])), request_body = Option<deployments::NewDeployment>,
    responses(
        (status = 202, body = DeploymentView),
        (status = 403, description = "`forbidden`"),
        (status = 409, description = "`site_deleting` `environment_deleting` `environment_paused` `environment_is_preview` `not_approved`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(id): Id<SiteId>,
    MaybeJson(new): MaybeJson<deployments::NewDeployment>,
) -> ApiResult<(StatusCode, Json<DeploymentView>)> {
    Ok((StatusCode::ACCEPTED, Json(deployments::create(&platform, &actor, id, new).await?)))
}

//! `POST /deployments/{id}/rollback` → 202 with a new deployment that applies this release again, without a build, with
//! the variables it ran with or (`{"variables": "now"}`) today's; 409 where it is no longer kept. The body may be left
//! out.

use crate::{auth::Caller, json::MaybeJson, path::Id, problem::ApiResult};
use axum::{Json, extract::State, http::StatusCode};
use model::{DeploymentId, views::DeploymentView};
use platform::{Platform, deployments};
use std::sync::Arc;

/// Goes back to a release.
#[utoipa::path(
    post, path = "", security(("api_token" = ["deploy"])), request_body = Option<deployments::Rollback>,
    responses(
        (status = 202, body = DeploymentView),
        (status = 403, description = "`forbidden`"),
        (status = 409, description = "`release_gone` `already_current` `already_under_way` `site_deleting` `environment_deleting`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(id): Id<DeploymentId>,
    MaybeJson(how): MaybeJson<deployments::Rollback>,
) -> ApiResult<(StatusCode, Json<DeploymentView>)> {
    Ok((StatusCode::ACCEPTED, Json(deployments::rollback(&platform, &actor, id, how).await?)))
}

//! `PATCH /sites/{id}/environments/{name}`: branch, root folder, watched paths, and whether it is paused.

use crate::{auth::Caller, json::ApiJson, path::InSite, problem::ApiResult};
use axum::{Json, extract::State};
use model::views::EnvironmentView;
use platform::{Platform, environments};
use std::sync::Arc;

/// Changes an environment.
#[utoipa::path(
    patch, path = "", security(("api_token" = ["sites:write"])), request_body = environments::Change,
    responses(
        (status = 200, body = EnvironmentView),
        (status = 403, description = "`forbidden`"),
        (status = 409, description = "`site_deleting` `environment_deleting` `environment_is_preview`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    InSite(site, name): InSite,
    ApiJson(change): ApiJson<environments::Change>,
) -> ApiResult<Json<EnvironmentView>> {
    Ok(Json(environments::change(&platform, &actor, site, &name, change).await?))
}

//! `POST /sites/{id}/environments` → 201; nothing is deployed to it yet.

use crate::{auth::Caller, json::ApiJson, path::Id, problem::ApiResult};
use axum::{Json, extract::State, http::StatusCode};
use model::{SiteId, views::EnvironmentView};
use platform::{Platform, environments};
use std::sync::Arc;

/// Makes an environment.
#[utoipa::path(
    post, path = "", security(("api_token" = ["sites:write"])), request_body = environments::NewEnvironment,
    responses(
        (status = 201, body = EnvironmentView),
        (status = 403, description = "`forbidden`"),
        (status = 409, description = "`site_deleting` `environment_exists` `host_taken` `too_many_environments`"),
        (status = 503, description = "`no_subnet`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(site): Id<SiteId>,
    ApiJson(new): ApiJson<environments::NewEnvironment>,
) -> ApiResult<(StatusCode, Json<EnvironmentView>)> {
    Ok((StatusCode::CREATED, Json(environments::create(&platform, &actor, site, new).await?)))
}

//! `POST /sites` → 201 with the site, its webhook secret (shown this once) and its first deployment.

use crate::{auth::Caller, json::ApiJson, problem::ApiResult};
use axum::{Json, extract::State, http::StatusCode};
use model::views::CreatedSite;
use platform::{Platform, sites};
use std::sync::Arc;

/// Makes a site.
#[utoipa::path(
    post, path = "", security(("api_token" = ["sites:write"])), request_body = sites::NewSite,
    responses(
        (status = 201, body = CreatedSite),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`not_found`"),
        (status = 409, description = "`slug_taken` `no_github_app` `suspended` `deploy_key_used`"),
        (status = 422, description = "`deploy_key_needed`"),
        (status = 503, description = "`no_subnet` `github_unavailable`"),
        (status = 507, description = "`disk_full`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    ApiJson(new): ApiJson<sites::NewSite>,
) -> ApiResult<(StatusCode, Json<CreatedSite>)> {
    Ok((StatusCode::CREATED, Json(sites::create(&platform, &actor, new).await?)))
}

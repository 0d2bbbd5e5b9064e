//! `POST /sites` → 201 with the site, its webhook secret (shown this once) and its first deployment.

use crate::{auth::Caller, json::ApiJson, problem::ApiResult};
use axum::{Json, extract::State, http::StatusCode};
use model::views::CreatedSite;
use platform::{Platform, sites};
use std::sync::Arc;

/// Makes a site.
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    ApiJson(new): ApiJson<sites::NewSite>,
) -> ApiResult<(StatusCode, Json<CreatedSite>)> {
    Ok((StatusCode::CREATED, Json(sites::create(&platform, &actor, new).await?)))
}

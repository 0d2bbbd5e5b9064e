//! `GET /github/installations`: what the caller's teams have connected.

use crate::{auth::Caller, problem::ApiResult};
use axum::{Json, extract::State};
use model::views::{InstallationView, Page};
use platform::{Platform, github};
use std::sync::Arc;

/// Lists installations.
#[utoipa::path(
    get, path = "", security(("api_token" = ["sites:read"])),
    responses(
        (status = 200, body = Page<InstallationView>)
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
) -> ApiResult<Json<Page<InstallationView>>> {
    Ok(Json(Page { items: github::installations(&platform, &actor).await?, next_cursor: None }))
}

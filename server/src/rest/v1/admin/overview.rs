//! `GET /admin/overview`: the installation in numbers.

use crate::{auth::Caller, problem::ApiResult};
use axum::{Json, extract::State};
use model::views::OverviewView;
use platform::{Platform, admin};
use std::sync::Arc;

/// Shows the installation in numbers, to administrators of the platform.
#[utoipa::path(
    get, path = "",
    responses(
        (status = 200, body = OverviewView),
        (status = 404, description = "`not_found`")
    )
)]
pub async fn handle(State(platform): State<Arc<Platform>>, Caller(actor): Caller) -> ApiResult<Json<OverviewView>> {
    Ok(Json(admin::overview(&platform, &actor).await?))
}

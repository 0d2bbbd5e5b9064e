//! `GET /sites/{id}/usage`.

use crate::{auth::Caller, path::Id, problem::ApiResult};
use axum::{Json, extract::State};
use model::{SiteId, views::UsageView};
use platform::{Platform, disk};
use std::sync::Arc;

/// Shows what a site takes of the disk.
#[utoipa::path(
    get, path = "", security(("api_token" = ["sites:read"])),
    responses((status = 200, body = UsageView), (status = 503, description = "`engine_unavailable`"))
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(id): Id<SiteId>,
) -> ApiResult<Json<UsageView>> {
    Ok(Json(disk::usage(&platform, &actor, id).await?))
}

//! `GET /sites/{id}`.

use crate::{auth::Caller, path::Id, problem::ApiResult};
use axum::{Json, extract::State};
use model::{SiteId, views::SiteView};
use platform::{Platform, sites};
use std::sync::Arc;

/// Shows a site.
#[utoipa::path(get, path = "", security(("api_token" = ["sites:read"])), responses((status = 200, body = SiteView)))]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(id): Id<SiteId>,
) -> ApiResult<Json<SiteView>> {
    Ok(Json(sites::get(&platform, &actor, id).await?))
}

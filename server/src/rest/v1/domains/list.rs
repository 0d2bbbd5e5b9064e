//! `GET /sites/{id}/domains`, production's first.

use crate::{auth::Caller, path::Id, problem::ApiResult};
use axum::{Json, extract::State};
use model::{
    SiteId,
    views::{DomainView, Page},
};
use platform::{Platform, domains};
use std::sync::Arc;

/// Lists domains.
#[utoipa::path(
    get, path = "", security(("api_token" = ["sites:read"])),
    responses((status = 200, body = Page<DomainView>))
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(site): Id<SiteId>,
) -> ApiResult<Json<Page<DomainView>>> {
    Ok(Json(domains::list(&platform, &actor, site).await?))
}

//! `GET /sites/{id}/previews`: pull requests with their previews, those that are open first.

use crate::{auth::Caller, path::Id, problem::ApiResult};
use axum::{Json, extract::State};
use model::{
    SiteId,
    views::{Page, PreviewView},
};
use platform::{Platform, previews};
use std::sync::Arc;

/// Lists previews.
#[utoipa::path(
    get, path = "", security(("api_token" = ["sites:read"])),
    responses(
        (status = 200, body = Page<PreviewView>)
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(site): Id<SiteId>,
) -> ApiResult<Json<Page<PreviewView>>> {
    Ok(Json(previews::list(&platform, &actor, site).await?))
}

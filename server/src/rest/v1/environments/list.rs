//! `GET /sites/{id}/environments`, production first.

use crate::{auth::Caller, path::Id, problem::ApiResult};
use axum::{Json, extract::State};
use model::{
    SiteId,
    views::{EnvironmentView, Page},
};
use platform::{Platform, environments};
use std::sync::Arc;

/// Lists environments.
#[utoipa::path(
    get, path = "", security(("api_token" = ["sites:read"])),
    responses(
        (status = 200, body = Page<EnvironmentView>)
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(site): Id<SiteId>,
) -> ApiResult<Json<Page<EnvironmentView>>> {
    Ok(Json(environments::list(&platform, &actor, site).await?))
}

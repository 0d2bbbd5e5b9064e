//! `GET /admin/sites`: the sites of all teams, newest first.

use crate::{auth::Caller, page::PageQuery, problem::ApiResult};
use axum::{Json, extract::State};
use model::views::{AdminSiteView, Page};
use platform::{Platform, admin};
use std::sync::Arc;

/// Lists sites.
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    page: PageQuery,
) -> ApiResult<Json<Page<AdminSiteView>>> {
    Ok(Json(admin::all_sites(&platform, &actor, page.limit, page.cursor.as_deref()).await?))
}

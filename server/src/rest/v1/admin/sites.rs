//! `GET /admin/sites`: the sites of all teams, newest first.

use crate::{
    auth::Caller,
    page::{PageParams, PageQuery},
    problem::ApiResult,
};
use axum::{Json, extract::State};
use model::views::{AdminSiteView, Page};
use platform::{Platform, admin};
use std::sync::Arc;

/// Lists the sites of all teams, for administrators of the platform.
#[utoipa::path(
    get, path = "", params(PageParams),
    responses(
        (status = 200, body = Page<AdminSiteView>),
        (status = 404, description = "`not_found`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    page: PageQuery,
) -> ApiResult<Json<Page<AdminSiteView>>> {
    Ok(Json(admin::all_sites(&platform, &actor, page.limit, page.cursor.as_deref()).await?))
}

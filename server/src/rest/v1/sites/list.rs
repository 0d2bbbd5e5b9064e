//! `GET /sites`: the sites of the caller's teams, newest first.

use crate::{
    auth::Caller,
    page::{PageParams, PageQuery},
    problem::ApiResult,
};
use axum::{Json, extract::State};
use model::views::{Page, SiteView};
use platform::{Platform, sites};
use std::sync::Arc;

/// Lists sites.
#[utoipa::path(
    get, path = "", security(("api_token" = ["sites:read"])), params(PageParams),
    responses(
        (status = 200, body = Page<SiteView>)
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    page: PageQuery,
) -> ApiResult<Json<Page<SiteView>>> {
    Ok(Json(sites::list(&platform, &actor, page.limit, page.cursor.as_deref()).await?))
}

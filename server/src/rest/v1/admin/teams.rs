//! `GET /admin/teams`: all teams with their members and their use, newest first, at most twenty on a page.

use crate::{
    auth::Caller,
    page::{PageParams, PageQuery},
    problem::ApiResult,
};
use axum::{Json, extract::State};
use model::views::{AdminTeamView, Page};
use platform::{Platform, admin};
use std::sync::Arc;

/// Lists all teams, twenty on a page, for administrators of the platform.
#[utoipa::path(
    get, path = "", params(PageParams),
    responses(
        (status = 200, body = Page<AdminTeamView>),
        (status = 404, description = "`not_found`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    page: PageQuery,
) -> ApiResult<Json<Page<AdminTeamView>>> {
    Ok(Json(admin::teams(&platform, &actor, page.limit, page.cursor.as_deref()).await?))
}

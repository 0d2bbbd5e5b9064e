//! `GET /admin/settings`, as `webmeteor config` prints them.

use crate::{auth::Caller, problem::ApiResult};
use axum::{Json, extract::State};
use model::views::{Page, SettingView};
use platform::{Platform, admin};
use std::sync::Arc;

/// Shows the settings without secrets, to administrators of the platform.
#[utoipa::path(
    get, path = "",
    responses(
        (status = 200, body = Page<SettingView>),
        (status = 404, description = "`not_found`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
) -> ApiResult<Json<Page<SettingView>>> {
    Ok(Json(Page { items: admin::settings(&platform, &actor)?, next_cursor: None }))
}

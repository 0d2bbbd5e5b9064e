//! `GET /passkeys`: the caller's own, oldest first.

use crate::{auth::Caller, problem::ApiResult};
use axum::{Json, extract::State};
use model::views::{Page, PasskeyView};
use platform::{Platform, sign_in::passkeys};
use std::sync::Arc;

/// Lists them; there are never more than a page of them.
#[utoipa::path(get, path = "", responses((status = 200, body = Page<PasskeyView>)))]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
) -> ApiResult<Json<Page<PasskeyView>>> {
    Ok(Json(Page { items: passkeys::list(&platform, &actor).await?, next_cursor: None }))
}

//! `GET /tokens`: the caller's own, newest first.

use crate::{auth::Caller, problem::ApiResult};
use axum::{Json, extract::State};
use model::views::{Page, TokenView};
use platform::{Platform, api_tokens};
use std::sync::Arc;

/// Lists them; there are never more than a page of them.
#[utoipa::path(get, path = "", responses((status = 200, body = Page<TokenView>)))]
pub async fn handle(State(platform): State<Arc<Platform>>, Caller(actor): Caller) -> ApiResult<Json<Page<TokenView>>> {
    Ok(Json(Page { items: api_tokens::list(&platform, &actor).await?, next_cursor: None }))
}

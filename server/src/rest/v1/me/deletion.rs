//! `GET /me/deletion`: what stands in the way of deleting the caller's account, and what goes with it.

use crate::{auth::Caller, problem::ApiResult, state::AppState};
use axum::{Json, extract::State};
use model::views::DeletionView;
use platform::accounts;

/// Shows what stands in the way of deleting the caller's account, and what goes with it.
#[utoipa::path(get, path = "", responses((status = 200, body = DeletionView)))]
pub async fn handle(State(state): State<AppState>, Caller(actor): Caller) -> ApiResult<Json<DeletionView>> {
    Ok(Json(accounts::deletion(&state.platform, &actor).await?))
}

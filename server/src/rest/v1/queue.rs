//! `GET /queue`: what waits and what runs, of the caller's teams; all of it for administrators of the platform.

use crate::{auth::Caller, problem::ApiResult, state::AppState};
use axum::{Json, extract::State};
use model::views::QueueView;
use platform::queue;

/// Lists what waits and what runs.
#[utoipa::path(get, path = "", security(("api_token" = ["sites:read"])), responses((status = 200, body = QueueView)))]
pub async fn handle(State(state): State<AppState>, Caller(actor): Caller) -> ApiResult<Json<QueueView>> {
    Ok(Json(queue::list(&state.platform, &actor).await?))
}

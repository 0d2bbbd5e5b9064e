//! `GET /queue`: what waits and what runs, of the caller's teams; all of it for administrators of the platform.

use crate::{auth::Caller, problem::ApiResult, state::AppState};
use axum::{Json, extract::State};
use model::views::QueueView;
use platform::queue;

/// 200.
pub async fn handle(State(state): State<AppState>, Caller(actor): Caller) -> ApiResult<Json<QueueView>> {
    Ok(Json(queue::list(&state.platform, &actor).await?))
}

//! `GET /me`: the caller's own account.

use crate::{auth::Caller, problem::ApiResult, state::AppState};
use axum::{Json, extract::State};
use model::views::UserView;
use platform::accounts;

/// 200.
pub async fn handle(State(state): State<AppState>, Caller(actor): Caller) -> ApiResult<Json<UserView>> {
    Ok(Json(accounts::me(&state.platform, &actor).await?))
}

//! `GET /me`: the caller's own account.

use crate::{auth::Caller, problem::ApiResult, state::AppState};
use axum::{Json, extract::State};
use model::views::UserView;
use platform::accounts;

/// Shows the caller's own account.
#[utoipa::path(get, path = "", security(("api_token" = ["any"])), responses((status = 200, body = UserView)))]
pub async fn handle(State(state): State<AppState>, Caller(actor): Caller) -> ApiResult<Json<UserView>> {
    Ok(Json(accounts::me(&state.platform, &actor).await?))
}

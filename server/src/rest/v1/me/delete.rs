//! `DELETE /me`: the caller's account, for its password and its address.

use crate::{auth::Caller, json::ApiJson, problem::ApiResult, state::AppState};
use axum::{extract::State, http::StatusCode};
use platform::accounts::{self, DeleteAccount};

/// 204; 422 for the fields `email` and `password`; 409 `last_admin`, `only_owner`, `has_sites`.
pub async fn handle(
    State(state): State<AppState>,
    Caller(actor): Caller,
    ApiJson(body): ApiJson<DeleteAccount>,
) -> ApiResult<StatusCode> {
    accounts::delete(&state.platform, &actor, &body).await?;
    Ok(StatusCode::NO_CONTENT)
}

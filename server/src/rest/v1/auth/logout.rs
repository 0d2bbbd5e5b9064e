//! `POST /auth/logout`: ends the sign-in that a refresh token belongs to.

use super::refresh::RefreshToken;
use crate::{json::ApiJson, problem::ApiResult, state::AppState};
use axum::{extract::State, http::StatusCode};
use platform::tokens;

/// Ends the sign-in that a refresh token belongs to.
///
/// Answers the same whether or not there was such a token. An access token lives on for its last minutes.
#[utoipa::path(post, path = "", security(()), request_body = RefreshToken, responses((status = 204)))]
pub async fn handle(State(state): State<AppState>, ApiJson(body): ApiJson<RefreshToken>) -> ApiResult<StatusCode> {
    tokens::revoke(&state.platform, &body.refresh_token).await?;
    Ok(StatusCode::NO_CONTENT)
}

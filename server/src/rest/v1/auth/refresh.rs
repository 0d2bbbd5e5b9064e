//! `POST /auth/refresh`: new tokens for a refresh token, which is spent by it.

use super::NO_STORE;
use crate::{client::Visit, json::ApiJson, problem::ApiResult, state::AppState};
use axum::{Json, extract::State, response::IntoResponse};
use platform::tokens;
use serde::Deserialize;

/// What a client sends, here and to sign out.
#[derive(Deserialize)]
pub struct RefreshToken {
    pub(super) refresh_token: String,
}

/// 200; 401 `invalid_refresh_token`, and where the token was spent before, all tokens of that sign-in end.
pub async fn handle(
    State(state): State<AppState>,
    visit: Visit,
    ApiJson(body): ApiJson<RefreshToken>,
) -> ApiResult<impl IntoResponse> {
    Ok((NO_STORE, Json(tokens::refresh_for(&state.platform, &body.refresh_token, &visit.0).await?)))
}

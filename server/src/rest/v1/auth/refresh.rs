//! `POST /auth/refresh`: new tokens for a refresh token, which is spent by it.

use super::NO_STORE;
use crate::{client::Visit, json::ApiJson, problem::ApiResult, state::AppState};
use axum::{Json, extract::State, response::IntoResponse};
use platform::tokens::{self, TokenPair};
use serde::Deserialize;
use utoipa::ToSchema;

/// What a client sends, here and to sign out.
#[derive(Deserialize, ToSchema)]
pub struct RefreshToken {
    pub(super) refresh_token: String,
}

/// Gives new tokens for a refresh token, which is spent by it.
///
/// Where it was spent before, all tokens of that sign-in end.
#[utoipa::path(
    post, path = "", security(()), request_body = RefreshToken,
    responses(
        (status = 200, body = TokenPair),
        (status = 401, description = "`invalid_refresh_token`")
    )
)]
pub async fn handle(
    State(state): State<AppState>,
    visit: Visit,
    ApiJson(body): ApiJson<RefreshToken>,
) -> ApiResult<impl IntoResponse> {
    Ok((NO_STORE, Json(tokens::refresh_for(&state.platform, &body.refresh_token, &visit.0).await?)))
}

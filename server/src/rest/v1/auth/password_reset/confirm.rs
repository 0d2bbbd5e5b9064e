//! `POST /auth/password-reset/confirm`: sets the password of an account by the link that was mailed to it.

use crate::{client::Visit, json::ApiJson, problem::ApiResult, state::AppState};
use axum::{extract::State, http::StatusCode};
use platform::accounts;
use serde::Deserialize;

/// The link's token and the new password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reset {
    token: String,
    password: String,
}

/// 204; 422 for a link that was used before or is too old, and for a password that is not accepted.
pub async fn handle(
    State(state): State<AppState>,
    visit: Visit,
    ApiJson(body): ApiJson<Reset>,
) -> ApiResult<StatusCode> {
    accounts::confirm_reset(&state.platform, &visit.stranger(), &body.token, &body.password).await?;
    Ok(StatusCode::NO_CONTENT)
}

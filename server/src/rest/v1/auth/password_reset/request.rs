//! `POST /auth/password-reset`: has a link sent by which a forgotten password is set anew.

use crate::{json::ApiJson, problem::ApiResult, state::AppState};
use axum::{Json, extract::State, http::StatusCode};
use platform::accounts;
use serde::Deserialize;
use serde_json::{Value, json};

/// Who has forgotten it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forgotten {
    email: String,
}

/// 202, whether or not there is such an account.
pub async fn handle(
    State(state): State<AppState>,
    ApiJson(body): ApiJson<Forgotten>,
) -> ApiResult<(StatusCode, Json<Value>)> {
    accounts::request_reset(&state.platform, &body.email).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({"status": "reset_sent"}))))
}

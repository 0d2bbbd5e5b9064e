//! `POST /me/email`: another address, once it is confirmed from there.

use crate::{auth::Caller, json::ApiJson, problem::ApiResult, state::AppState};
use axum::{Json, extract::State, http::StatusCode};
use platform::accounts;
use serde::Deserialize;
use serde_json::{Value, json};

/// What a client sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    email: String,
    password: String,
}

/// 202, whether or not another account has the address; 422 for the fields `email` and `password`.
pub async fn handle(
    State(state): State<AppState>,
    Caller(actor): Caller,
    ApiJson(body): ApiJson<Change>,
) -> ApiResult<(StatusCode, Json<Value>)> {
    accounts::request_email_change(&state.platform, &actor, &body.email, &body.password).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({"status": "confirmation_sent"}))))
}

//! `POST /me/email/verification`: another link by which the caller's address is proved.

use crate::{auth::Caller, problem::ApiResult, state::AppState};
use axum::{Json, extract::State, http::StatusCode};
use platform::accounts;
use serde_json::{Value, json};

/// 202; nothing is sent where the address is proved.
pub async fn handle(State(state): State<AppState>, Caller(actor): Caller) -> ApiResult<(StatusCode, Json<Value>)> {
    accounts::send_verification(&state.platform, &actor).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({"status": "confirmation_sent"}))))
}

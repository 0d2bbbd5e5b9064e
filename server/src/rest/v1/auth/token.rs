//! `POST /auth/token`: tokens for an address and a password.

use super::NO_STORE;
use crate::{client::Visit, json::ApiJson, problem::ApiResult, state::AppState};
use axum::{Json, extract::State, response::IntoResponse};
use platform::{accounts, tokens};
use serde::Deserialize;

/// What a client sends.
#[derive(Deserialize)]
pub struct Credentials {
    email: String,
    password: String,
}

/// 200; 401 `bad_credentials`, which does not tell whether there is such an account.
pub async fn handle(
    State(state): State<AppState>,
    visit: Visit,
    ApiJson(credentials): ApiJson<Credentials>,
) -> ApiResult<impl IntoResponse> {
    let user = accounts::sign_in(&state.platform, &credentials.email, &credentials.password).await?;
    Ok((NO_STORE, Json(tokens::issue_to(&state.platform, user.id, &visit.0).await?)))
}

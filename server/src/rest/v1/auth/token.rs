//! `POST /auth/token`: tokens for an address and a password.

use super::NO_STORE;
use crate::{client, json::ApiJson, problem::ApiResult, state::AppState};
use axum::{Json, extract::State, response::IntoResponse};
use model::Origin;
use platform::{
    sign_in::{self, Visit},
    tokens,
};
use serde::Deserialize;

/// What a client sends.
#[derive(Deserialize)]
pub struct Credentials {
    email: String,
    password: String,
    /// A code of the second factor's app, or a recovery code.
    #[serde(default)]
    totp: Option<String>,
}

/// 200; 401 `bad_credentials`, which does not tell whether there is such an account. With a right password, where the
/// account has a second factor: 401 `totp_required`, 401 `bad_totp`, 429 `totp_locked`.
pub async fn handle(
    State(state): State<AppState>,
    client: client::Visit,
    ApiJson(credentials): ApiJson<Credentials>,
) -> ApiResult<impl IntoResponse> {
    let Credentials { email, password, totp } = credentials;
    let from = Visit::from(Origin { address: client.0.address, token: None });
    let user = sign_in::at_once(&state.platform, &email, &password, totp.as_deref(), from).await?;
    Ok((NO_STORE, Json(tokens::issue_to(&state.platform, user.id, &client.0).await?)))
}

//! `POST /auth/token`: tokens for an address and a password.

use super::NO_STORE;
use crate::{client, json::ApiJson, problem::ApiResult, state::AppState};
use axum::{Json, extract::State, response::IntoResponse};
use platform::{
    sign_in::{self, Visit},
    tokens::{self, TokenPair},
};
use serde::Deserialize;
use utoipa::ToSchema;

/// What a client sends.
#[derive(Deserialize, ToSchema)]
pub struct Credentials {
    email: String,
    password: String,
    /// A code of the second factor's app, or a recovery code.
    #[serde(default)]
    totp: Option<String>,
}

/// Signs in with an address and a password.
///
/// A refusal does not tell whether there is such an account. An account with a second factor takes a code beside them:
/// once the password was right, the answer says so.
#[utoipa::path(
    post, path = "", security(()), request_body = Credentials,
    responses(
        (status = 200, body = TokenPair),
        (status = 401, description = "`bad_credentials` `totp_required` `bad_totp` `sign_in_expired`"),
        (status = 429, description = "`totp_locked`")
    )
)]
pub async fn handle(
    State(state): State<AppState>,
    client: client::Visit,
    ApiJson(credentials): ApiJson<Credentials>,
) -> ApiResult<impl IntoResponse> {
    let Credentials { email, password, totp } = credentials;
    let from = Visit::from(client.stranger().origin);
    let user = sign_in::at_once(&state.platform, &email, &password, totp.as_deref(), from).await?;
    Ok((NO_STORE, Json(tokens::issue_to(&state.platform, user.id, &client.0).await?)))
}

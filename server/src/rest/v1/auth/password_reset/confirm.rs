//! `POST /auth/password-reset/confirm`: sets the password of an account by the link that was mailed to it.

use crate::{client::Visit, json::ApiJson, problem::ApiResult, state::AppState};
use axum::{extract::State, http::StatusCode};
use platform::accounts;
use serde::Deserialize;
use utoipa::ToSchema;

/// The link's token and the new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasswordReset)]
pub struct Reset {
    token: String,
    password: String,
}

/// Sets the password of an account by the link that was mailed to it.
///
/// All that the account is signed in with ends. A password that is refused spends nothing.
#[utoipa::path(
    post, path = "", security(()), request_body = Reset,
    responses(
        (status = 204),
        (status = 404, description = "`not_found`")
    )
)]
pub async fn handle(
    State(state): State<AppState>,
    visit: Visit,
    ApiJson(body): ApiJson<Reset>,
) -> ApiResult<StatusCode> {
    accounts::confirm_reset(&state.platform, &visit.stranger(), &body.token, &body.password).await?;
    Ok(StatusCode::NO_CONTENT)
}

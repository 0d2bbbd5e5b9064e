//! `POST /auth/password-reset`: has a link sent by which a forgotten password is set anew.

use crate::{json::ApiJson, problem::ApiResult, rest::sent::Sent, state::AppState};
use axum::extract::State;
use platform::accounts;
use serde::Deserialize;
use utoipa::ToSchema;

/// Who has forgotten it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ForgottenPassword)]
pub struct Forgotten {
    email: String,
}

/// Has a link sent by which a forgotten password is set anew.
///
/// The answer is the same whether or not there is such an account.
#[utoipa::path(post, path = "", security(()), request_body = Forgotten, responses((status = 202, body = Sent)))]
pub async fn handle(State(state): State<AppState>, ApiJson(body): ApiJson<Forgotten>) -> ApiResult<Sent> {
    accounts::request_reset(&state.platform, &body.email).await?;
    Ok(Sent::RESET)
}

//! `POST /me/email`: another address, once it is confirmed from there.

use crate::{auth::Caller, json::ApiJson, problem::ApiResult, rest::sent::Sent, state::AppState};
use axum::extract::State;
use platform::accounts;
use serde::Deserialize;
use utoipa::ToSchema;

/// What a client sends.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EmailChange)]
pub struct Change {
    email: String,
    password: String,
}

/// Asks for another address of the caller's account.
///
/// It is changed once that is confirmed from there; the answer is the same whether or not another account has it.
#[utoipa::path(post, path = "", request_body = Change, responses((status = 202, body = Sent)))]
pub async fn handle(
    State(state): State<AppState>,
    Caller(actor): Caller,
    ApiJson(body): ApiJson<Change>,
) -> ApiResult<Sent> {
    accounts::request_email_change(&state.platform, &actor, &body.email, &body.password).await?;
    Ok(Sent::CONFIRMATION)
}

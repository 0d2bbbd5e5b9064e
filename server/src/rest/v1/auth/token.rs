//! `POST /auth/token`: tokens for an address and a password.

use super::NO_STORE;
use crate::{address::ClientAddress, json::ApiJson, problem::ApiResult, state::AppState};
use axum::{Extension, Json, extract::State, response::IntoResponse};
use platform::{
    accounts,
    tokens::{self, TokenPair},
};
use serde::Deserialize;
use utoipa::ToSchema;

/// What a client sends.
#[derive(Deserialize, ToSchema)]
pub struct Credentials {
    email: String,
    password: String,
}

/// Signs in with an address and a password.
///
/// A refusal does not tell whether there is such an account.
#[utoipa::path(
    post, path = "", security(()), request_body = Credentials,
    responses(
        (status = 200, body = TokenPair),
        (status = 401, description = "`bad_credentials`")
    )
)]
pub async fn handle(
    State(state): State<AppState>,
    client: Option<Extension<ClientAddress>>,
    ApiJson(credentials): ApiJson<Credentials>,
) -> ApiResult<impl IntoResponse> {
    let (throttle, address) = (&state.platform.throttle, client.map(|Extension(it)| it.0));
    throttle.sign_in(&credentials.email, address)?;
    let user = accounts::sign_in(&state.platform, &credentials.email, &credentials.password).await?;
    throttle.signed_in(&credentials.email, address);
    Ok((NO_STORE, Json(tokens::issue(&state.platform, user.id).await?)))
}

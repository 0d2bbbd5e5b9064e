//! `POST /auth/register`: an account with its personal team, signed in.

use super::NO_STORE;
use crate::{address::ClientAddress, json::ApiJson, problem::ApiResult, state::AppState};
use axum::{Extension, Json, extract::State, http::StatusCode, response::IntoResponse};
use platform::{
    accounts::{self, Registered, Registration},
    tokens::{self, TokenPair},
};
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
#[schema(as = NewAccount)]
struct Body {
    #[serde(flatten)]
    registered: Registered,
    #[serde(flatten)]
    tokens: TokenPair,
}

/// Makes an account with its personal team, and signs it in.
#[utoipa::path(
    post, path = "", security(()), request_body = Registration,
    responses(
        (status = 201, body = Body),
        (status = 403, description = "`signup_closed`"),
        (status = 409, description = "`email_taken`")
    )
)]
pub async fn handle(
    State(state): State<AppState>,
    client: Option<Extension<ClientAddress>>,
    ApiJson(new): ApiJson<Registration>,
) -> ApiResult<impl IntoResponse> {
    let registered = accounts::register(&state.platform, new).await?;
    state.platform.throttle.signed_in(&registered.user.email, client.map(|Extension(it)| it.0));
    let tokens = tokens::issue(&state.platform, registered.user.id).await?;
    Ok((StatusCode::CREATED, NO_STORE, Json(Body { registered, tokens })))
}

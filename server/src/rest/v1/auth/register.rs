//! `POST /auth/register`: an account with its personal team, signed in.

use super::NO_STORE;
use crate::{json::ApiJson, problem::ApiResult, state::AppState};
use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use platform::{
    accounts::{self, Registered, Registration},
    tokens::{self, TokenPair},
};
use serde::Serialize;

#[derive(Serialize)]
struct Body {
    #[serde(flatten)]
    registered: Registered,
    #[serde(flatten)]
    tokens: TokenPair,
}

/// 201; 403 `signup_closed`, 409 `email_taken`, 422 with every field that is wrong.
pub async fn handle(
    State(state): State<AppState>,
    ApiJson(new): ApiJson<Registration>,
) -> ApiResult<impl IntoResponse> {
    let registered = accounts::register(&state.platform, new).await?;
    let tokens = tokens::issue(&state.platform, registered.user.id).await?;
    Ok((StatusCode::CREATED, NO_STORE, Json(Body { registered, tokens })))
}

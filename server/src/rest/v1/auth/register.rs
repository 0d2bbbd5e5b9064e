//! `POST /auth/register`: an account with its personal team, signed in; where mail is sent, a link to confirm it by.

use super::NO_STORE;
use crate::{client::Visit, json::ApiJson, problem::ApiResult, state::AppState};
use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use platform::{
    accounts::{self, Registered, Registration, SignedUp},
    tokens::{self, TokenPair},
};
use serde::Serialize;
use serde_json::json;

/// A new account, signed in.
#[derive(Serialize)]
pub struct Body {
    /// The account and its personal team.
    #[serde(flatten)]
    pub registered: Registered,
    /// What it is signed in with.
    #[serde(flatten)]
    pub tokens: TokenPair,
}

/// 201, or 202 `confirmation_sent` whether or not there is an account with the address; 403 `signup_closed`, 422 with
/// every field that is wrong; where no mail is sent, 409 `email_taken`.
pub async fn handle(
    State(state): State<AppState>,
    visit: Visit,
    ApiJson(new): ApiJson<Registration>,
) -> ApiResult<Response> {
    match accounts::sign_up(&state.platform, &visit.stranger(), new).await? {
        SignedUp::Made(registered) => {
            let tokens = tokens::issue_to(&state.platform, registered.user.id, &visit.0).await?;
            Ok((StatusCode::CREATED, NO_STORE, Json(Body { registered: *registered, tokens })).into_response())
        }
        SignedUp::ConfirmationSent => {
            Ok((StatusCode::ACCEPTED, NO_STORE, Json(json!({"status": "confirmation_sent"}))).into_response())
        }
    }
}

//! `POST /auth/register`: an account with its personal team, signed in; where mail is sent, a link to confirm it by.

use super::NO_STORE;
use crate::{client::Visit, json::ApiJson, problem::ApiResult, rest::sent::Sent, state::AppState};
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
use utoipa::ToSchema;

/// A new account, signed in.
#[derive(Serialize, ToSchema)]
#[schema(as = NewAccount)]
pub struct Body {
    /// The account and its personal team.
    #[serde(flatten)]
    pub registered: Registered,
    /// What it is signed in with.
    #[serde(flatten)]
    pub tokens: TokenPair,
}

/// Makes an account with its personal team, and signs it in.
///
/// Where mail is sent, the account is made only once the link in it is confirmed, and the answer is 202 whether or not
/// there is an account with the address.
#[utoipa::path(
    post, path = "", security(()), request_body = Registration,
    responses(
        (status = 201, body = Body),
        (status = 202, body = Sent),
        (status = 403, description = "`signup_closed`"),
        (status = 409, description = "`email_taken`")
    )
)]
pub async fn handle(
    State(state): State<AppState>,
    visit: Visit,
    ApiJson(new): ApiJson<Registration>,
) -> ApiResult<Response> {
    match accounts::sign_up(&state.platform, &visit.stranger(), new).await? {
        SignedUp::Made(registered) => {
            state.platform.throttle.signed_in(&registered.user.email, visit.0.address);
            let tokens = tokens::issue_to(&state.platform, registered.user.id, &visit.0).await?;
            Ok((StatusCode::CREATED, NO_STORE, Json(Body { registered: *registered, tokens })).into_response())
        }
        SignedUp::ConfirmationSent => Ok((NO_STORE, Sent::CONFIRMATION).into_response()),
    }
}

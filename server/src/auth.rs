//! Who calls the API: the account behind the bearer token, an access token of a sign-in or an API token.

use crate::{address, problem::ApiProblem, state::AppState};
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use model::{Actor, Problem};
use platform::{
    Platform,
    accounts::{self, sessions::Current},
    api_tokens, tokens,
};

/// The caller of a route of the API. 401 `unauthenticated` without a token, 401 `invalid_token` with one that is wrong,
/// expired, or of an account that is gone.
#[derive(Debug, Clone)]
pub struct Caller(pub Actor);

impl FromRequestParts<AppState> for Caller {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiProblem> {
        let token = bearer(&parts.headers).ok_or_else(Problem::unauthenticated)?;
        let invalid = || Problem::new(401, "invalid_token", "This token is wrong or has expired; get a new one.");
        let actor = actor(&state.platform, token).await?.ok_or_else(invalid)?;
        Ok(Self(actor.at(address::of(&parts.extensions))))
    }
}

/// The caller that a token stands for, whichever kind it is of.
///
/// # Errors
/// The database's.
pub async fn actor(platform: &Platform, token: &str) -> platform::Result<Option<Actor>> {
    if token.starts_with(api_tokens::PREFIX) {
        return api_tokens::actor(platform, token).await;
    }
    match tokens::read(platform, token).await? {
        Some(presented) if tokens::stands(platform, &presented).await? => {
            accounts::actor(platform, presented.user).await
        }
        _ => Ok(None),
    }
}

/// The sign-in that the caller's access token came from.
#[derive(Debug, Clone)]
pub struct SignIn(pub Current);

impl FromRequestParts<AppState> for SignIn {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiProblem> {
        let presented = match bearer(&parts.headers) {
            Some(token) => tokens::read(&state.platform, token).await?,
            None => None,
        };
        Ok(Self(presented.and_then(|it| it.sign_in).map_or(Current::Unknown, Current::Program)))
    }
}

/// RFC 6750, section 2.1; the scheme's case does not matter (RFC 9110, section 11.1).
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

//! Who calls the API: the account behind the bearer token.

use crate::{problem::ApiProblem, state::AppState};
use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use model::{Actor, Problem};
use platform::{accounts, tokens};

/// The caller of a route of the API. 401 `unauthenticated` without a token, 401 `invalid_token` with one that is wrong,
/// expired, or of an account that is gone.
#[derive(Debug, Clone)]
pub struct Caller(pub Actor);

impl FromRequestParts<AppState> for Caller {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiProblem> {
        let token = bearer(parts).ok_or_else(Problem::unauthenticated)?;
        let invalid =
            || Problem::new(401, "invalid_token", "This access token is wrong or has expired; get a new one.");
        let user = tokens::verify(&state.platform, token).ok_or_else(invalid)?;
        let actor = accounts::actor(&state.platform, user).await?.ok_or_else(invalid)?;
        Ok(Self(actor))
    }
}

/// RFC 6750, section 2.1; the scheme's case does not matter (RFC 9110, section 11.1).
fn bearer(parts: &Parts) -> Option<&str> {
    let (scheme, token) = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

//! Who sends a request: where from, as [`address`] tells, and what its headers say of the program, which is for lists that
//! people read and never for a decision.

use crate::address;
use axum::{
    extract::FromRequestParts,
    http::{Extensions, HeaderMap, header, request::Parts},
};
use model::Actor;
use platform::{accounts, tokens::Client};
use std::convert::Infallible;

/// The client of a request.
#[derive(Debug, Clone)]
pub struct Visit(pub Client);

impl Visit {
    /// Somebody who is not signed in.
    pub fn stranger(&self) -> Actor {
        Actor::nobody().at(self.0.address)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(of(&parts.headers, &parts.extensions)))
    }
}

/// The client of the request with these headers, and with the address that its extensions hold.
pub fn of(headers: &HeaderMap, extensions: &Extensions) -> Client {
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).map(accounts::kept_agent);
    Client { address: address::of(extensions), agent }
}

//! Who sends a request, as far as its connection and its headers tell; for lists that people read, never for a decision.

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{Extensions, HeaderMap, header, request::Parts},
};
use model::Actor;
use platform::{accounts, tokens::Client};
use std::{convert::Infallible, net::SocketAddr};

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

/// The client of the request with these headers, over the connection that its extensions tell of.
pub fn of(headers: &HeaderMap, extensions: &Extensions) -> Client {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip().to_canonical());
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).map(accounts::kept_agent);
    Client { address: peer, agent }
}

//! Who stands behind a socket: the browser's session on our own pages, or a program with a token.

use crate::{address, state::AppState};
use axum::http::{header, request::Parts};
use model::{Actor, UserId};
use platform::{
    Platform, accounts, api_tokens,
    tokens::{self, Presented},
};
use serde::Deserialize;
use std::{fmt, net::IpAddr};
use tower_sessions::Session;

/// The `auth` object of a Socket.IO client: `io({ auth: { token } })`.
#[derive(Clone, Default, Deserialize)]
pub struct Handshake {
    token: Option<String>,
}

/// The connection is refused; the client sees the word as the message of its `connect_error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Nobody is signed in, or the request came from another site's page.
    Unauthenticated,
    /// Who it is cannot be told just now.
    Unavailable,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unauthenticated => "unauthenticated",
            Self::Unavailable => "unavailable",
        })
    }
}

/// Somebody whose identity was established when the socket connected.
#[derive(Clone)]
pub struct Visitor {
    user: UserId,
    by: By,
    address: Option<IpAddr>,
}

/// What it was established by, which is looked at again.
#[derive(Clone)]
enum By {
    Session(Session),
    AccessToken(Presented),
    ApiToken(String),
}

impl Visitor {
    /// Recognises who connects.
    pub async fn recognise(state: &AppState, parts: &Parts, handshake: Handshake) -> Result<Self, Refused> {
        let address = address::of(&parts.extensions);
        let (user, by) = match handshake.token {
            Some(token) => by_token(&state.platform, token).await?,
            None => by_session(state, parts).await?,
        };
        Ok(Self { user, by, address })
    }

    /// Whose account it is.
    pub fn user(&self) -> UserId {
        self.user
    }

    /// What the visitor may do now; `None` once the session or the token has ended or the account is gone.
    pub async fn actor(&self, platform: &Platform) -> platform::Result<Option<Actor>> {
        let actor = match &self.by {
            By::Session(session) => {
                session.load().await.map_err(anyhow::Error::from)?;
                if user_of(session).await.map_err(anyhow::Error::from)? != Some(self.user) {
                    return Ok(None);
                }
                accounts::actor(platform, self.user).await?
            }
            By::AccessToken(presented) => {
                if !tokens::stands(platform, presented).await? {
                    return Ok(None);
                }
                accounts::actor(platform, self.user).await?
            }
            By::ApiToken(token) => api_tokens::actor(platform, token).await?,
        };
        Ok(actor.map(|actor| actor.at(self.address)))
    }
}

async fn by_token(platform: &Platform, token: String) -> Result<(UserId, By), Refused> {
    if token.starts_with(api_tokens::PREFIX) {
        let found = api_tokens::actor(platform, &token).await.map_err(|error| {
            tracing::warn!(%error, "an API token cannot be looked up");
            Refused::Unavailable
        })?;
        let user = found.and_then(|actor| actor.user).ok_or(Refused::Unauthenticated)?;
        return Ok((user, By::ApiToken(token)));
    }
    let presented = tokens::read(platform, &token).await.map_err(|error| {
        tracing::warn!(%error, "a token cannot be looked at");
        Refused::Unavailable
    })?;
    let presented = presented.ok_or(Refused::Unauthenticated)?;
    let stands = tokens::stands(platform, &presented).await.map_err(|error| {
        tracing::warn!(%error, "a sign-in cannot be looked up");
        Refused::Unavailable
    })?;
    if stands { Ok((presented.user, By::AccessToken(presented))) } else { Err(Refused::Unauthenticated) }
}

async fn by_session(state: &AppState, parts: &Parts) -> Result<(UserId, By), Refused> {
    // Customers' sites may be siblings of the dashboard: their pages send our cookie, and their origin.
    if !is_own_origin(parts, &state.config.public_url) {
        return Err(Refused::Unauthenticated);
    }
    let session = parts.extensions.get::<Session>().cloned().ok_or(Refused::Unauthenticated)?;
    let user = user_of(&session).await.map_err(|error| {
        tracing::warn!(%error, "a session cannot be read");
        Refused::Unavailable
    })?;
    let user = user.ok_or(Refused::Unauthenticated)?;
    Ok((user, By::Session(session)))
}

async fn user_of(session: &Session) -> Result<Option<UserId>, tower_sessions::session::Error> {
    session.get(accounts::SESSION_USER).await
}

/// A browser names the page's origin in every such request; what names none is no browser.
fn is_own_origin(parts: &Parts, public_url: &str) -> bool {
    let text = |name| parts.headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let Some(origin) = text(header::ORIGIN) else { return true };
    let by_host = text(header::HOST).is_some_and(|host| origin.split_once("://").is_some_and(|(_, rest)| rest == host));
    origin == public_url || by_host
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn is_own(headers: &[(&str, &str)]) -> bool {
        let mut request = Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        is_own_origin(&request.body(()).unwrap().into_parts().0, "https://paas.example.org")
    }

    #[test]
    fn a_page_of_another_origin_is_refused_even_on_a_sibling_host() {
        assert!(is_own(&[]));
        assert!(is_own(&[("origin", "https://paas.example.org")]));
        assert!(is_own(&[("origin", "http://localhost:3000"), ("host", "localhost:3000")]));
        assert!(!is_own(&[("origin", "https://shop.paas.example.org"), ("host", "paas.example.org")]));
        assert!(!is_own(&[("origin", "http://evil.localhost:8888"), ("host", "localhost:3000")]));
        assert!(!is_own(&[("origin", "null"), ("host", "localhost:3000")]));
    }
}

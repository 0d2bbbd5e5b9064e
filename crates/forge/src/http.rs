//! Asking a forge's API: at the addresses that were checked and no others, without redirects, within limits.

use crate::git::look_up;
use reqwest::{Client, RequestBuilder, Response, StatusCode, header::RETRY_AFTER, redirect::Policy};
use std::{net::SocketAddr, time::Duration};
use url::{Host, Url};

/// One answer may take so long.
const ANSWER: Duration = Duration::from_secs(15);
const CONNECT: Duration = Duration::from_secs(5);
/// No forge's answer that is read is longer, in bytes.
const MAX_ANSWER: usize = 8 * 1024 * 1024;
/// Nobody is made to wait for longer by a forge.
const MAX_WAIT: Duration = Duration::from_hours(1);

/// Why a forge did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// It may work later, after so long if the forge says so.
    #[error("{reason}")]
    Later {
        /// What happened, in plain words.
        reason: String,
        /// What the forge asks for.
        after: Option<Duration>,
    },
    /// The forge answered, and no.
    #[error("The forge answers {0}.")]
    Refused(u16),
    /// It is not asked at all.
    #[error("{0}")]
    NotAsked(String),
}

impl ApiError {
    fn later(reason: impl Into<String>) -> Self {
        Self::Later { reason: reason.into(), after: None }
    }
}

/// A client that talks to this address's host alone.
///
/// # Errors
/// [`ApiError::NotAsked`] where the address leads into a private network or what is sent could be read on the way, and
/// `allow_private` is not set; [`ApiError::Later`] where the host is not found.
pub async fn client(url: &Url, allow_private: bool) -> Result<Client, ApiError> {
    let host = url.host().ok_or_else(|| ApiError::NotAsked("The forge's address has no host.".into()))?.to_owned();
    let is_here = match &host {
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
        Host::Domain(name) => name == "localhost",
    };
    if url.scheme() != "https" && !(allow_private && is_here) {
        return Err(ApiError::NotAsked("The forge is asked over https:// only: the token could be read.".into()));
    }
    let port = url.port_or_known_default().unwrap_or(443);
    let found = look_up(&host, port, allow_private).await.map_err(|error| {
        if error.message.contains("cannot be found") {
            ApiError::later(error.message)
        } else {
            ApiError::NotAsked(error.message)
        }
    })?;
    let addresses: Vec<SocketAddr> = found.into_iter().map(|ip| SocketAddr::new(ip, port)).collect();
    let mut builder = Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .connect_timeout(CONNECT)
        .timeout(ANSWER)
        .user_agent("webmeteor");
    if let Host::Domain(name) = &host {
        builder = builder.resolve_to_addrs(name, &addresses);
    }
    builder.build().map_err(|error| ApiError::NotAsked(format!("No connection to the forge can be made: {error}.")))
}

/// Sends a request and judges the answer's status.
///
/// # Errors
/// [`ApiError::Later`] without an answer, for 408, 429, 5xx, and for GitHub's 403 that says when to come again
/// (<https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>); else [`ApiError::Refused`].
pub async fn send(request: RequestBuilder) -> Result<Response, (ApiError, Option<Response>)> {
    let response = request.send().await.map_err(|error| {
        let reason =
            if error.is_timeout() { "The forge did not answer in time." } else { "The forge cannot be reached." };
        (ApiError::later(reason), None)
    })?;
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let header = |name: &str| response.headers().get(name)?.to_str().ok();
    let after = header(RETRY_AFTER.as_str()).and_then(|seconds| seconds.trim().parse().ok()).map(Duration::from_secs);
    let limited = after.is_some() || header("x-ratelimit-remaining") == Some("0");
    let later = status.is_server_error()
        || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
        || (status == StatusCode::FORBIDDEN && limited);
    let error = if later {
        let reason = format!("The forge answers {} for now.", status.as_u16());
        ApiError::Later { reason, after: after.map(|after| after.min(MAX_WAIT)) }
    } else {
        ApiError::Refused(status.as_u16())
    };
    Err((error, Some(response)))
}

/// Reads an answer, up to a limit.
///
/// # Errors
/// [`ApiError::Later`] if it breaks off or is too long.
pub async fn read(mut response: Response) -> Result<Vec<u8>, ApiError> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|_| ApiError::later("The forge's answer broke off."))? {
        if body.len() + piece.len() > MAX_ANSWER {
            return Err(ApiError::later("The forge's answer is too long."));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

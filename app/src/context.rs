//! The server's side of a request: the platform, the session, and who asks.

use crate::failure::Failure;
use axum::http::{HeaderValue, StatusCode, header, request::Parts};
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use model::{Actor, Origin, Problem, UserId};
use platform::{
    Platform,
    accounts::{self, sessions::Current},
    sign_in::{self, Pending},
    throttle::ClientAddress,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{net::IpAddr, sync::Arc};
use time::{Duration, OffsetDateTime};
use tower_sessions::{Expiry, Session};

/// How long a session lasts without a visit.
pub const INACTIVITY: Duration = Duration::days(14);
/// In the session: the second step of signing in.
const SECOND_STEP: &str = "second_step";

/// Somebody gave the right password; what was asked for waits for the code.
#[derive(Serialize, Deserialize)]
pub struct SecondStep {
    /// Whose password it was.
    pub pending: Pending,
    /// Where to go afterwards.
    pub next: String,
}

/// The platform, as the server provides it.
///
/// # Errors
/// 500 when the server forgot to.
pub fn platform() -> Result<Arc<Platform>, Failure> {
    use_context::<Arc<Platform>>().ok_or_else(|| {
        tracing::error!("no platform in the context of a server function");
        refuse(Problem::internal())
    })
}

/// The visitor's session.
///
/// # Errors
/// 500 when the route has no session layer.
pub async fn session() -> Result<Session, Failure> {
    leptos_axum::extract::<Session>().await.map_err(|error| {
        tracing::error!(%error, "no session layer on a page");
        refuse(Problem::internal())
    })
}

fn broken_session(error: &tower_sessions::session::Error) -> Failure {
    tracing::error!(%error, "the session cannot be read or written");
    refuse(Problem::new(503, "session_unavailable", "Your session cannot be read just now; try again in a moment."))
}

/// Who asks, if signed in.
///
/// # Errors
/// When the session or the database does not answer.
pub async fn visitor() -> Result<(Arc<Platform>, Option<Actor>), Failure> {
    let platform = platform()?;
    let user: Option<UserId> =
        session().await?.get(accounts::SESSION_USER).await.map_err(|error| broken_session(&error))?;
    let actor = match user {
        Some(user) => accounts::actor(&platform, user).await.map_err(failed)?,
        None => None,
    };
    Ok((platform, actor.map(|actor| actor.at(address()))))
}

/// Who asks; the first line of every server function that is not for everybody.
///
/// # Errors
/// 401 when nobody is signed in.
pub async fn signed_in() -> Result<(Arc<Platform>, Actor), Failure> {
    let (platform, actor) = visitor().await?;
    actor.map(|actor| (platform, actor)).ok_or_else(|| refuse(Problem::unauthenticated()))
}

/// Where the request came from, as the server noted it.
pub fn address() -> Option<IpAddr> {
    use_context::<Parts>()?.extensions.get::<ClientAddress>().map(|it| it.0)
}

/// Signs the visitor in: under a new session id, so that one planted before is worth nothing, and so is all that was kept
/// under it.
///
/// # Errors
/// When the session cannot be written.
pub async fn begin_session(user: UserId) -> Result<(), Failure> {
    renew(&session().await?, user).await.map_err(|error| broken_session(&error))
}

/// Makes a session this account's, under a new id and with nothing of what was in it.
///
/// # Errors
/// When it cannot be written.
pub async fn renew(session: &Session, user: UserId) -> Result<(), tower_sessions::session::Error> {
    session.clear().await;
    session.cycle_id().await?;
    session.set_expiry(Some(Expiry::OnInactivity(INACTIVITY)));
    session.insert(accounts::SESSION_USER, user).await
}

/// Remembers, for a short time and under a new session id, who gave the right password. Nobody is signed in by it.
///
/// # Errors
/// When the session cannot be written.
pub async fn begin_second_step(step: SecondStep) -> Result<(), Failure> {
    let session = session().await?;
    session.clear().await;
    session.cycle_id().await.map_err(|error| broken_session(&error))?;
    session.set_expiry(Some(Expiry::OnInactivity(sign_in::SECOND_STEP)));
    session.insert(SECOND_STEP, step).await.map_err(|error| broken_session(&error))
}

/// The second step that is under way.
///
/// # Errors
/// When the session or the database does not answer.
pub async fn second_step() -> Result<Option<SecondStep>, Failure> {
    let step: Option<SecondStep> = session().await?.get(SECOND_STEP).await.map_err(|error| broken_session(&error))?;
    let Some(step) = step else { return Ok(None) };
    let is_good = sign_in::is_under_way(&*platform()?, &step.pending, OffsetDateTime::now_utc()).await;
    Ok(is_good.map_err(failed)?.then_some(step))
}

/// Keeps the server's half of a ceremony in the visitor's session.
///
/// # Errors
/// When the session cannot be written.
pub async fn begin_ceremony(key: &str, half: &impl Serialize) -> Result<(), Failure> {
    let session = session().await?;
    be_brief(&session).await.map_err(|error| broken_session(&error))?;
    session.insert(key, half).await.map_err(|error| broken_session(&error))
}

/// Takes the server's half of a ceremony out of the visitor's session, at once and not with the answer: it is good once.
///
/// # Errors
/// When the session cannot be read or written.
pub async fn end_ceremony<T: DeserializeOwned>(key: &str) -> Result<Option<T>, Failure> {
    let session = session().await?;
    let half = session.remove(key).await.map_err(|error| broken_session(&error))?;
    if half.is_some() {
        be_brief(&session).await.map_err(|error| broken_session(&error))?;
        session.save().await.map_err(|error| broken_session(&error))?;
    }
    Ok(half)
}

/// The session of who is not signed in lasts no longer than a second step.
///
/// # Errors
/// When the session cannot be read.
pub async fn be_brief(session: &Session) -> Result<(), tower_sessions::session::Error> {
    if session.get_value(accounts::SESSION_USER).await?.is_none() {
        session.set_expiry(Some(Expiry::OnInactivity(sign_in::SECOND_STEP)));
    }
    Ok(())
}

/// Where the request came from, for the audit and the limits.
pub fn origin() -> Origin {
    stranger().origin
}

/// Signs the visitor out.
///
/// # Errors
/// When the session cannot be removed.
pub async fn end_session() -> Result<(), Failure> {
    session().await?.flush().await.map_err(|error| broken_session(&error))
}

/// Keeps something in the visitor's session.
///
/// # Errors
/// When the session cannot be written.
pub async fn put_into_session(key: &str, value: String) -> Result<(), Failure> {
    session().await?.insert(key, value).await.map_err(|error| broken_session(&error))
}

/// Takes something out of the visitor's session.
///
/// # Errors
/// When the session cannot be read or written.
pub async fn take_from_session(key: &str) -> Result<Option<String>, Failure> {
    session().await?.remove(key).await.map_err(|error| broken_session(&error))
}

/// The session that the visitor comes with, by what it is stored under.
///
/// # Errors
/// When the route has no session layer.
pub async fn current_session() -> Result<Current, Failure> {
    let id = session().await?.id();
    Ok(id.map_or(Current::Unknown, |id| Current::Browser(accounts::sessions::key(&id.to_string()))))
}

/// Somebody who need not be signed in, with the address that the request came from.
pub fn stranger() -> Actor {
    Actor::nobody().at(address())
}

/// Keeps a page whose address holds a secret out of caches, and its address from other sites.
pub fn keep_address_secret() {
    if let Some(response) = use_context::<ResponseOptions>() {
        response.insert_header(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response.insert_header(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    }
}

/// A use case's error, as it is told.
pub fn failed(error: platform::Error) -> Failure {
    refuse(Problem::from(error))
}

/// A problem, as it is told; a program that called the server function sees the status too.
pub fn refuse(problem: Problem) -> Failure {
    if called_by_program()
        && let (Some(response), Ok(status)) = (use_context::<ResponseOptions>(), StatusCode::from_u16(problem.status))
    {
        response.set_status(status);
        if let Some(seconds) = problem.retry_after {
            response.insert_header(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
    }
    problem.into()
}

/// Sends a form that was posted without JavaScript on to this page; with it the page decides by itself.
pub fn send_on(path: &str) {
    if !called_by_program() {
        leptos_axum::redirect(path);
    }
}

/// A page of the dashboard to go to after signing in; anything else, such as another host's, becomes the list of sites.
pub fn safe_next(next: &str) -> &str {
    let is_local = next.starts_with('/') && !next.starts_with("//");
    if is_local && next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\') { next } else { "/sites" }
}

/// The server function was called by our own page or another program, and not by a form that the browser posted.
pub fn called_by_program() -> bool {
    use_context::<Parts>().is_some_and(|parts| {
        let wants_html =
            parts.headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains("text/html"));
        parts.uri.path().starts_with("/_fn/") && !wants_html
    })
}

#[cfg(test)]
mod tests {
    use super::safe_next;

    #[test]
    fn signing_in_never_leads_to_another_host() {
        assert_eq!(safe_next("/sites/new?template=static"), "/sites/new?template=static");
        for bad in ["", "sites", "//evil.example", "/\\evil.example", "https://evil.example", "/\r\nSet-Cookie: a=b"] {
            assert_eq!(safe_next(bad), "/sites", "{bad}");
        }
    }
}

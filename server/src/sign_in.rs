//! The ways to a provider and back: to sign in, or to link an account there to the one that is signed in. Each way out
//! leaves what it began with in the session, and only whoever comes back with it, once, goes on.

use crate::{
    client,
    problem::{ApiProblem, ApiResult},
    state::AppState,
};
use app::context;
use axum::{
    Router,
    extract::{Path, Query, State},
    http::{HeaderMap, header},
    response::Redirect,
    routing::get,
};
use model::{Actor, Problem, UserId};
use platform::{
    Platform, accounts,
    sign_in::{
        Visit,
        providers::{self, Answer, Arrival, Journey},
    },
};
use serde::Deserialize;
use std::sync::Arc;
use time::OffsetDateTime;
use tower_sessions::Session;

/// In the session: what is under way at a provider.
const JOURNEY: &str = "journey";

/// The routes; they need sessions around them.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/sign-in/with/{provider}", get(begin))
        .route("/sign-in/with/{provider}/back", get(back))
        .route("/account/security/link/{provider}", get(link))
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    next: String,
}

/// `GET /sign-in/with/{provider}?next=`: to the provider, to sign in.
async fn begin(
    State(platform): State<Arc<Platform>>,
    session: Session,
    Path(provider): Path<String>,
    Query(wanted): Query<Wanted>,
) -> ApiResult<Redirect> {
    leave(&platform, &session, &provider, None, context::safe_next(&wanted.next)).await
}

/// `GET /account/security/link/{provider}`: to the provider, to link the account there. Asked for on our own page alone:
/// another site could have signed the browser in there as somebody else.
async fn link(
    State(platform): State<Arc<Platform>>,
    session: Session,
    Path(provider): Path<String>,
    headers: HeaderMap,
    client: client::Visit,
) -> ApiResult<Redirect> {
    let actor = visitor(&platform, &session, &client).await?.ok_or_else(Problem::unauthenticated)?;
    if !is_from_here(&headers, &platform.settings.public_url) {
        return Ok(Redirect::to(app::security::ADDRESS));
    }
    leave(&platform, &session, &provider, Some(&actor), app::security::ADDRESS).await
}

async fn leave(
    platform: &Platform,
    session: &Session,
    provider: &str,
    link: Option<&Actor>,
    next: &str,
) -> ApiResult<Redirect> {
    let (url, journey) = providers::begin(platform, provider, link, next, OffsetDateTime::now_utc()).await?;
    context::be_brief(session).await.map_err(broken)?;
    session.insert(JOURNEY, journey).await.map_err(broken)?;
    Ok(Redirect::to(&url))
}

/// `GET /sign-in/with/{provider}/back?state=&code=&error=`: back from the provider.
async fn back(
    State(platform): State<Arc<Platform>>,
    session: Session,
    Path(provider): Path<String>,
    Query(answer): Query<Answer>,
    client: client::Visit,
) -> ApiResult<Redirect> {
    let journey: Option<Journey> = session.remove(JOURNEY).await.map_err(broken)?;
    let detail = "This answer is not to a question of yours, or was given before; begin once more.";
    let journey = journey.ok_or_else(|| Problem::new(403, "bad_state", detail))?;
    // At once, and not with the answer: it is good once.
    context::be_brief(&session).await.map_err(broken)?;
    session.save().await.map_err(broken)?;
    let actor = visitor(&platform, &session, &client).await?;
    let next = journey.next.clone();
    let visit = Visit::from(client.stranger().origin);
    match providers::finish(&platform, journey, actor.as_ref(), &provider, &answer, visit).await? {
        Arrival::SignedIn(user) => context::renew(&session, user.id).await.map_err(broken)?,
        Arrival::Linked => {}
    }
    Ok(Redirect::to(context::safe_next(&next)))
}

/// The request began on a page of ours: browsers say so (Fetch Metadata), older ones by the page's address.
fn is_from_here(headers: &HeaderMap, public_url: &str) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match text("sec-fetch-site") {
        Some(site) => site == "same-origin",
        None => text(header::REFERER.as_str()).is_some_and(|page| page.starts_with(&format!("{public_url}/"))),
    }
}

async fn visitor(platform: &Platform, session: &Session, client: &client::Visit) -> ApiResult<Option<Actor>> {
    let user: Option<UserId> = session.get(accounts::SESSION_USER).await.map_err(broken)?;
    Ok(match user {
        Some(user) => accounts::actor(platform, user).await?.map(|actor| actor.at(client.0.address)),
        None => None,
    })
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn broken(error: tower_sessions::session::Error) -> ApiProblem {
    tracing::error!(%error, "the session cannot be read or written");
    Problem::new(503, "session_unavailable", "Your session cannot be read just now; try again in a moment.").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linking_begins_on_our_own_page() {
        let from = |name: &'static str, value: &str| {
            let headers = HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())]);
            is_from_here(&headers, "https://paas.example.org")
        };
        assert!(from("sec-fetch-site", "same-origin"));
        assert!(from("referer", "https://paas.example.org/account/security"));
        for site in ["cross-site", "same-site", "none"] {
            assert!(!from("sec-fetch-site", site), "{site}");
        }
        assert!(!from("referer", "https://paas.example.org.evil.example/"));
        assert!(!is_from_here(&HeaderMap::new(), "https://paas.example.org"));
    }
}

//! The ways to GitHub and back, for those who are signed in to the dashboard. Each way out leaves a `state` in the
//! session, and only whoever comes back with it, once, goes on.

use crate::{
    problem::{ApiProblem, ApiResult},
    state::AppState,
};
use axum::{
    Router,
    extract::{Query, State},
    response::Redirect,
    routing::get,
};
use model::{Actor, Problem, TeamId, UserId};
use platform::{Platform, accounts, github, vault::random_secret};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tower_sessions::Session;

/// In the session: what is under way at GitHub for a customer.
const CONNECTING: &str = "github_connecting";

/// The routes; they need sessions around them.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/admin/github/registered", get(registered))
        .route("/github/connect", get(connect))
        .route("/github/connected", get(connected))
}

/// What a customer went to GitHub for.
#[derive(Serialize, Deserialize)]
struct Connecting {
    state: String,
    team: TeamId,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    state: String,
    #[serde(default)]
    code: String,
    installation_id: Option<i64>,
}

#[derive(Deserialize)]
struct Wanted {
    team: Option<TeamId>,
    #[serde(default)]
    again: bool,
}

/// `GET /admin/github/registered?code=&state=`: GitHub has registered the App.
async fn registered(
    State(platform): State<Arc<Platform>>,
    session: Session,
    Query(answer): Query<Answer>,
) -> ApiResult<Redirect> {
    let actor = visitor(&platform, &session).await?;
    let state: Option<String> = session.remove(app::github::REGISTERING).await.map_err(broken)?;
    expect(state.as_deref(), &answer.state)?;
    github::register(&platform, &actor, &answer.code).await?;
    Ok(Redirect::to("/admin/github"))
}

/// `GET /github/connect?team=&again=`: to GitHub, to install the App.
async fn connect(
    State(platform): State<Arc<Platform>>,
    session: Session,
    Query(wanted): Query<Wanted>,
) -> ApiResult<Redirect> {
    let actor = visitor(&platform, &session).await?;
    let own = actor.memberships.iter().find(|(_, role)| role.may_write()).map(|(team, _)| *team);
    let team = wanted.team.or(own).ok_or_else(Problem::forbidden)?;
    let state = random_secret();
    let url = github::install_url(&platform, &actor, team, &state, wanted.again).await?;
    session.insert(CONNECTING, Connecting { state, team }).await.map_err(broken)?;
    Ok(Redirect::to(&url))
}

/// `GET /github/connected?installation_id=&code=&state=`: back from GitHub.
async fn connected(
    State(platform): State<Arc<Platform>>,
    session: Session,
    Query(answer): Query<Answer>,
) -> ApiResult<Redirect> {
    let actor = visitor(&platform, &session).await?;
    let begun: Option<Connecting> = session.remove(CONNECTING).await.map_err(broken)?;
    expect(begun.as_ref().map(|begun| begun.state.as_str()), &answer.state)?;
    let team = begun.map(|begun| begun.team).ok_or_else(Problem::forbidden)?;
    github::connect(&platform, &actor, team, answer.installation_id, &answer.code).await?;
    Ok(Redirect::to("/sites/new/github"))
}

/// What came back is what was sent out.
fn expect(sent: Option<&str>, back: &str) -> Result<(), Problem> {
    if sent.is_some_and(|sent| sent == back) {
        return Ok(());
    }
    let detail = "This answer of GitHub's is not to a question of yours, or was given before; begin once more.";
    Err(Problem::new(403, "bad_state", detail))
}

async fn visitor(platform: &Platform, session: &Session) -> ApiResult<Actor> {
    let user: Option<UserId> = session.get(accounts::SESSION_USER).await.map_err(broken)?;
    let actor = match user {
        Some(user) => accounts::actor(platform, user).await?,
        None => None,
    };
    Ok(actor.ok_or_else(Problem::unauthenticated)?)
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn broken(error: tower_sessions::session::Error) -> ApiProblem {
    tracing::error!(%error, "the session cannot be read or written");
    Problem::new(503, "session_unavailable", "Your session cannot be read just now; try again in a moment.").into()
}

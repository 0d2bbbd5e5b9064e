//! `GET /deployments/{id}/log.txt`: a log as a file, for those who are signed in to the dashboard.

use crate::{path::Id, problem::ApiResult, rest::v1::deployments::log, state::AppState};
use axum::{Router, extract::State, response::Response, routing::get};
use model::{Actor, DeploymentId, Problem, UserId};
use platform::{Platform, accounts};
use std::sync::Arc;
use tower_sessions::Session;

/// The one route; it needs sessions around it.
pub fn routes() -> Router<AppState> {
    Router::new().route("/deployments/{id}/log.txt", get(handle))
}

async fn handle(
    State(platform): State<Arc<Platform>>,
    session: Session,
    Id(id): Id<DeploymentId>,
) -> ApiResult<Response> {
    let actor = signed_in(&platform, &session).await?;
    log::file(platform, actor, id, 0).await
}

/// Who is signed in to this session.
///
/// # Errors
/// 401 where nobody is.
pub async fn signed_in(platform: &Platform, session: &Session) -> ApiResult<Actor> {
    let user: Option<UserId> = session.get(accounts::SESSION_USER).await.map_err(|error| {
        tracing::error!(%error, "the session cannot be read");
        Problem::new(503, "session_unavailable", "Your session cannot be read just now; try again in a moment.")
    })?;
    let actor = match user {
        Some(user) => accounts::actor(platform, user).await?,
        None => None,
    };
    Ok(actor.ok_or_else(Problem::unauthenticated)?)
}

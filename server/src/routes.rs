//! Every address that WebMeteor answers, in one place.

use crate::{
    api_docs, audit_file, body,
    config::Config,
    git_http, github, health, jwks, layers, limits, log_file, pages,
    problem::{self, ApiResult},
    rest, sessions, sign_in, sockets,
    state::AppState,
    webhooks,
};
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::StatusCode,
    middleware::{self, Next},
    response::Response,
    routing::get,
};
use socketioxide::SocketIo;
use std::time::Duration;
use tower_http::{catch_panic::CatchPanicLayer, timeout::TimeoutLayer};

/// The longest body of the API and of forms.
const BODY_MAX: usize = 1024 * 1024;
/// How long an answer may take to begin.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// All routes with everything around them, and the sockets' side, to be closed at the end.
///
/// # Errors
/// If the public address cannot be an origin.
pub fn all(state: &AppState) -> anyhow::Result<(Router, SocketIo)> {
    let (live, sockets) = sockets::routes(state);
    let with_cookie = pages::routes(state)
        .merge(log_file::routes())
        .merge(audit_file::routes())
        .merge(github::routes())
        .merge(sign_in::routes())
        .layer(middleware::from_fn(short_bodies))
        .layer(time_limit())
        .merge(live);
    let with_cookie = sessions::around(with_cookie, &state.platform.pool, &state.config.public_url)
        .layer(layers::csrf(&state.config)?)
        .layer(CatchPanicLayer::custom(problem::of_panic))
        .layer(middleware::from_fn_with_state(state.clone(), limits::by_address))
        .layer(middleware::from_fn_with_state(state.clone(), pages::errors));
    let without_cookie = Router::new()
        .nest(rest::document::BASE, api(&state.config))
        .merge(api_docs::routes())
        .route("/.well-known/jwks.json", get(jwks::handle))
        .merge(git_http::routes())
        .merge(webhooks::routes().layer(time_limit()))
        .layer(middleware::from_fn_with_state(state.clone(), limits::by_address));
    let router = Router::new()
        .route("/health", get(health::health))
        .route("/ready", get(health::ready))
        .route("/metrics", get(health::metrics))
        .merge(without_cookie)
        .merge(with_cookie)
        .with_state(state.clone());
    Ok((layers::around(router, state), sockets))
}

/// `/api/v1`: JSON in and out, every error a problem.
fn api(config: &Config) -> Router<AppState> {
    let router = Router::from(rest::v1::routes())
        .fallback(problem::not_found)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(middleware::from_fn(short_bodies))
        .layer(time_limit())
        .layer(middleware::from_fn(problem::normalise));
    match layers::cors(config) {
        Some(cors) => router.layer(cors),
        None => router,
    }
}

/// Bodies are read before they are looked at: whoever sends too much, or is refused for something else, is told, not cut
/// off.
async fn short_bodies(request: Request, next: Next) -> ApiResult<Response> {
    let (parts, body) = request.into_parts();
    let body = body::read(body, BODY_MAX).await?;
    Ok(next.run(Request::from_parts(parts, body.into())).await)
}

fn time_limit() -> TimeoutLayer {
    TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, ANSWER_LIMIT)
}

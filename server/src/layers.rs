//! What surrounds every route: ids, log lines, panics, headers, and protection against forged requests.

use crate::{address, config::Config, problem, state::AppState};
use axum::{
    Router,
    body::Body,
    http::{HeaderName, HeaderValue, Method, Request, header},
    middleware,
    response::{IntoResponse, Response},
};
use model::Problem;
use std::{borrow::Cow, time::Duration};
use tower::ServiceBuilder;
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{CompressionLayer, DefaultPredicate, Predicate, predicate::NotForContentType},
    cors::CorsLayer,
    csrf::{ConfigError, CsrfLayer, ProtectionError},
    request_id::{MakeRequestId, PropagateRequestIdLayer, RequestId, SetRequestIdLayer},
    set_header::SetResponseHeaderLayer,
    trace::{DefaultOnFailure, DefaultOnRequest, DefaultOnResponse, TraceLayer},
};
use tracing::{Level, Span};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// For answers that are no page: nothing in them runs, and nothing frames them.
const NOTHING_RUNS: &str = "default-src 'none'; frame-ancestors 'none'";

/// Surrounds all routes.
pub fn around(router: Router, state: &AppState) -> Router {
    let config = &state.config;
    let header = |name, value| SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value));
    let ids = ServiceBuilder::new()
        .layer(SetRequestIdLayer::new(REQUEST_ID, NewId))
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(span)
                .on_request(DefaultOnRequest::new().level(Level::TRACE))
                .on_response(DefaultOnResponse::new().level(Level::DEBUG))
                .on_failure(DefaultOnFailure::new().level(Level::WARN)),
        )
        .layer(PropagateRequestIdLayer::new(REQUEST_ID));
    let headers = ServiceBuilder::new()
        .layer(header(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(header(header::REFERRER_POLICY, "strict-origin-when-cross-origin"))
        .layer(header(header::X_FRAME_OPTIONS, "DENY"))
        .layer(header(header::CONTENT_SECURITY_POLICY, NOTHING_RUNS))
        .layer(header(HeaderName::from_static("cross-origin-opener-policy"), "same-origin"))
        .layer(header(HeaderName::from_static("cross-origin-resource-policy"), "same-origin"))
        .layer(header(PERMISSIONS_POLICY, "camera=(), geolocation=(), microphone=(), payment=()"));
    // Git compresses by itself, and what it says on the way is not to wait in a compressor.
    let compressible = DefaultPredicate::new().and(NotForContentType::const_new("application/x-git-"));
    let router = router
        .layer(middleware::from_fn(crate::metrics::count))
        .layer(CatchPanicLayer::custom(problem::of_panic))
        .layer(CompressionLayer::new().compress_when(compressible))
        .layer(headers)
        .layer(ids)
        .layer(middleware::from_fn_with_state(state.clone(), address::note));
    if !config.is_https() {
        return router;
    }
    // RFC 6797; two years, as preload lists ask for.
    router.layer(header(header::STRICT_TRANSPORT_SECURITY, "max-age=63072000"))
}

/// Lets pages of the origins in the settings call the API, with a token and never with a cookie. `None`: no other
/// origin's pages read anything.
pub fn cors(config: &Config) -> Option<CorsLayer> {
    let origins: Vec<HeaderValue> = config.cors_origins.iter().filter_map(|it| it.parse().ok()).collect();
    if origins.is_empty() {
        return None;
    }
    let methods = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    let layer = CorsLayer::new()
        .allow_origin(origins)
        .allow_methods(methods)
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
        .expose_headers([header::RETRY_AFTER, REQUEST_ID])
        .max_age(Duration::from_hours(1));
    Some(layer)
}

/// Makes the answer to a request that is refused.
pub type Refuse = fn(ProtectionError) -> Response;

/// Refuses requests that another site made a browser send with our cookie.
///
/// # Errors
/// If the public address cannot be an origin.
pub fn csrf(config: &Config) -> Result<CsrfLayer<Refuse>, ConfigError> {
    let refuse: Refuse = |_| {
        let detail = "This request came from another site and was not carried out. Open the dashboard and try there.";
        problem::ApiProblem(Problem::new(403, "cross_site_request", detail)).into_response()
    };
    Ok(CsrfLayer::new().add_trusted_origin(&config.public_url)?.with_rejection_response(refuse))
}

/// What a page may load: our own files, and inline scripts with this page's nonce.
pub fn page_policy(nonce: &str, live_reload: bool, github: &str) -> String {
    // Live reload listens on a port of its own.
    let reload = if live_reload { " ws:" } else { "" };
    format!(
        "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self' data:; connect-src 'self'{reload}; object-src 'none'; base-uri 'none'; form-action 'self' {github}; \
         frame-ancestors 'none'"
    )
}

#[derive(Clone, Copy)]
struct NewId;

impl MakeRequestId for NewId {
    fn make_request_id<B>(&mut self, _: &Request<B>) -> Option<RequestId> {
        HeaderValue::from_str(&uuid::Uuid::now_v7().to_string()).ok().map(RequestId::new)
    }
}

/// The path without its query: a query may hold what no log should, and so may the path to an invitation.
fn span(request: &Request<Body>) -> Span {
    let id = request.headers().get(REQUEST_ID).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let client = address::of(request.extensions()).map(tracing::field::display);
    tracing::info_span!("request", method = %request.method(), path = %shown(request.uri().path()), id, client)
}

/// What stands behind `/invitations/` opens one.
fn shown(path: &str) -> Cow<'_, str> {
    const BEFORE: &str = "/invitations/";
    match path.find(BEFORE) {
        Some(at) if !path.starts_with("/api/v1/teams/") && !path.starts_with("/api/v1/admin/") => {
            format!("{}…", &path[..at + BEFORE.len()]).into()
        }
        _ => path.into(),
    }
}

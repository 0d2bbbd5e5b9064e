//! The dashboard: pages and server functions of `app`, its files, and the page for what is not there.

use crate::{layers, problem, state::AppState};
use app::{App, error_page, failure::Failure, shell};
use axum::{
    Json, Router,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{Html, IntoResponse, Response},
};
use leptos::{
    config::Env,
    nonce::{provide_nonce, use_nonce},
    prelude::*,
};
use leptos_axum::{LeptosRoutes, ResponseOptions, generate_route_list, render_app_to_stream_with_context};
use tower_http::services::ServeDir;

/// All pages, the server functions under `/_fn`, and the files of the site folder.
pub fn routes(state: &AppState) -> Router<AppState> {
    let pages = generate_route_list(App);
    let options = state.leptos.clone();
    let site = || {
        ServeDir::new(&*state.leptos.site_root)
            .append_index_html_on_directories(false)
            .precompressed_br()
            .precompressed_gzip()
    };
    let missing = Router::new().fallback(not_found).with_state(state.clone());
    let files = site().call_fallback_on_method_not_allowed(true).fallback(missing);
    Router::new()
        .leptos_routes_with_context(state, pages, context(state), move || shell(options.clone()))
        .fallback_service(
            Router::new().fallback_service(files).layer(middleware::from_fn_with_state(state.clone(), cached)),
        )
}

/// What every page and server function finds in its context.
fn context(state: &AppState) -> impl Fn() + Clone + Send + Sync + 'static {
    let platform = state.platform.clone();
    let live_reload = matches!(state.leptos.env, Env::DEV);
    // An administrator's browser posts the GitHub App's manifest there.
    let github = state.platform.settings.github.url.origin().ascii_serialization();
    move || {
        provide_context(platform.clone());
        let policy = use_nonce().map(|nonce| layers::page_policy(&nonce, live_reload, &github));
        if let (Some(response), Some(Ok(policy))) =
            (use_context::<ResponseOptions>(), policy.map(|policy| HeaderValue::from_str(&policy)))
        {
            response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
        }
    }
}

/// The dashboard's own page, with 404 unless the page says otherwise.
async fn not_found(State(state): State<AppState>, request: Request) -> Response {
    let options = state.leptos.clone();
    let render = render_app_to_stream_with_context(context(&state), move || shell(options.clone()));
    let mut response = render(request).await;
    if response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response
}

/// Errors of what surrounds the pages, in the form that whoever asked can read: a browser that shows a page is given
/// one, and a server function's caller the failure it knows.
pub async fn errors(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let wants_page = accept.is_some_and(|accept| accept.contains("text/html"));
    let is_call = request.uri().path().starts_with("/_fn/");
    let response = next.run(request).await;
    let Some(problem) = (if wants_page || is_call { problem::of_layer(&response) } else { None }) else {
        return response;
    };
    let status = response.status();
    if !wants_page {
        return problem::told_otherwise(&response, (status, Json(Failure::from(problem))).into_response());
    }
    let (html, policy) = Owner::new().with(|| {
        provide_nonce();
        let policy = use_nonce().map(|nonce| layers::page_policy(&nonce, false, "")).unwrap_or_default();
        (error_page(state.leptos.clone(), problem).to_html(), policy)
    });
    let page = (status, [(header::CONTENT_SECURITY_POLICY, policy)], Html(html)).into_response();
    problem::told_otherwise(&response, page)
}

/// Files whose name changes with their content are kept for a year (RFC 8246); others are asked for again.
async fn cached(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let package =
        request.uri().path().strip_prefix('/').and_then(|path| path.strip_prefix(&*state.leptos.site_pkg_dir));
    let is_hashed = state.leptos.hash_files && package.is_some_and(|rest| rest.starts_with('/'));
    let mut response = next.run(request).await;
    let value = match response.status() {
        StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::NOT_MODIFIED if is_hashed => {
            "public, max-age=31536000, immutable"
        }
        _ => "no-cache",
    };
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static(value));
    response
}

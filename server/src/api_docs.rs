//! `/api/docs`: the REST API's document as a page.

use crate::{layers, rest::document, state::AppState};
use app::api_docs;
use axum::{
    Router,
    extract::{Query, State},
    http::header,
    response::{Html, IntoResponse},
    routing::get,
};
use leptos::{
    nonce::{provide_nonce, use_nonce},
    prelude::*,
};
use serde::Deserialize;

/// The route.
pub fn routes() -> Router<AppState> {
    Router::new().route("/api/docs", get(show))
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    q: String,
}

async fn show(State(state): State<AppState>, Query(wanted): Query<Wanted>) -> impl IntoResponse {
    let (html, policy) = Owner::new().with(|| {
        provide_nonce();
        let policy = use_nonce().map(|nonce| layers::page_policy(&nonce, false, "")).unwrap_or_default();
        (api_docs(state.leptos.clone(), document::value(), &wanted.q).to_html(), policy)
    });
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(html))
}

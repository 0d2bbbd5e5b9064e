//! Where forges announce pushes: no session, no cookie, raw bytes.

mod customer_site;
mod github_app;

use crate::{problem, state::AppState};
use axum::{Router, middleware, routing::post};

/// `/webhook/…`.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/webhook/customer-site", post(customer_site::by_repository))
        .route("/webhook/customer-site/{site_id}", post(customer_site::by_id))
        .route("/webhook/github-app", post(github_app::handle))
        .layer(middleware::from_fn(problem::normalise))
}

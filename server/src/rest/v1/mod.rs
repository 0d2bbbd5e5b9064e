//! `/api/v1`: one file for each operation; here is the list of them.

mod auth;
mod deployments;
mod me;
mod sites;
mod teams;

use crate::state::AppState;
use axum::{
    Router,
    routing::{get, post},
};

/// All operations.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/auth/register", post(auth::register::handle))
        .route("/auth/token", post(auth::token::handle))
        .route("/auth/refresh", post(auth::refresh::handle))
        .route("/auth/logout", post(auth::logout::handle))
        .route("/me", get(me::handle))
        .route("/teams", get(teams::handle))
        .route("/sites", get(sites::list::handle).post(sites::create::handle))
        .route("/sites/{id}", get(sites::get::handle).patch(sites::rename::handle).delete(sites::delete::handle))
        .route("/sites/{id}/deployments", get(deployments::list::handle).post(deployments::create::handle))
        .route("/deployments/{id}", get(deployments::get::handle))
        .route("/deployments/{id}/cancel", post(deployments::cancel::handle))
        .route("/deployments/{id}/redeploy", post(deployments::redeploy::handle))
        .route("/deployments/{id}/rollback", post(deployments::rollback::handle))
        .route("/deployments/{id}/log", get(deployments::log::handle))
}

//! `/api/v1`: one file for each operation; here is the list of them.

mod admin;
pub mod audit;
mod auth;
mod deliveries;
mod deploy_keys;
pub mod deployments;
mod domains;
mod environments;
mod github;
mod invitations;
mod me;
mod members;
mod passkeys;
mod platform_invitations;
mod previews;
mod queue;
mod sites;
mod teams;
mod tokens;
mod variables;
mod webhook;

use crate::state::AppState;
use axum::{
    Router,
    routing::{delete, get, patch, post, put},
};

/// All operations.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/auth/register", post(auth::register::handle))
        .route("/auth/token", post(auth::token::handle))
        .route("/auth/refresh", post(auth::refresh::handle))
        .route("/auth/logout", post(auth::logout::handle))
        .route("/auth/confirm", post(auth::confirm::handle))
        .route("/auth/password-reset", post(auth::password_reset::request::handle))
        .route("/auth/password-reset/confirm", post(auth::password_reset::confirm::handle))
        .route("/me", get(me::get::handle).delete(me::delete::handle))
        .route("/me/deletion", get(me::deletion::handle))
        .route("/me/email", post(me::change_email::handle))
        .route("/me/email/verification", post(me::verify_email::handle))
        .route("/me/sessions", get(me::sessions::list::handle).delete(me::sessions::delete_others::handle))
        .route("/me/sessions/{id}", delete(me::sessions::delete::handle))
        .route("/teams", get(teams::list::handle).post(teams::create::handle))
        .route("/teams/{id}", get(teams::get::handle).patch(teams::rename::handle).delete(teams::delete::handle))
        .route("/teams/{id}/members", get(members::list::handle))
        .route("/teams/{id}/members/{user_id}", patch(members::change::handle).delete(members::remove::handle))
        .route("/teams/{id}/invitations", get(invitations::list::handle).post(invitations::create::handle))
        .route("/teams/{id}/invitations/{invitation_id}", delete(invitations::withdraw::handle))
        .route("/teams/{id}/invitations/{invitation_id}/resend", post(invitations::resend::handle))
        .route("/invitations/{token}", get(invitations::look::handle).post(invitations::accept::handle))
        .route("/admin/invitations", get(platform_invitations::list::handle).post(platform_invitations::create::handle))
        .route("/admin/invitations/{id}", delete(platform_invitations::withdraw::handle))
        .route("/admin/invitations/{id}/resend", post(platform_invitations::resend::handle))
        .route("/teams/{id}/quotas", get(teams::quotas::handle))
        .route("/admin/overview", get(admin::overview::handle))
        .route("/admin/teams", get(admin::teams::handle))
        .route("/admin/teams/{id}", get(admin::team::handle))
        .route("/admin/teams/{id}/quotas", patch(admin::team_quotas::handle))
        .route("/admin/sites", get(admin::sites::handle))
        .route("/admin/machine", get(admin::machine::handle))
        .route("/admin/settings", get(admin::settings::handle))
        .route("/admin/signup", put(admin::signup::handle))
        .route("/tokens", get(tokens::list::handle).post(tokens::create::handle))
        .route("/tokens/{id}", delete(tokens::delete::handle))
        .route("/passkeys", get(passkeys::list::handle))
        .route("/passkeys/{id}", delete(passkeys::delete::handle))
        .route("/deploy-keys", post(deploy_keys::create::handle))
        .route("/queue", get(queue::handle))
        .route("/audit", get(audit::list::handle))
        .route("/github/installations", get(github::installations::handle))
        .route("/github/installations/{id}/repositories", get(github::repositories::handle))
        .route("/sites", get(sites::list::handle).post(sites::create::handle))
        .route("/sites/{id}", get(sites::get::handle).patch(sites::change::handle).delete(sites::delete::handle))
        .route("/sites/{id}/transfer", post(sites::transfer::handle))
        .route("/sites/{id}/usage", get(sites::usage::handle))
        .route("/sites/{id}/webhook/rotate", post(webhook::rotate::handle))
        .route("/sites/{id}/webhook/old-secret", delete(webhook::revoke_old_secret::handle))
        .route("/sites/{id}/deployments", get(deployments::list::handle).post(deployments::create::handle))
        .route("/sites/{id}/domains", get(domains::list::handle).post(domains::create::handle))
        .route("/sites/{id}/domains/{domain_id}", patch(domains::change::handle).delete(domains::delete::handle))
        .route("/sites/{id}/domains/{domain_id}/verify", post(domains::verify::handle))
        .route("/sites/{id}/environments", get(environments::list::handle).post(environments::create::handle))
        .route(
            "/sites/{id}/environments/{name}",
            get(environments::get::handle).patch(environments::change::handle).delete(environments::delete::handle),
        )
        .route(
            "/sites/{id}/environments/{name}/variables",
            get(variables::list::handle).put(variables::replace::handle),
        )
        .route("/sites/{id}/previews", get(previews::list::handle))
        .route(
            "/sites/{id}/previews/variables",
            get(variables::list_of_previews::handle).put(variables::replace_of_previews::handle),
        )
        .route("/sites/{id}/previews/{number}", delete(previews::delete::handle))
        .route("/sites/{id}/previews/{number}/approve", post(previews::approve::handle))
        .route("/deployments/{id}", get(deployments::get::handle))
        .route("/deployments/{id}/cancel", post(deployments::cancel::handle))
        .route("/deployments/{id}/redeploy", post(deployments::redeploy::handle))
        .route("/deployments/{id}/rollback", post(deployments::rollback::handle))
        .route("/deployments/{id}/promote", post(deployments::promote::handle))
        .route("/deployments/{id}/log", get(deployments::log::handle))
        .route("/deliveries", get(deliveries::list::handle))
        .route("/deliveries/{id}", get(deliveries::get::handle))
        .route("/deliveries/{id}/replay", post(deliveries::replay::handle))
}

//! `/api/v1`: one file for each operation; here is the list of them.

mod auth;
mod deliveries;
mod deploy_keys;
pub mod deployments;
mod domains;
mod environments;
mod github;
mod me;
mod openapi;
mod passkeys;
mod previews;
mod queue;
mod sites;
mod teams;
mod tokens;
mod variables;
mod webhook;

use crate::{rest::operation::operations, state::AppState};
use utoipa_axum::router::OpenApiRouter;

/// All operations: addresses, and the files that answer there.
pub fn routes() -> OpenApiRouter<AppState> {
    operations! {
        "/openapi.json" => openapi;
        "/auth/register" => auth::register;
        "/auth/token" => auth::token;
        "/auth/refresh" => auth::refresh;
        "/auth/logout" => auth::logout;
        "/auth/confirm" => auth::confirm;
        "/auth/password-reset" => auth::password_reset::request;
        "/auth/password-reset/confirm" => auth::password_reset::confirm;
        "/me" => me::get, me::delete;
        "/me/deletion" => me::deletion;
        "/me/email" => me::change_email;
        "/me/email/verification" => me::verify_email;
        "/me/sessions" => me::sessions::list, me::sessions::delete_others;
        "/me/sessions/{id}" => me::sessions::delete;
        "/teams" => teams;
        "/tokens" => tokens::list, tokens::create;
        "/tokens/{id}" => tokens::delete;
        "/passkeys" => passkeys::list;
        "/passkeys/{id}" => passkeys::delete;
        "/deploy-keys" => deploy_keys::create;
        "/queue" => queue;
        "/github/installations" => github::installations;
        "/github/installations/{id}/repositories" => github::repositories;
        "/sites" => sites::list, sites::create;
        "/sites/{id}" => sites::get, sites::change, sites::delete;
        "/sites/{id}/usage" => sites::usage;
        "/sites/{id}/webhook/rotate" => webhook::rotate;
        "/sites/{id}/webhook/old-secret" => webhook::revoke_old_secret;
        "/sites/{id}/deployments" => deployments::list, deployments::create;
        "/sites/{id}/domains" => domains::list, domains::create;
        "/sites/{id}/domains/{domain_id}" => domains::change, domains::delete;
        "/sites/{id}/domains/{domain_id}/verify" => domains::verify;
        "/sites/{id}/environments" => environments::list, environments::create;
        "/sites/{id}/environments/{name}" => environments::get, environments::change, environments::delete;
        "/sites/{id}/environments/{name}/variables" => variables::list, variables::replace;
        "/sites/{id}/previews" => previews::list;
        "/sites/{id}/previews/variables" => variables::list_of_previews, variables::replace_of_previews;
        "/sites/{id}/previews/{number}" => previews::delete;
        "/sites/{id}/previews/{number}/approve" => previews::approve;
        "/deployments/{id}" => deployments::get;
        "/deployments/{id}/cancel" => deployments::cancel;
        "/deployments/{id}/redeploy" => deployments::redeploy;
        "/deployments/{id}/rollback" => deployments::rollback;
        "/deployments/{id}/promote" => deployments::promote;
        "/deployments/{id}/log" => deployments::log;
        "/deliveries" => deliveries::list;
        "/deliveries/{id}" => deliveries::get;
        "/deliveries/{id}/replay" => deliveries::replay;
    }
}

//! The dashboard: Leptos pages and server functions.
//!
//! The server renders [`App`] inside [`shell`], the browser hydrates it. A page is one file, `{noun}/{what}_page.rs`;
//! what it asks of the server is in `{noun}/server.rs`.

#![recursion_limit = "256"]
// Components own their props.
#![allow(clippy::needless_pass_by_value)]

pub mod account;
pub mod admin;
pub mod auth;
pub mod boot;
pub mod clock;
pub mod components;
#[cfg(feature = "ssr")]
pub mod context;
pub mod deployments;
pub mod domains;
pub mod environments;
#[cfg(feature = "ssr")]
mod error_page;
pub mod failure;
pub mod form;
pub mod format;
pub mod github;
pub mod landing;
pub mod live;
pub mod previews;
pub mod queue;
pub mod quotas;
mod routes;
#[cfg(feature = "ssr")]
mod shell;
pub mod sites;
pub mod theme;
pub mod tokens;
pub mod variables;
pub mod webhooks;

#[cfg(feature = "ssr")]
pub use error_page::error_page;
pub use routes::App;
#[cfg(feature = "ssr")]
pub use shell::shell;

/// The paths of all server functions, so that the program that serves them can say that none is missing.
/// Calling it also links them in: they register themselves by being linked.
#[cfg(feature = "ssr")]
pub fn server_functions() -> Vec<&'static str> {
    let mut paths: Vec<_> = leptos::server_fn::axum::server_fn_paths().map(|(path, _)| path).collect();
    paths.sort_unstable();
    paths
}

#[cfg(test)]
#[cfg(feature = "ssr")]
mod tests {
    #[test]
    fn every_server_function_is_known() {
        let known = [
            "account",
            "add_domain",
            "admin_machine",
            "admin_overview",
            "admin_settings",
            "admin_sites",
            "admin_team",
            "admin_teams",
            "approve_preview",
            "cancel_deployment",
            "change_environment",
            "change_password",
            "check_domain",
            "check_slug",
            "create_environment",
            "create_site",
            "create_token",
            "delete_environment",
            "delete_site",
            "delete_token",
            "deliveries",
            "delivery",
            "deploy",
            "deployment",
            "deployment_log",
            "deployments",
            "domains",
            "environments",
            "forget_github",
            "github_app",
            "github_repositories",
            "github_ways",
            "import_variables",
            "pause_environment",
            "previews",
            "promote",
            "put_variable",
            "queue",
            "quotas",
            "redeploy",
            "remove_domain",
            "remove_preview",
            "remove_variable",
            "rename_account",
            "rename_site",
            "replay_delivery",
            "revoke_old_webhook_secret",
            "rollback",
            "rotate_webhook_secret",
            "set_previews",
            "set_primary_domain",
            "set_quota",
            "set_repository",
            "set_signup",
            "sign_in",
            "sign_out",
            "sign_up",
            "site",
            "sites",
            "templates",
            "tokens",
            "usage",
            "variables",
            "visitor",
            "webhook_secret",
        ];
        let known: Vec<_> = known.iter().map(|name| format!("/_fn/{name}")).collect();
        assert_eq!(
            super::server_functions(),
            known,
            "a server function is a public address: name it here, and authorise it"
        );
    }
}

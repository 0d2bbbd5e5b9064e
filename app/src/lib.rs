//! The dashboard: Leptos pages and server functions.
//!
//! The server renders [`App`] inside [`shell`], the browser hydrates it. A page is one file, `{noun}/{what}_page.rs`;
//! what it asks of the server is in `{noun}/server.rs`.

#![recursion_limit = "256"]
// Components own their props.
#![allow(clippy::needless_pass_by_value)]

pub mod account;
pub mod admin;
#[cfg(feature = "ssr")]
mod api_docs;
pub mod audit;
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
pub mod invitations;
pub mod landing;
pub mod live;
mod passkey;
pub mod previews;
pub mod queue;
mod routes;
pub mod security;
#[cfg(feature = "ssr")]
mod shell;
pub mod sites;
#[cfg(feature = "ssr")]
mod static_page;
pub mod teams;
pub mod theme;
pub mod tokens;
pub mod variables;
pub mod webhooks;

#[cfg(feature = "ssr")]
pub use api_docs::api_docs;
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
            "abandon_totp",
            "accept_invitation",
            "account",
            "account_deletion",
            "add_domain",
            "add_passkey",
            "admin_machine",
            "admin_overview",
            "admin_settings",
            "admin_sites",
            "admin_team",
            "admin_teams",
            "approve_preview",
            "ask_for_passkey",
            "audit",
            "begin_passkey",
            "begin_totp",
            "cancel_deployment",
            "change_email",
            "change_environment",
            "change_member",
            "change_password",
            "check_domain",
            "check_slug",
            "confirm_link",
            "confirm_totp",
            "create_environment",
            "create_site",
            "create_team",
            "create_token",
            "delete_account",
            "delete_environment",
            "delete_site",
            "delete_team",
            "delete_token",
            "deliveries",
            "delivery",
            "deploy",
            "deployment",
            "deployment_log",
            "deployments",
            "domains",
            "environments",
            "finish_sign_in",
            "forget_github",
            "github_app",
            "github_repositories",
            "github_ways",
            "import_variables",
            "invitation",
            "invitations",
            "invite",
            "join",
            "look_at_link",
            "look_at_reset",
            "members",
            "pause_environment",
            "previews",
            "promote",
            "put_variable",
            "queue",
            "quotas",
            "redeploy",
            "remove_domain",
            "remove_member",
            "remove_passkey",
            "remove_preview",
            "remove_variable",
            "rename_account",
            "rename_site",
            "rename_team",
            "renew_recovery_codes",
            "replay_delivery",
            "request_reset",
            "resend_invitation",
            "reset_password",
            "revoke_old_webhook_secret",
            "revoke_other_sessions",
            "revoke_session",
            "rollback",
            "rotate_webhook_secret",
            "second_step",
            "security",
            "send_verification",
            "sessions",
            "set_previews",
            "set_primary_domain",
            "set_quota",
            "set_repository",
            "set_signup",
            "sign_in",
            "sign_in_with_passkey",
            "sign_out",
            "sign_up",
            "site",
            "sites",
            "team",
            "teams",
            "templates",
            "tokens",
            "transfer_site",
            "turn_off_totp",
            "unlink_provider",
            "usage",
            "variables",
            "visitor",
            "webhook_secret",
            "withdraw_invitation",
        ];
        let known: Vec<_> = known.iter().map(|name| format!("/_fn/{name}")).collect();
        assert_eq!(
            super::server_functions(),
            known,
            "a server function is a public address: name it here, and authorise it"
        );
    }
}

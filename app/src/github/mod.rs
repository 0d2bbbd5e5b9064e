//! The GitHub App: registered by an administrator, and what customers reach through it.

mod admin_page;
mod pick_page;
pub mod server;

pub use admin_page::GitHubAdminPage;
pub use pick_page::GitHubPickPage;

/// In the session: the `state` of an App's registration that is under way.
pub const REGISTERING: &str = "github_registering";

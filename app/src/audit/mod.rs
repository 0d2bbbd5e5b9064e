//! The audit: who did what, for a team, for an account, and for the whole platform.

mod changes;
mod filters;
mod list;
mod page;
mod server;
mod words;

pub use page::{AccountAuditPage, AdminAuditPage, TeamAuditPage};

/// Where one's own stands.
pub const OWN: &str = "/account/audit";

/// Where a team's audit stands.
pub fn address(team: &str) -> String {
    format!("/teams/{team}/audit")
}

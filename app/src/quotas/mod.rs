//! What a team may use, and what it uses.

mod page;
mod parts;
mod server;

pub use page::QuotasPage;
pub use parts::QuotaList;

use model::TeamId;

/// Where the page of a team stands.
pub fn address(team: TeamId) -> String {
    format!("/teams/{team}/quotas")
}

//! Domains of an environment: a page, and what it asks of the server.

mod line;
mod page;
mod record;
mod server;

pub use page::DomainsPage;

use model::SiteId;

/// Where the page of an environment stands.
pub fn address(site: SiteId, environment: &str) -> String {
    format!("/sites/{site}/environments/{environment}/domains")
}

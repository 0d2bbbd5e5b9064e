//! Previews of pull requests: a page, its settings, and what it asks of the server.

mod line;
mod page;
mod server;
mod settings;

pub use page::PreviewsPage;

use model::SiteId;

/// Where the page stands.
pub fn address(site: SiteId) -> String {
    format!("/sites/{site}/previews")
}

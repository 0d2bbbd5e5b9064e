//! Webhooks of a site: its address and secret, and the inbox of what came.

mod address;
mod delivery_page;
mod indent;
mod list;
mod page;
mod server;

pub use address::Secret;
pub use delivery_page::DeliveryPage;
pub use page::WebhooksPage;

use model::SiteId;

/// Where the page stands.
pub fn address(site: SiteId) -> String {
    format!("/sites/{site}/webhooks")
}

/// A forge as people call it.
fn forge(provider: &str) -> &'static str {
    match provider {
        "github" => "GitHub",
        "gitlab" => "GitLab",
        "bitbucket" => "Bitbucket",
        "gitea" => "Gitea or Forgejo",
        _ => "Unknown forge",
    }
}

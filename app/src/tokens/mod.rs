//! API tokens: what programs sign in with.

mod page;
mod server;

pub use page::TokensPage;

/// Where the page stands.
pub const ADDRESS: &str = "/account/tokens";

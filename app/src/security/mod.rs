//! How the visitor's account is signed in to.

mod identities;
mod page;
mod passkeys;
mod recovery_codes;
mod server;
mod totp;

pub use page::SecurityPage;

/// Where the page stands.
pub const ADDRESS: &str = "/account/security";

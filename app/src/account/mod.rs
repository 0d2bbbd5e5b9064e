//! The visitor's own account.

mod page;
mod server;

pub use page::AccountPage;

//! The visitor's own account.

mod delete;
mod email;
mod page;
mod server;
mod sessions_page;
mod tabs;

pub use page::AccountPage;
pub use sessions_page::SessionsPage;
pub use tabs::{AccountTab, AccountTabs};

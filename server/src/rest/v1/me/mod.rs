//! The caller's own account.

pub mod change_email;
pub mod delete;
pub mod deletion;
pub mod get;
pub mod sessions;
pub mod verify_email;

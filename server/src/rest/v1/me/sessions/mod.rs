//! What the caller's account is signed in with.

pub mod delete;
pub mod delete_others;
pub mod list;

//! Passkeys: the caller's own.

pub mod delete;
pub mod list;

//! API tokens: the caller's own.

pub mod create;
pub mod delete;
pub mod list;

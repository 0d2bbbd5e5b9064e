//! The audit.

pub mod export;
pub mod list;

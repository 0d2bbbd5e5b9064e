//! Domains of a site's environments.

pub mod change;
pub mod create;
pub mod delete;
pub mod list;
pub mod verify;

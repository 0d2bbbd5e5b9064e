//! Previews of pull requests.

pub mod approve;
pub mod delete;
pub mod list;

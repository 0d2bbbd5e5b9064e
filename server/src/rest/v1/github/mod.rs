//! What the GitHub App reaches.

pub mod installations;
pub mod repositories;

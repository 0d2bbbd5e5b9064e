//! Quotas of a team.

pub mod get;

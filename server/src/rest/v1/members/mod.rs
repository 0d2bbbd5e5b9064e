//! Members of a team.

pub mod change;
pub mod list;
pub mod remove;

//! The administration, for administrators of the platform who signed in themselves; 404 for everybody else.

pub mod machine;
pub mod overview;
pub mod settings;
pub mod signup;
pub mod sites;
pub mod team;
pub mod team_quotas;
pub mod teams;

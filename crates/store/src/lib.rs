//! The only SQL: plain functions on a connection, the team first.

pub mod deliveries;
pub mod deployments;
pub mod environments;
pub mod events;
pub mod image_uses;
pub mod logs;
pub mod queue;
pub mod reconcile;
pub mod refresh_tokens;
pub mod releases;
pub mod sessions;
pub mod settings;
pub mod sites;
pub mod teams;
pub mod users;
pub mod variables;
pub mod watches;

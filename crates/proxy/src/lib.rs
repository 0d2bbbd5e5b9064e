//! Traefik: routes as dynamic files, its static configuration, and the compose file of a site.

/// The proxy's route table.
pub trait Routes: Send + Sync {}

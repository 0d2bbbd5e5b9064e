//! The engine that runs containers: one trait, one implementation on bollard, and a fake for its faults.

/// The engine that runs containers.
#[async_trait::async_trait]
pub trait Runtime: Send + Sync {}

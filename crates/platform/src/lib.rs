//! The use cases: accounts, sites, deployments, reconciling. Every one takes an [`model::Actor`].
//!
//! A page, a REST route and a socket event call the same function here, so a permission is checked in one place.

pub mod accounts;
pub mod deployments;
pub mod error;
pub mod settings;
pub mod sites;
pub mod vault;

pub use error::{Error, Result};
pub use settings::{Settings, Signup};

use docker::Runtime;
use sqlx::PgPool;
use std::sync::Arc;
use tokio::sync::Notify;

/// What every use case works with; cheap to clone through its [`Arc`].
pub struct Platform {
    /// The database.
    pub pool: PgPool,
    /// How this installation is set up.
    pub settings: Settings,
    /// Seals and opens secrets at rest.
    pub vault: vault::Vault,
    /// The engine that runs containers.
    pub engine: Arc<dyn Runtime>,
    /// The proxy's files and its API.
    pub proxy: Arc<dyn proxy::Routes>,
    /// Wakes an idle worker in this process at once; other processes are woken by NOTIFY.
    pub wake: Notify,
}

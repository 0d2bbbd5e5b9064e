//! The use cases: accounts, sites, deployments, reconciling. Every one takes an [`model::Actor`].
//!
//! A page, a REST route and a socket event call the same function here, so a permission is checked in one place.

mod access;
pub mod accounts;
pub mod admin;
pub mod api_tokens;
pub mod audit;
mod confines;
pub mod deploy_keys;
pub mod deployments;
pub mod disk;
pub mod domains;
#[cfg(test)]
mod dump;
pub mod environments;
pub mod error;
mod firewall;
pub mod github;
pub mod invitations;
pub mod labels;
mod log_sink;
mod machine;
pub mod mail;
pub mod members;
pub mod passwords;
mod pipeline;
pub mod plan;
pub mod previews;
pub mod proxy_container;
mod pushes;
pub mod queue;
pub mod quotas;
pub mod reconcile;
mod redact;
mod remove;
pub mod reports;
pub mod repositories;
pub mod rotation;
mod routes;
mod secrets;
pub mod settings;
pub mod sign_in;
pub mod signing;
pub mod sites;
pub mod teams;
#[cfg(test)]
mod testing;
pub mod throttle;
pub mod tokens;
pub mod variables;
pub mod vault;
pub mod watch;
pub mod webhooks;
pub mod worker;

pub use error::{Error, Result};
pub use settings::{Deadlines, Settings, Signup};

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
    /// The keys of access tokens.
    pub signing: signing::SigningKeys,
    /// The engine that runs containers.
    pub engine: Arc<dyn Runtime>,
    /// The proxy's files and its API.
    pub proxy: proxy::Proxy,
    /// Wakes an idle worker in this process at once; other processes are woken by NOTIFY.
    pub wake: Notify,
    /// Wakes the reconciler: a site is to be removed.
    pub removals: Notify,
    /// Wakes whoever tells forges how deployments stand.
    pub reports: Notify,
    /// Wakes whoever sends mails.
    pub mails: Notify,
    /// What GitHub answered lately.
    pub github: github::Cache,
    /// How often somebody may ask.
    pub throttle: throttle::Throttle,
    /// The pushes that this process is at work on.
    pub pushes: repositories::UnderWay,
}

impl Platform {
    /// Where the repository of a site lies that the platform keeps itself.
    pub fn repository(&self, site: model::SiteId) -> std::path::PathBuf {
        self.settings.data_dir.join("repositories").join(format!("{site}.git"))
    }

    /// Where repositories are checked out while they are built.
    pub(crate) fn checkouts(&self) -> std::path::PathBuf {
        self.settings.data_dir.join("builds")
    }

    /// The folder of an environment: its `docker-compose.yaml` and `.env`.
    pub fn environment_folder(&self, plan: &model::plan::ReleasePlan, environment: &str) -> std::path::PathBuf {
        self.site_folder(plan.team, plan.site).join(environment)
    }

    /// The folder of a site, below that of the team that it was made in, with one folder for each environment.
    pub fn site_folder(&self, team: model::TeamId, site: model::SiteId) -> std::path::PathBuf {
        self.settings.data_dir.join("sites").join(team.to_string()).join(site.to_string())
    }
}

/// The folder that one attempt at a deployment is built in: a worker that lost its lease and does not know it yet never
/// works in the folder of the one that has it now.
pub(crate) fn checkout_name(deployment: model::DeploymentId, attempt: i32) -> String {
    format!("{deployment}.{attempt}")
}

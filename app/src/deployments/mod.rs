//! Deployments: the list in a site's page, and a page for each with its steps and its log.

mod ansi;
mod apply;
mod detail_page;
mod facts;
mod list;
mod log_buffer;
#[cfg(feature = "hydrate")]
mod log_dom;
mod log_html;
mod log_view;
#[cfg(feature = "hydrate")]
mod log_window;
mod server;
mod steps;

pub use detail_page::DeploymentPage;
pub use list::{DeploymentList, describe_commit};
pub use server::{Deploy, Rollback, deploy, get_deployment, list_deployments};

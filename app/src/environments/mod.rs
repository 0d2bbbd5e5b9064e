//! Environments of a site: switching between them, making, changing, pausing and deleting one.

mod delete;
mod new_page;
mod server;
mod settings_page;
mod tabs;

pub use new_page::NewEnvironmentPage;
pub use server::list_environments;
pub use settings_page::EnvironmentSettingsPage;
pub use tabs::EnvironmentTabs;

use crate::failure::Failure;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use model::{Problem, SiteId};

/// The site and the environment that the page's address names.
pub fn use_environment() -> Memo<Result<(SiteId, String), Failure>> {
    let params = use_params_map();
    Memo::new(move |_| {
        let params = params.read();
        let site = params.get("site").and_then(|id| id.parse::<SiteId>().ok());
        match (site, params.get("environment")) {
            (Some(site), Some(environment)) => Ok((site, environment)),
            _ => Err(Problem::not_found("environment").into()),
        }
    })
}

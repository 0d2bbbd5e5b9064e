//! Sites: the list, a page for each, and making, changing and deleting one.

mod card;
mod delete;
mod detail_page;
mod list_page;
mod new_page;
mod server;
mod settings_page;
mod webhook;

pub use detail_page::SitePage;
pub use list_page::SitesPage;
pub use new_page::NewSitePage;
pub use settings_page::SiteSettingsPage;

use crate::failure::Failure;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use model::{Problem, SiteId, views::SiteView};

/// The site that the page's address names.
fn use_site() -> Resource<Result<SiteView, Failure>> {
    let params = use_params_map();
    Resource::new_blocking(
        move || params.read().get("site").and_then(|id| id.parse::<SiteId>().ok()),
        |id| async move {
            match id {
                Some(id) => server::get_site(id).await,
                None => Err(Problem::not_found("site").into()),
            }
        },
    )
}

/// An address without its scheme, as it is shown.
fn bare(url: &str) -> String {
    url.split_once("://").map_or(url, |(_, rest)| rest).trim_end_matches('/').to_owned()
}

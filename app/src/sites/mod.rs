//! Sites: the list, a page for each, and making, changing and deleting one.

mod card;
mod delete;
mod deploy_key;
mod detail_page;
mod list_page;
mod new_page;
mod repository;
pub mod server;
mod settings_page;
mod transfer;
mod usage;
mod webhook;

pub use detail_page::SitePage;
pub use list_page::SitesPage;
pub use new_page::NewSitePage;
pub use server::get_site;
pub use settings_page::SiteSettingsPage;

use crate::failure::Failure;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use model::{Problem, Role, SiteId, views::SiteView};

/// The id of the site that the page's address names.
pub fn use_site_id() -> Memo<Result<SiteId, Failure>> {
    let params = use_params_map();
    Memo::new(move |_| {
        let id = params.read().get("site").and_then(|id| id.parse().ok());
        id.ok_or_else(|| Problem::not_found("site").into())
    })
}

/// The site that the page's address names.
pub fn use_site() -> Resource<Result<SiteView, Failure>> {
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

/// Whether the visitor may change the site.
pub fn may_write(site: &SiteView) -> bool {
    site.team.role.is_none_or(Role::may_write)
}

/// An address without its scheme, as it is shown.
pub fn bare(url: &str) -> String {
    url.split_once("://").map_or(url, |(_, rest)| rest).trim_end_matches('/').to_owned()
}

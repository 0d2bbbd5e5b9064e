//! The sites of all teams.

use super::{server::list_all_sites, tabs::AdminHeader};
use crate::{
    components::{EmptyState, FailureView, Glyph, Loading, Panel, SiteStatusPill, TimeAgo},
    sites::bare,
};
use leptos::{either::Either, prelude::*};
use leptos_meta::Title;
use leptos_router::{components::A, hooks::use_query_map};
use model::views::{AdminSiteView, Page};

/// The page.
#[component]
pub fn AllSitesPage() -> impl IntoView {
    let query = use_query_map();
    let sites = Resource::new_blocking(move || query.read().get("after"), list_all_sites);
    view! {
        <Title text="All sites" />
        <Suspense fallback=Loading>
            {move || Suspend::new(async move {
                match sites.await {
                    Ok(page) => Either::Left(view! { <Sites page /> }),
                    Err(failure) => Either::Right(view! { <FailureView failure /> }),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Sites(page: Page<AdminSiteView>) -> impl IntoView {
    let is_empty = page.items.is_empty();
    view! {
        <AdminHeader title="All sites" current="/admin/sites" />
        <Panel title="Sites" flush=true>
            {if is_empty {
                view! {
                    <EmptyState
                        glyph=Glyph::Globe
                        title="No sites yet"
                        text="The sites of all teams appear here."
                    />
                }
                    .into_any()
            } else {
                view! {
                    <ul class="divide-y divide-base-300">
                        {page.items.into_iter().map(|site| view! { <Line site /> }).collect_view()}
                    </ul>
                }
                    .into_any()
            }}
        </Panel>
        {page
            .next_cursor
            .map(|cursor| {
                view! {
                    <p class="mt-4">
                        <A href=format!("/admin/sites?after={cursor}") attr:class="btn btn-plain">
                            "Older sites"
                        </A>
                    </p>
                }
            })}
    }
}

#[component]
fn Line(site: AdminSiteView) -> impl IntoView {
    let shown = bare(&site.url);
    view! {
        <li class="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-3 sm:px-5">
            <div class="min-w-0 flex-1">
                <p class="break-words text-sm font-medium">{site.name}</p>
                <p class="break-words text-xs text-muted">
                    <a href=site.url rel="external" class="link-quiet">
                        {shown}
                    </a>
                    " · "
                    <A href=format!("/admin/teams/{}", site.team_id) attr:class="link-quiet">
                        {site.team_name}
                    </A>
                </p>
            </div>
            <SiteStatusPill status=site.status />
            <p class="text-xs text-muted">
                <TimeAgo at=site.created_at />
            </p>
        </li>
    }
}

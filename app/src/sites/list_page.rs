//! All sites of the visitor.

use super::{card::SiteCard, server::list_sites};
use crate::components::{ButtonLink, EmptyState, FailureView, Glyph, Loading, Look, PageHeader};
use leptos::{either::Either, prelude::*};
use leptos_meta::Title;
use leptos_router::{components::A, hooks::use_query_map};
use model::views::{Page, SiteView};

/// The page.
#[component]
pub fn SitesPage() -> impl IntoView {
    let query = use_query_map();
    let sites = Resource::new_blocking(move || query.read().get("cursor"), list_sites);
    view! {
        <Title text="Sites" />
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
fn Sites(page: Page<SiteView>) -> impl IntoView {
    let older = page.next_cursor.clone();
    if page.items.is_empty() {
        return view! {
            <PageHeader title="Sites" />
            <EmptyState
                glyph=Glyph::Rocket
                title="Your first site is a minute away"
                text="Begin from a template, or give the address of a Git repository. It is built, checked and put live; every push after that too."
            >
                <ButtonLink href="/sites/new" look=Look::Primary icon=Glyph::Plus>
                    "New site"
                </ButtonLink>
            </EmptyState>
        }
        .into_any();
    }
    view! {
        <PageHeader title="Sites">
            <ButtonLink href="/sites/new" look=Look::Primary icon=Glyph::Plus>
                "New site"
            </ButtonLink>
        </PageHeader>
        <ul class="grid grid-cols-1 gap-4 sm:grid-cols-2 lg:grid-cols-3">
            {page.items.into_iter().map(|site| view! { <SiteCard site /> }).collect_view()}
        </ul>
        {older
            .map(|cursor| {
                view! {
                    <p class="mt-6 text-center">
                        <A href=format!("/sites?cursor={cursor}") attr:class="btn btn-plain">
                            "Older sites"
                        </A>
                    </p>
                }
            })}
    }
    .into_any()
}

//! All sites of the visitor.

use super::{card::SiteCard, server::list_sites};
use crate::{
    components::{ButtonLink, EmptyState, FailureView, Glyph, Loading, Look, PageHeader},
    failure::Failure,
    teams::server::list_teams,
};
use leptos::{either::Either, prelude::*};
use leptos_meta::Title;
use leptos_router::{components::A, hooks::use_query_map};
use model::views::{Page, SiteView, TeamView};

/// The page.
#[component]
pub fn SitesPage() -> impl IntoView {
    let query = use_query_map();
    let sites = Resource::new_blocking(
        move || (query.read().get("team").filter(|team| !team.is_empty()), query.read().get("cursor")),
        |(team, cursor)| async move {
            let page = list_sites(team.clone(), cursor).await?;
            Ok::<_, Failure>((page, list_teams().await?, team))
        },
    );
    view! {
        <Title text="Sites" />
        <Suspense fallback=Loading>
            {move || Suspend::new(async move {
                match sites.await {
                    Ok((page, teams, team)) => Either::Left(view! { <Sites page teams team /> }),
                    Err(failure) => Either::Right(view! { <FailureView failure /> }),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Sites(page: Page<SiteView>, teams: Vec<TeamView>, team: Option<String>) -> impl IntoView {
    let of_team = team.as_ref().map(|team| format!("&team={team}")).unwrap_or_default();
    let older = page.next_cursor.clone();
    let several = teams.len() > 1;
    if page.items.is_empty() && team.is_some() {
        return view! {
            <PageHeader title="Sites" />
            <TeamFilter teams team />
            <EmptyState glyph=Glyph::Rocket title="This team has no site yet" text="Make its first one; choose the team there.">
                <ButtonLink href="/sites/new" look=Look::Primary icon=Glyph::Plus>
                    "New site"
                </ButtonLink>
            </EmptyState>
        }
        .into_any();
    }
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
        <TeamFilter teams team />
        <ul class="grid grid-cols-1 gap-4 sm:grid-cols-2 lg:grid-cols-3">
            {page.items.into_iter().map(|site| view! { <SiteCard site several_teams=several /> }).collect_view()}
        </ul>
        {older
            .map(|cursor| {
                view! {
                    <p class="mt-6 text-center">
                        <A href=format!("/sites?cursor={cursor}{of_team}") attr:class="btn btn-plain">
                            "Older sites"
                        </A>
                    </p>
                }
            })}
    }
    .into_any()
}

/// All sites, or those of one team. In a single team there is nothing to choose.
#[component]
fn TeamFilter(teams: Vec<TeamView>, team: Option<String>) -> impl IntoView {
    (teams.len() > 1).then(|| {
        let is_all = team.is_none();
        view! {
            <nav class="tabs-bar" aria-label="Teams">
                <a href="/sites" class="tab-link" aria-current=is_all.then_some("page")>
                    "All teams"
                </a>
                {teams
                    .into_iter()
                    .map(|it| {
                        let here = (team.as_deref() == Some(it.slug.as_str())).then_some("page");
                        view! {
                            <a href=format!("/sites?team={}", it.slug) class="tab-link" aria-current=here>
                                {it.name}
                            </a>
                        }
                    })
                    .collect_view()}
            </nav>
        }
    })
}

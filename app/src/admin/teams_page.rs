//! All teams, with who is in them and what they use.

use super::{server::list_teams, tabs::AdminHeader};
use crate::components::{FailureView, Loading, Panel, TimeAgo};
use leptos::{either::Either, prelude::*};
use leptos_meta::Title;
use leptos_router::{components::A, hooks::use_query_map};
use model::views::{AdminTeamView, Page};

/// The page.
#[component]
pub fn AllTeamsPage() -> impl IntoView {
    let query = use_query_map();
    let teams = Resource::new_blocking(move || query.read().get("after"), list_teams);
    view! {
        <Title text="Teams" />
        <Suspense fallback=Loading>
            {move || Suspend::new(async move {
                match teams.await {
                    Ok(page) => Either::Left(view! { <Teams page /> }),
                    Err(failure) => Either::Right(view! { <FailureView failure /> }),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Teams(page: Page<AdminTeamView>) -> impl IntoView {
    view! {
        <AdminHeader title="Teams" current="/admin/teams" />
        <Panel title="Teams" flush=true>
            <ul class="divide-y divide-base-300">
                {page.items.into_iter().map(|team| view! { <Line team /> }).collect_view()}
            </ul>
        </Panel>
        {page
            .next_cursor
            .map(|cursor| {
                view! {
                    <p class="mt-4">
                        <A href=format!("/admin/teams?after={cursor}") attr:class="btn btn-plain">
                            "Older teams"
                        </A>
                    </p>
                }
            })}
    }
}

#[component]
fn Line(team: AdminTeamView) -> impl IntoView {
    let use_of: Vec<String> = team
        .quotas
        .iter()
        .filter(|it| it.used > 0 || it.is_own)
        .map(|it| match it.limit {
            Some(most) => {
                format!("{} {} of {}", it.quota.title(), it.quota.amount(it.used), it.quota.amount(most))
            }
            None => format!("{} {}", it.quota.title(), it.quota.amount(it.used)),
        })
        .collect();
    let members: Vec<String> = team.members.iter().map(|it| format!("{} ({})", it.email, it.role.as_str())).collect();
    view! {
        <li class="flex flex-wrap items-start gap-x-4 gap-y-1 px-4 py-3 sm:px-5">
            <div class="min-w-0 flex-1">
                <A href=format!("/admin/teams/{}", team.id) attr:class="link-accent text-sm font-medium">
                    {team.name}
                </A>
                <p class="break-words text-xs text-muted">{members.join(", ")}</p>
                <p class="break-words text-xs text-muted">{use_of.join(" · ")}</p>
            </div>
            <p class="text-xs text-muted">
                <TimeAgo at=team.created_at />
            </p>
        </li>
    }
}

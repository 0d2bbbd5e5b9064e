//! All teams of the visitor, and making one.

use super::server::{CreateTeam, list_teams};
use crate::{
    components::{Button, EmptyState, FailureView, Field, Glyph, Icon, Loading, Look, PageHeader, Panel},
    form::Form,
};
use leptos::{either::Either, form::ActionForm, prelude::*};
use leptos_meta::Title;
use leptos_router::components::A;
use model::{Role, views::TeamView};

/// The page.
#[component]
pub fn TeamsPage() -> impl IntoView {
    let teams = Resource::new_blocking(|| (), |()| list_teams());
    let create = Form::<CreateTeam>::new();
    view! {
        <Title text="Teams" />
        <PageHeader title="Teams" />
        <Suspense fallback=Loading>
            {move || Suspend::new(async move {
                match teams.await {
                    Ok(teams) => Either::Left(view! { <Teams teams create /> }),
                    Err(failure) => Either::Right(view! { <FailureView failure /> }),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Teams(teams: Vec<TeamView>, create: Form<CreateTeam>) -> impl IntoView {
    view! {
        <div class="flex max-w-3xl flex-col gap-6">
            <Panel title="Your teams" flush=true>
                {if teams.is_empty() {
                    view! {
                        <EmptyState
                            glyph=Glyph::People
                            title="You are in no team"
                            text="Sites belong to teams. Make one below, or ask somebody to invite you into theirs."
                        />
                    }
                        .into_any()
                } else {
                    view! {
                        <ul class="divide-y divide-base-300">
                            {teams.into_iter().map(|team| view! { <Line team /> }).collect_view()}
                        </ul>
                    }
                        .into_any()
                }}
            </Panel>
            <Panel title="New team">
                <ActionForm action=create.action attr:class="flex flex-col gap-4">
                    {create.refusal(&["name"])}
                    <Field
                        name="name"
                        label="Name"
                        required=true
                        value=create.kept("name")
                        error=create.error("name")
                        hint="Its short name is made from it and stays for good: it is in Git addresses and container names."
                    />
                    <div>
                        <Button kind="submit" look=Look::Primary icon=Glyph::Plus busy=create.pending>
                            "Make the team"
                        </Button>
                    </div>
                </ActionForm>
            </Panel>
        </div>
    }
}

#[component]
fn Line(team: TeamView) -> impl IntoView {
    let sites = format!("/sites?team={}", team.slug);
    let label = format!("Sites of {}", team.name);
    view! {
        <li class="flex items-center gap-2 pr-4 sm:pr-5">
            <A
                href=format!("/teams/{}", team.slug)
                attr:class="row-link flex min-w-0 flex-1 flex-col px-4 py-3 sm:px-5"
            >
                <span class="truncate text-sm font-medium">{team.name}</span>
                <span class="truncate text-xs text-muted">
                    {format!("{} · {}", team.slug, team.role.map_or("", Role::label).to_lowercase())}
                </span>
            </A>
            <A href=sites attr:class="btn btn-plain" attr:aria-label=label>
                <Icon glyph=Glyph::Stack />
                "Sites"
            </A>
        </li>
    }
}

//! A team as administrators of the platform see it: its members, and what it may use.

use super::{
    server::{SetQuota, get_team},
    tabs::AdminHeader,
};
use crate::{
    components::{Alert, Button, FailureView, Loading, Panel, TimeAgo, Tone, use_toasts},
    failure::Failure,
    form::Form,
    teams::QuotaList,
};
use leptos::{either::Either, form::ActionForm, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use model::{
    Problem, TeamId,
    views::{AdminTeamView, QuotaView},
};

/// The page.
#[component]
pub fn AdminTeamPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.read().get("team").and_then(|id| id.parse::<TeamId>().ok()));
    let form = Form::<SetQuota>::new();
    let toasts = use_toasts();
    form.on_done(move |_| toasts.say("Saved. It holds at once."));
    let answer = Resource::new_blocking(
        move || (id.get(), form.action.version().get()),
        |(id, _)| async move {
            match id {
                Some(id) => get_team(id).await,
                None => Err(Failure::from(Problem::not_found("team"))),
            }
        },
    );
    view! {
        <Title text="Team" />
        <Transition fallback=Loading>
            {move || Suspend::new(async move {
                match answer.await {
                    Ok(team) => Either::Left(view! { <Team team form /> }),
                    Err(failure) => Either::Right(view! { <FailureView failure /> }),
                }
            })}
        </Transition>
    }
}

#[component]
fn Team(team: AdminTeamView, form: Form<SetQuota>) -> impl IntoView {
    let id = team.id;
    let refused = form.failure;
    let shown = team.quotas.clone();
    view! {
        <AdminHeader title=team.name current="/admin/teams" />
        <div class="flex max-w-2xl flex-col gap-6">
            <Panel title="Members" flush=true>
                <ul class="divide-y divide-base-300">
                    {team
                        .members
                        .into_iter()
                        .map(|member| {
                            view! {
                                <li class="flex flex-wrap items-baseline justify-between gap-x-4 px-4 py-3 text-sm sm:px-5">
                                    <span class="min-w-0 break-words">
                                        {member.name} " " <span class="text-muted">{member.email}</span>
                                    </span>
                                    <span class="text-muted">{member.role.label()}</span>
                                </li>
                            }
                        })
                        .collect_view()}
                </ul>
            </Panel>
            <Panel title="Used and allowed" flush=true>
                <QuotaList items=shown />
            </Panel>
            <Panel title="Set quotas">
                <div class="flex flex-col gap-4">
                    <p class="text-sm text-muted">
                        "A number, or the word unlimited; empty is what the installation's settings say."
                    </p>
                    {move || {
                        refused.get().map(|it| view! { <Alert tone=Tone::Danger>{it.problem.detail}</Alert> })
                    }}
                    {team.quotas.into_iter().map(|item| view! { <Set id item form /> }).collect_view()}
                </div>
            </Panel>
            <p class="text-xs text-muted">"Made " <TimeAgo at=team.created_at /></p>
        </div>
    }
}

#[component]
fn Set(id: TeamId, item: QuotaView, form: Form<SetQuota>) -> impl IntoView {
    let quota = item.quota;
    let value = match (item.is_own, item.limit) {
        (false, _) => String::new(),
        (true, None) => "unlimited".to_owned(),
        (true, Some(most)) => quota.typed(most),
    };
    let field = format!("most-{quota}");
    view! {
        <ActionForm action=form.action attr:class="flex flex-wrap items-end gap-2">
            <input type="hidden" name="team" value=id.to_string() />
            <input type="hidden" name="quota" value=quota.as_str() />
            <div class="flex min-w-0 flex-1 flex-col gap-1.5">
                <label class="text-sm font-medium" for=field.clone()>
                    {quota.title()} " " <span class="font-normal text-muted">{format!("({})", quota.unit_name())}</span>
                </label>
                <div class="field">
                    <input
                        id=field
                        name="most"
                        type="text"
                        value=value
                        class="field-input font-mono"
                        autocomplete="off"
                        spellcheck="false"
                    />
                </div>
            </div>
            <Button kind="submit" busy=form.pending>
                "Set"
                <span class="sr-only">{format!(" {}", quota.title())}</span>
            </Button>
        </ActionForm>
    }
}

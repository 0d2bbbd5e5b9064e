//! The deployments of a site, newest first, one line each.

use super::steps::Elapsed;
use crate::{
    components::{DeploymentStatus, Glyph, Icon, TimeAgo},
    format::short_commit,
};
use leptos::prelude::*;
use leptos_router::components::A;
use model::{deployment::Trigger, views::DeploymentSummary};

/// What asked for a deployment, in words.
pub fn describe_trigger(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Create => "First deployment",
        Trigger::Webhook | Trigger::Push => "Push",
        Trigger::Manual => "Deployed by hand",
        Trigger::Rollback => "Rollback",
        Trigger::AutoRollback => "Rolled back by itself",
        Trigger::Promote => "Promoted",
    }
}

/// The commit's message, or what else tells a deployment from another.
pub fn describe_commit(deployment: &DeploymentSummary) -> String {
    deployment
        .message
        .clone()
        .filter(|m| !m.is_empty())
        .unwrap_or_else(|| describe_trigger(deployment.trigger).to_owned())
}

/// The list.
#[component]
pub fn DeploymentList(
    /// The deployments; lines change as they do.
    deployments: RwSignal<Vec<DeploymentSummary>>,
) -> impl IntoView {
    view! {
        <ul class="divide-y divide-base-300">
            <For
                each=move || deployments.get()
                key=|d| (d.id, d.status, d.is_current, d.commit.clone(), d.finished_at)
                let:deployment
            >
                <Line deployment />
            </For>
        </ul>
    }
}

#[component]
fn Line(deployment: DeploymentSummary) -> impl IntoView {
    let message = describe_commit(&deployment);
    let ended = deployment.started_at.is_some();
    view! {
        <li>
            <A
                href=format!("/deployments/{}", deployment.id)
                attr:class="row-link grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-4 gap-y-1 px-4 py-3 sm:px-5"
            >
                <span class="flex min-w-0 items-center gap-2">
                    <span class="shrink-0 font-mono text-xs text-muted">{format!("#{}", deployment.number)}</span>
                    <span class="truncate text-sm font-medium">{message}</span>
                </span>
                <DeploymentStatus status=deployment.status is_current=deployment.is_current />
                <span class="flex min-w-0 flex-wrap items-center gap-x-3 gap-y-1 text-xs text-muted">
                    {deployment
                        .branch
                        .map(|branch| {
                            view! {
                                <span class="inline-flex min-w-0 items-center gap-1">
                                    <Icon glyph=Glyph::Branch class="size-3.5" />
                                    <span class="truncate">{branch}</span>
                                </span>
                            }
                        })}
                    {deployment
                        .commit
                        .map(|commit| {
                            view! {
                                <span class="inline-flex items-center gap-1 font-mono">
                                    <Icon glyph=Glyph::Commit class="size-3.5" />
                                    {short_commit(&commit)}
                                </span>
                            }
                        })} {deployment.author.map(|author| view! { <span class="truncate">{author}</span> })}
                    <TimeAgo at=deployment.created_at />
                </span>
                <span class="text-right text-xs tabular-nums text-muted">
                    {ended
                        .then(|| view! { <Elapsed began=deployment.started_at ended=deployment.finished_at /> })}
                </span>
            </A>
        </li>
    }
}

//! What is being deployed, and what waits for its turn.

use super::server::get_queue;
use crate::components::{DeploymentStatus, EmptyState, FailureView, Glyph, Loading, PageHeader, TimeAgo};
use leptos::{either::Either, prelude::*};
use leptos_meta::Title;
use leptos_router::components::A;
use model::views::{QueueItem, QueueView, WaitsFor};
use std::time::Duration;

/// The queue is looked at this often while somebody looks: what others deploy is not announced to everybody.
const LOOK: Duration = Duration::from_secs(3);

/// The page.
#[component]
pub fn QueuePage() -> impl IntoView {
    let queue = Resource::new_blocking(|| (), |()| get_queue());
    view! {
        <Title text="Queue" />
        <Suspense fallback=Loading>
            {move || Suspend::new(async move {
                match queue.await {
                    Ok(queue) => Either::Left(view! { <Queue queue /> }),
                    Err(failure) => Either::Right(view! { <FailureView failure /> }),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Queue(queue: QueueView) -> impl IntoView {
    let queue = RwSignal::new(queue);
    Effect::new(move |_| {
        let again = Action::new(move |(): &()| async move {
            if let Ok(fresh) = get_queue().await {
                queue.try_set(fresh);
            }
        });
        let timer = set_interval_with_handle(
            move || {
                if !again.pending().get_untracked() {
                    again.dispatch(());
                }
            },
            LOOK,
        );
        on_cleanup(move || {
            if let Ok(timer) = timer {
                timer.clear();
            }
        });
    });
    let about = Memo::new(move |_| {
        let at_once = queue.read().at_once;
        let at_once = if at_once == 1 { "One deployment".to_owned() } else { format!("{at_once} deployments") };
        let others = match queue.read().others {
            0 => String::new(),
            1 => " One more is another team's.".to_owned(),
            n => format!(" {n} more are other teams'."),
        };
        format!("{at_once} at a time; teams take turns.{others}")
    });
    let items = Memo::new(move |_| queue.read().items.clone());
    view! {
        <PageHeader title="Queue" about=move || view! { <span>{move || about.get()}</span> } />
        {move || {
            if items.read().is_empty() {
                view! {
                    <EmptyState
                        glyph=Glyph::Check
                        title="Nothing waits"
                        text="Deployments appear here while they run or wait for their turn."
                    />
                }
                    .into_any()
            } else {
                view! {
                    <ul class="panel divide-y divide-base-300">
                        <For
                            each=move || items.get()
                            key=|item| (item.deployment_id, item.status, item.position, item.waits_for.clone())
                            let:item
                        >
                            <Line item />
                        </For>
                    </ul>
                }
                    .into_any()
            }
        }}
    }
}

#[component]
fn Line(item: QueueItem) -> impl IntoView {
    let place = match (item.position, &item.waits_for) {
        (Some(position), Some(waits_for)) => format!("{} · {}", nth(position), describe(waits_for)),
        _ => "At work".to_owned(),
    };
    view! {
        <li class="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-3">
            <div class="min-w-0 flex-1">
                <A href=format!("/deployments/{}", item.deployment_id) attr:class="link-accent font-medium">
                    {item.site_name} " #" {item.number}
                </A>
                <p class="truncate text-sm text-muted">{item.team_name} " · " {item.environment}</p>
            </div>
            <p class="text-sm text-muted">{place}</p>
            <p class="text-sm text-muted">
                <TimeAgo at=item.started_at.unwrap_or(item.created_at) />
            </p>
            <DeploymentStatus status=item.status is_current=false />
        </li>
    }
}

fn nth(position: i64) -> String {
    match position {
        0 => "Next".to_owned(),
        n => format!("{n} before it"),
    }
}

/// What a deployment waits for, in plain words.
pub fn describe(waits_for: &WaitsFor) -> String {
    match waits_for {
        WaitsFor::Turn => "waits for a free worker".to_owned(),
        WaitsFor::Environment { number } => format!("waits for deployment #{number} of the same environment"),
        WaitsFor::Quota => "waits for another build of its team, by the team's quota".to_owned(),
        WaitsFor::Retry { .. } => "waits for its next try".to_owned(),
    }
}

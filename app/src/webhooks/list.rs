//! The deliveries of a site, newest first, each with what came of it and why.

use super::{address, forge, server::list_deliveries};
use crate::components::{EmptyState, Glyph, Icon, OutcomePill, Panel, TimeAgo};
use leptos::prelude::*;
use leptos_router::components::A;
use model::{
    SiteId,
    views::{DeliveryView, Outcome, Page, SignedWith},
};
use std::time::Duration;

/// The newest are looked for this often while somebody looks: what is ignored is not announced.
const LOOK: Duration = Duration::from_secs(5);

/// The panel.
#[component]
pub fn Deliveries(
    /// Whose.
    site: SiteId,
    /// Those to show.
    page: Page<DeliveryView>,
    /// They are the newest.
    is_newest: bool,
) -> impl IntoView {
    let older = page.next_cursor.clone();
    let deliveries = RwSignal::new(page.items);
    if is_newest {
        follow(site, deliveries);
    }
    let is_empty = Memo::new(move |_| deliveries.read().is_empty());
    view! {
        <Panel title="Deliveries" flush=true>
            {move || {
                if is_empty.get() {
                    view! {
                        <EmptyState
                            glyph=Glyph::Webhook
                            title="Nothing came yet"
                            text="Add the address and the secret to your forge's webhooks, and push. Whatever it sends appears here, with what came of it."
                        />
                    }
                        .into_any()
                } else {
                    view! {
                        <ul class="divide-y divide-base-300">
                            <For
                                each=move || deliveries.get()
                                key=|it| (it.id, it.times, it.deployment_id)
                                let:delivery
                            >
                                <Line delivery />
                            </For>
                        </ul>
                    }
                        .into_any()
                }
            }}
            <Pages site older is_newest />
        </Panel>
    }
}

fn follow(site: SiteId, deliveries: RwSignal<Vec<DeliveryView>>) {
    Effect::new(move |_| {
        let again = Action::new(move |(): &()| async move {
            if let Ok(fresh) = list_deliveries(site, None).await
                && deliveries.try_with_untracked(|shown| *shown != fresh.items).unwrap_or(false)
            {
                deliveries.try_set(fresh.items);
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
}

/// How often it came, in words; nothing for once.
pub fn times(delivery: &DeliveryView) -> Option<String> {
    match (delivery.outcome, delivery.times) {
        (_, ..=1) => None,
        (Outcome::Refused, 100..) => Some("100 times or more within an hour".to_owned()),
        (Outcome::Refused, times) => Some(format!("{times} times within an hour")),
        (_, times) => Some(format!("sent {times} times")),
    }
}

#[component]
fn Line(delivery: DeliveryView) -> impl IntoView {
    let here = format!("{}/{}", address(delivery.site_id), delivery.id);
    let times = times(&delivery);
    let is_old = delivery.signed_with == Some(SignedWith::OldSecret);
    view! {
        <li class="grid grid-cols-[minmax(0,1fr)_auto] items-start gap-x-4 gap-y-1 px-4 py-3 sm:px-5">
            <p class="min-w-0 text-sm">
                <A href=here attr:class="link-accent break-words">
                    {forge(&delivery.provider)} " · " {delivery.event}
                </A>
            </p>
            <OutcomePill outcome=delivery.outcome />
            <p class="col-span-2 min-w-0 break-words text-sm">{delivery.reason}</p>
            <p class="col-span-2 flex min-w-0 flex-wrap items-center gap-x-3 gap-y-1 text-xs text-muted">
                <TimeAgo at=delivery.received_at />
                {delivery.replay_of.map(|_| view! { <span>"replay"</span> })}
                {times.map(|times| view! { <span>{times}</span> })}
                {is_old
                    .then(|| {
                        view! {
                            <span class="tone-warning inline-flex items-center gap-1">
                                <Icon glyph=Glyph::Key class="tone-icon size-3.5" />
                                "signed with the old secret"
                            </span>
                        }
                    })}
                {delivery
                    .deployment_id
                    .map(|id| {
                        view! {
                            <A href=format!("/deployments/{id}") attr:class="link-accent">
                                "Deployment"
                            </A>
                        }
                    })}
            </p>
        </li>
    }
}

#[component]
fn Pages(site: SiteId, older: Option<String>, is_newest: bool) -> impl IntoView {
    (older.is_some() || !is_newest).then(|| {
        view! {
            <nav class="flex justify-between border-t border-base-300 px-4 py-2 sm:px-5" aria-label="Pages of deliveries">
                {(!is_newest)
                    .then(|| {
                        view! {
                            <a href=address(site) data-noscroll class="btn btn-ghost">
                                "Newest"
                            </a>
                        }
                    })}
                {older
                    .map(|cursor| {
                        view! {
                            <a
                                href=format!("{}?cursor={cursor}", address(site))
                                data-noscroll
                                class="btn btn-ghost ml-auto"
                            >
                                "Older"
                            </a>
                        }
                    })}
            </nav>
        }
    })
}

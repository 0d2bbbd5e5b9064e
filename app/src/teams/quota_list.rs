//! Quotas as a list: what is used of what is allowed.

use crate::components::TimeAgo;
use leptos::prelude::*;
use model::views::QuotaView;

/// The list.
#[component]
pub fn QuotaList(
    /// The quotas.
    items: Vec<QuotaView>,
) -> impl IntoView {
    view! {
        <ul class="divide-y divide-base-300">
            {items.into_iter().map(|item| view! { <Line item /> }).collect_view()}
        </ul>
    }
}

#[component]
fn Line(item: QuotaView) -> impl IntoView {
    let QuotaView { quota, used, limit, is_own, measured_at } = item;
    let words = match limit {
        Some(most) => format!("{} of {}", quota.amount(used), quota.amount(most)),
        None => format!("{}, without a limit", quota.amount(used)),
    };
    let label = format!("{}: {words}", quota.title());
    view! {
        <li class="flex flex-col gap-2 px-4 py-3 sm:px-5">
            <div class="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1">
                <h3 class="text-sm font-medium">{quota.title()}</h3>
                <p class="text-sm tabular-nums">{words}</p>
            </div>
            {limit
                .map(|most| {
                    let is_full = used >= most;
                    view! {
                        <progress
                            class="quota-bar"
                            data-full=is_full.then_some("true")
                            value=used.clamp(0, most).to_string()
                            max=most.max(1).to_string()
                            aria-label=label
                        ></progress>
                    }
                })}
            <p class="flex flex-wrap gap-x-3 text-xs text-muted empty:hidden">
                {is_own.then_some("Set for this team")}
                {measured_at.map(|at| view! { <span>"Measured " <TimeAgo at /></span> })}
            </p>
        </li>
    }
}

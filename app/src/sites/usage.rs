//! What a site takes of the disk.

use super::server::get_usage;
use crate::components::Panel;
use leptos::{either::Either, prelude::*};
use leptos_router::components::A;
use model::{SiteId, size, views::UsageView};

/// The panel; it is measured once the page is there, for that may take a moment.
#[component]
pub fn UsagePanel(
    /// The site.
    id: SiteId,
    /// The short name of its team.
    team: String,
) -> impl IntoView {
    let usage = Resource::new(move || id, get_usage);
    view! {
        <Panel title="Disk" flush=true>
            <Suspense fallback=|| view! { <div class="skeleton m-4 h-24"></div> }>
                {move || Suspend::new(async move {
                    match usage.await {
                        Ok(usage) => Either::Left(view! { <Parts usage /> }),
                        Err(failure) => {
                            Either::Right(view! { <p class="p-4 text-sm text-muted sm:px-5">{failure.problem.detail}</p> })
                        }
                    }
                })}
            </Suspense>
            <p class="border-t border-base-300 px-4 py-3 text-sm sm:px-5">
                <A href=format!("/teams/{team}/quotas") attr:class="link-quiet">
                    "The team's quotas"
                </A>
            </p>
        </Panel>
    }
}

#[component]
fn Parts(usage: UsageView) -> impl IntoView {
    let parts = [
        ("Images", Some(usage.images)),
        ("Volumes", usage.volumes),
        ("Repository", Some(usage.repository)),
        ("Logs", Some(usage.logs)),
    ];
    view! {
        <dl class="facts">
            {parts
                .into_iter()
                .map(|(name, bytes)| {
                    view! {
                        <div>
                            <dt>{name}</dt>
                            <dd class="tabular-nums">{bytes.map_or_else(|| "unknown".to_owned(), size::human)}</dd>
                        </div>
                    }
                })
                .collect_view()}
        </dl>
    }
}

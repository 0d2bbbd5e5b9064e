//! A site in the list: how it stands, where it is, what happened last. Moves by itself.

use super::{bare, server::get_site};
use crate::{
    components::{Glyph, Icon, SiteStatusPill, TimeAgo},
    deployments::describe_commit,
    live,
};
use leptos::prelude::*;
use leptos_router::components::A;
use model::{
    deployment::Status,
    views::{SiteStatus, SiteView},
};

/// The card.
#[component]
pub fn SiteCard(
    /// The site as it was when the page was made.
    site: SiteView,
    /// Says whose it is.
    #[prop(optional)]
    several_teams: bool,
) -> impl IntoView {
    let id = site.id;
    let name = site.name.clone();
    let url = site.url.clone();
    let team = several_teams.then(|| site.team.name.clone());
    let site = RwSignal::new(site);
    let gone = RwSignal::new(false);
    live::on_site(id, async move || match get_site(id).await {
        Ok(fresh) => {
            site.try_set(fresh);
        }
        Err(failure) if failure.problem.status == 404 => {
            gone.try_set(true);
        }
        Err(_) => {}
    });
    let status = Memo::new(move |_| site.read().status);
    let latest = Memo::new(move |_| site.read().latest_deployment.clone());
    view! {
        <li class="site-card" class:hidden=move || gone.get()>
            <div class="flex items-start justify-between gap-3">
                <h2 class="min-w-0 text-base font-semibold">
                    <A href=format!("/sites/{id}") attr:class="card-link block truncate">
                        {name}
                    </A>
                </h2>
                {move || view! { <SiteStatusPill status=status.get() /> }}
            </div>
            {move || {
                let bare = bare(&url);
                if status.get() == SiteStatus::Live || site.read().services.iter().any(|s| s.status == "running") {
                    view! {
                        <a href=url.clone() rel="external" class="above link-quiet inline-flex max-w-full items-center gap-1.5 text-sm text-muted">
                            <Icon glyph=Glyph::Globe class="size-3.5" />
                            <span class="truncate">{bare}</span>
                        </a>
                    }
                        .into_any()
                } else {
                    view! {
                        <p class="inline-flex max-w-full items-center gap-1.5 text-sm text-muted">
                            <Icon glyph=Glyph::Globe class="size-3.5" />
                            <span class="truncate">{bare}</span>
                        </p>
                    }
                        .into_any()
                }
            }}
            {team.map(|team| view! { <p class="truncate text-xs text-muted">{team}</p> })}
            <div class="mt-auto border-t border-base-300 pt-3 text-sm">
                {move || match latest.get() {
                    Some(deployment) => {
                        let at = deployment.finished_at.unwrap_or(deployment.created_at);
                        view! {
                            <p class="truncate">{describe_commit(&deployment)}</p>
                            <p class="mt-0.5 flex items-center gap-1.5 text-xs text-muted">
                                {format!("#{}", deployment.number)} <span aria-hidden="true">"·"</span> <TimeAgo at />
                                {(deployment.status == Status::Failed)
                                    .then(|| {
                                        view! {
                                            <span aria-hidden="true">"·"</span>
                                            <span class="inline-flex items-center gap-1 font-medium text-error">
                                                <Icon glyph=Glyph::Alert class="size-3.5" />
                                                "Failed"
                                            </span>
                                        }
                                    })}
                            </p>
                        }
                            .into_any()
                    }
                    None => view! { <p class="text-muted">"Nothing deployed yet"</p> }.into_any(),
                }}
            </div>
        </li>
    }
}

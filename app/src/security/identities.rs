//! Accounts at providers: which are linked, linking and unlinking.

use super::server::UnlinkProvider;
use crate::{
    components::{Button, Panel, TimeAgo},
    form::Form,
};
use leptos::{either::Either, form::ActionForm, prelude::*};
use model::views::{IdentityView, ProviderView};

/// Those that are linked, and those that can be.
#[component]
pub fn Identities(
    /// The visitor's.
    identities: Vec<IdentityView>,
    /// All that there are.
    providers: Vec<ProviderView>,
    /// Unlinks one.
    unlink: Form<UnlinkProvider>,
) -> impl IntoView {
    if identities.is_empty() && providers.is_empty() {
        return ().into_any();
    }
    let others: Vec<_> = providers
        .into_iter()
        .filter(|provider| identities.iter().all(|identity| identity.provider != provider.key))
        .collect();
    view! {
        <Panel title="Other accounts" flush=true>
            {move || unlink.failure.get().map(|it| view! { <p class="field-error p-4">{it.problem.detail}</p> })}
            <ul class="divide-y divide-base-300">
                {identities.into_iter().map(|identity| view! { <Linked identity unlink /> }).collect_view()}
                {others
                    .into_iter()
                    .map(|provider| {
                        view! {
                            <li class="flex flex-wrap items-center justify-between gap-4 px-4 py-3 sm:px-5">
                                <p class="text-sm font-medium">{provider.label.clone()}</p>
                                <a
                                    href=format!("/account/security/link/{}", provider.key)
                                    rel="external"
                                    class="btn btn-plain"
                                >
                                    {format!("Link {}", provider.label)}
                                </a>
                            </li>
                        }
                    })
                    .collect_view()}
            </ul>
        </Panel>
    }
    .into_any()
}

#[component]
fn Linked(identity: IdentityView, unlink: Form<UnlinkProvider>) -> impl IntoView {
    view! {
        <li class="flex flex-wrap items-center justify-between gap-4 px-4 py-3 sm:px-5">
            <div class="min-w-0">
                <p class="break-words text-sm font-medium">
                    {identity.label.clone()} " " <span class="font-normal text-muted">{identity.email}</span>
                </p>
                <p class="flex flex-wrap gap-x-3 text-xs text-muted">
                    <span>"Linked " <TimeAgo at=identity.created_at /></span>
                    <span>
                        {match identity.last_used_at {
                            Some(at) => Either::Left(view! { "Used " <TimeAgo at /> }),
                            None => Either::Right("Never used"),
                        }}
                    </span>
                </p>
            </div>
            <ActionForm action=unlink.action>
                <input type="hidden" name="provider" value=identity.provider />
                <Button kind="submit" busy=unlink.pending>
                    {format!("Unlink {}", identity.label)}
                </Button>
            </ActionForm>
        </li>
    }
}

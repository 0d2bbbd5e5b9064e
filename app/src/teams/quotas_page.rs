//! What a team uses, and what it may use at most.

use super::{
    quota_list::QuotaList,
    server::get_quotas,
    tabs::{Tab, TeamHeader},
    use_team,
};
use crate::components::{FailureView, Loading, Panel};
use leptos::{either::Either, prelude::*};
use leptos_meta::Title;

/// The page.
#[component]
pub fn TeamQuotasPage() -> impl IntoView {
    let team = use_team();
    let answer = Resource::new_blocking(move || team.get(), get_quotas);
    view! {
        <Title text="Quotas" />
        <Suspense fallback=Loading>
            {move || Suspend::new(async move {
                match answer.await {
                    Ok((team, quotas)) => {
                        Either::Left(
                            view! {
                                <TeamHeader team current=Tab::Quotas />
                                <div class="flex max-w-3xl flex-col gap-6">
                                    <Panel title="Used and allowed" flush=true>
                                        <QuotaList items=quotas.items />
                                    </Panel>
                                    <p class="text-sm text-muted">
                                        "An administrator of the platform sets other amounts."
                                    </p>
                                </div>
                            },
                        )
                    }
                    Err(failure) => Either::Right(view! { <FailureView failure /> }),
                }
            })}
        </Suspense>
    }
}

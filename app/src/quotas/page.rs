//! The quotas of a team.

use super::{parts::QuotaList, server::get_quotas};
use crate::components::{FailureView, Loading, PageHeader, Panel};
use leptos::{either::Either, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use model::views::TeamQuotasView;

/// The page.
#[component]
pub fn QuotasPage() -> impl IntoView {
    let params = use_params_map();
    let team = Memo::new(move |_| params.read().get("team").unwrap_or_default());
    let answer = Resource::new_blocking(move || team.get(), get_quotas);
    view! {
        <Title text="Quotas" />
        <Suspense fallback=Loading>
            {move || Suspend::new(async move {
                match answer.await {
                    Ok(quotas) => Either::Left(view! { <Quotas quotas /> }),
                    Err(failure) => Either::Right(view! { <FailureView failure /> }),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Quotas(quotas: TeamQuotasView) -> impl IntoView {
    let name = quotas.team_name;
    view! {
        <PageHeader
            title="Quotas"
            about=move || format!("What {name} uses, and what it may use at most. An administrator of the platform sets other amounts.")
        />
        <div class="flex max-w-2xl flex-col gap-6">
            <Panel title="Used and allowed" flush=true>
                <QuotaList items=quotas.items />
            </Panel>
        </div>
    }
}

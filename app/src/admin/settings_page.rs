//! The settings of the process that answers, as `webmeteor config` prints them.

use super::{server::list_settings, tabs::AdminHeader};
use crate::components::{FailureView, Loading, Panel};
use leptos::{either::Either, prelude::*};
use leptos_meta::Title;
use model::views::SettingView;

/// The page.
#[component]
pub fn SettingsPage() -> impl IntoView {
    let settings = Resource::new_blocking(|| (), |()| list_settings());
    view! {
        <Title text="Settings" />
        <Suspense fallback=Loading>
            {move || Suspend::new(async move {
                match settings.await {
                    Ok(settings) => Either::Left(view! { <Settings settings /> }),
                    Err(failure) => Either::Right(view! { <FailureView failure /> }),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Settings(settings: Vec<SettingView>) -> impl IntoView {
    view! {
        <AdminHeader title="Settings" current="/admin/settings" />
        <Panel title="Settings" flush=true>
            <ul class="divide-y divide-base-300">
                {settings
                    .into_iter()
                    .map(|setting| {
                        let value = if setting.value.is_empty() { "(unset)".to_owned() } else { setting.value };
                        view! {
                            <li class="flex flex-wrap items-baseline gap-x-4 gap-y-1 px-4 py-2 text-sm sm:px-5">
                                <code class="font-mono text-xs sm:w-96">{setting.name}</code>
                                <code class="min-w-0 flex-1 break-all font-mono text-xs">{value}</code>
                                <span class="text-xs text-muted">{setting.origin}</span>
                            </li>
                        }
                    })
                    .collect_view()}
            </ul>
        </Panel>
    }
}

//! Switching between the environments of a site.

use leptos::prelude::*;
use leptos_router::components::A;
use model::views::EnvironmentView;

/// The environments side by side, the one of this page marked. With a single one there is nothing to switch.
#[component]
pub fn EnvironmentTabs<F>(
    /// All of them.
    environments: Vec<EnvironmentView>,
    /// The one of this page.
    current: String,
    /// Where the same page of another one is.
    href: F,
) -> impl IntoView
where
    F: Fn(&str) -> String,
{
    let links: Vec<_> =
        environments.iter().map(|it| (it.name.clone(), href(&it.name), it.name == current, it.paused)).collect();
    (links.len() > 1).then(|| {
        view! {
            <nav class="tabs-bar" aria-label="Environments">
                {links
                    .into_iter()
                    .map(|(name, href, is_current, is_paused)| {
                        view! {
                            <A href=href attr:class="tab-link" attr:aria-current=is_current.then_some("page")>
                                {name}
                                {is_paused.then_some(" (paused)")}
                            </A>
                        }
                    })
                    .collect_view()}
            </nav>
        }
    })
}

//! Signing in with an account at a provider.

use super::use_visitor;
use leptos::prelude::*;
use leptos_router::location::Url;

/// A way to each provider that there is.
#[component]
pub fn Providers(
    /// Where to go afterwards.
    #[prop(into)]
    next: String,
) -> impl IntoView {
    let visitor = use_visitor();
    view! {
        <Suspense>
            {move || {
                let next = Url::escape(&next);
                Suspend::new(async move {
                    let providers = visitor.get().await.map(|visitor| visitor.providers).unwrap_or_default();
                    providers
                        .into_iter()
                        .map(|provider| {
                            view! {
                                <a
                                    href=format!("/sign-in/with/{}?next={next}", provider.key)
                                    rel="external"
                                    class="btn btn-plain mt-4 w-full"
                                >
                                    {format!("Continue with {}", provider.label)}
                                </a>
                            }
                        })
                        .collect_view()
                })
            }}
        </Suspense>
    }
}

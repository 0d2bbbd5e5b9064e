//! A framed part of a page with a heading.

use leptos::prelude::*;

/// A panel.
#[component]
pub fn Panel(
    /// Its heading, and the base of its id.
    title: &'static str,
    /// Beside the heading.
    #[prop(optional, into)]
    actions: Option<ViewFn>,
    /// No room between frame and content: lists bring their own.
    #[prop(optional)]
    flush: bool,
    /// What is in it.
    children: Children,
) -> impl IntoView {
    let id = title.to_lowercase().replace(' ', "-");
    let body = if flush { "" } else { "p-4 sm:p-5" };
    view! {
        <section class="panel" aria-labelledby=id>
            <header class="flex min-h-12 items-center justify-between gap-4 border-b border-base-300 px-4 py-1 sm:px-5">
                <h2 id=id.clone() class="text-sm font-semibold">{title}</h2>
                {actions.map(|actions| actions.run())}
            </header>
            <div class=body>{children()}</div>
        </section>
    }
}

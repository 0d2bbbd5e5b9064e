//! What stands where a list would, with what to do next.

use super::icon::{Glyph, Icon};
use leptos::prelude::*;

/// An empty state.
#[component]
pub fn EmptyState(
    /// Its picture.
    glyph: Glyph,
    /// What is missing.
    title: &'static str,
    /// What to do next.
    #[prop(into)]
    text: String,
    /// Buttons.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="empty">
            <span class="empty-glyph">
                <Icon glyph class="size-6" />
            </span>
            <h2 class="text-base font-semibold">{title}</h2>
            <p class="max-w-sm text-sm text-muted">{text}</p>
            {children.map(|children| view! { <div class="mt-2 flex flex-wrap justify-center gap-2">{children()}</div> })}
        </div>
    }
}

//! The mark: a meteor, and the name beside it.

use leptos::prelude::*;

/// The meteor alone.
#[component]
pub fn Mark(
    /// Size, in classes.
    #[prop(default = "size-6")]
    class: &'static str,
) -> impl IntoView {
    view! {
        <svg class=format!("shrink-0 {class}") viewBox="0 0 24 24" fill="none" aria-hidden="true" focusable="false">
            <path class="mark-tail" d="M21.5 2.5 11 8.7M22 7.5l-8.3 6M16.5 2 8.7 7.3" stroke-width="1.9" stroke-linecap="round"></path>
            <circle class="mark-body" cx="8.5" cy="15.5" r="6"></circle>
            <circle class="mark-crater" cx="7" cy="14" r="1.5"></circle>
            <circle class="mark-crater" cx="10.4" cy="17.3" r="1"></circle>
        </svg>
    }
}

/// Mark and name.
#[component]
pub fn Logo() -> impl IntoView {
    view! {
        <span class="inline-flex items-center gap-2 text-base font-semibold tracking-tight">
            <Mark />
            "WebMeteor"
        </span>
    }
}

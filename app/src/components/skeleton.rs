//! What is shown while a page loads: shapes, after a moment, so that quick answers do not flicker.

use leptos::prelude::*;

/// A page that loads.
#[component]
pub fn Loading() -> impl IntoView {
    view! {
        <div class="loading-page" role="status">
            <span class="sr-only">"Loading"</span>
            <div class="skeleton h-8 w-56"></div>
            <div class="skeleton h-32 w-full"></div>
            <div class="skeleton h-32 w-full"></div>
        </div>
    }
}

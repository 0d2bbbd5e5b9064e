//! A time as people say it, exact in its title.

use crate::{clock::use_clock, format};
use leptos::prelude::*;
use time::OffsetDateTime;

/// `3 minutes ago`; changes by itself.
#[component]
pub fn TimeAgo(
    /// When.
    at: OffsetDateTime,
) -> impl IntoView {
    let clock = use_clock();
    let words = Memo::new(move |_| format::ago(clock.now(), at));
    view! {
        <time datetime=format::machine(at) title=format::absolute(at) class="whitespace-nowrap">
            {move || words.get()}
        </time>
    }
}

//! A page for what went wrong around the pages themselves: a body that is too long, a request of another site, a panic.

use crate::{
    components::{Glyph, Icon},
    static_page::static_page,
};
use leptos::prelude::*;
use model::Problem;

/// The whole document.
pub fn error_page(options: LeptosOptions, problem: Problem) -> impl IntoView {
    let content = view! {
        <div class="empty my-12" role="alert">
            <span class="empty-glyph">
                <Icon glyph=Glyph::Alert class="size-6" />
            </span>
            <h1 class="text-xl font-semibold">"This did not work"</h1>
            <p class="max-w-md text-sm text-muted">{problem.detail}</p>
            <p class="font-mono text-xs text-muted">{format!("{} · {}", problem.status, problem.code)}</p>
            <div class="mt-2 flex flex-wrap justify-center gap-2">
                <a href="/sites" class="btn btn-primary">
                    "Your sites"
                </a>
            </div>
        </div>
    };
    static_page(options, "This did not work", content)
}

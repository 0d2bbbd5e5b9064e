//! A page that could not be shown: why, and what to do. Sends those who are not signed in to the sign-in page.

use super::{
    button::{ButtonLink, Look},
    icon::{Glyph, Icon},
};
use crate::failure::Failure;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::{components::Redirect, hooks::use_location};

/// The failure of a whole page.
#[component]
pub fn FailureView(
    /// Why.
    failure: Failure,
) -> impl IntoView {
    if failure.is_unauthenticated() {
        let location = use_location();
        let back = format!("{}{}", location.pathname.get_untracked(), query(&location.search.get_untracked()));
        return view! { <Redirect path=format!("/sign-in?next={}", leptos_router::location::Url::escape(&back)) /> }
            .into_any();
    }
    #[cfg(feature = "ssr")]
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>()
        && let Ok(status) = axum::http::StatusCode::from_u16(failure.problem.status)
    {
        response.set_status(status);
    }
    let is_missing = failure.problem.status == 404;
    let (glyph, title) = if is_missing { (Glyph::Search, "Not found") } else { (Glyph::Alert, "This did not work") };
    view! {
        <Title text=title />
        <div class="empty my-12" role=(!is_missing).then_some("alert")>
            <span class="empty-glyph">
                <Icon glyph class="size-6" />
            </span>
            <h1 class="text-xl font-semibold">{title}</h1>
            <p class="max-w-md text-sm text-muted">{failure.problem.detail}</p>
            <p class="font-mono text-xs text-muted">{format!("{} · {}", failure.problem.status, failure.problem.code)}</p>
            <div class="mt-2 flex flex-wrap justify-center gap-2">
                {(!is_missing)
                    .then(|| {
                        view! {
                            <a href="" rel="external" class="btn btn-plain">
                                <Icon glyph=Glyph::Repeat />
                                "Try again"
                            </a>
                        }
                    })}
                <ButtonLink href="/sites" look=if is_missing { Look::Primary } else { Look::Quiet }>
                    "Your sites"
                </ButtonLink>
            </div>
        </div>
    }
    .into_any()
}

fn query(search: &str) -> String {
    match search.trim_start_matches('?') {
        "" => String::new(),
        search => format!("?{search}"),
    }
}

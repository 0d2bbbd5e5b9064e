//! The head of a page: where one is, what it is, what can be done.

use super::icon::{Glyph, Icon};
use leptos::prelude::*;

/// A step of the way to a page: words and address.
pub type Crumb = (String, String);

/// The head of a page.
#[component]
pub fn PageHeader(
    /// The heading.
    #[prop(into)]
    title: String,
    /// The way here.
    #[prop(optional)]
    crumbs: Vec<Crumb>,
    /// Beside the heading, such as a status.
    #[prop(optional, into)]
    mark: Option<ViewFn>,
    /// One line below the heading.
    #[prop(optional, into)]
    about: Option<ViewFn>,
    /// What can be done.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <header class="mb-6 flex flex-col gap-2">
            {(!crumbs.is_empty())
                .then(|| {
                    view! {
                        <nav aria-label="Breadcrumb">
                            <ol class="flex min-w-0 flex-wrap items-center gap-1 text-sm text-muted">
                                {crumbs
                                    .into_iter()
                                    .enumerate()
                                    .map(|(place, (words, href))| {
                                        view! {
                                            <li class="flex min-w-0 items-center gap-1">
                                                {(place > 0)
                                                    .then(|| view! { <Icon glyph=Glyph::ChevronRight class="size-3.5" /> })}
                                                <a href=href class="link-quiet truncate">
                                                    {words}
                                                </a>
                                            </li>
                                        }
                                    })
                                    .collect_view()}
                            </ol>
                        </nav>
                    }
                })}
            <div class="flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
                <div class="flex min-w-0 flex-col gap-1">
                    <div class="flex min-w-0 flex-wrap items-center gap-x-3 gap-y-1">
                        <h1 class="min-w-0 break-words text-2xl font-semibold tracking-tight">{title}</h1>
                        {mark.map(|mark| mark.run())}
                    </div>
                    {about.map(|about| view! { <div class="text-sm text-muted">{about.run()}</div> })}
                </div>
                {children.map(|children| view! { <div class="flex flex-wrap items-center gap-2">{children()}</div> })}
            </div>
        </header>
    }
}

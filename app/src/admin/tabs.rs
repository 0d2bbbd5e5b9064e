//! The way between the pages of the administration, and their common head.

use crate::components::PageHeader;
use leptos::prelude::*;
use leptos_router::components::A;

const PAGES: [(&str, &str); 9] = [
    ("Overview", "/admin"),
    ("Teams", "/admin/teams"),
    ("Sites", "/admin/sites"),
    ("Invitations", "/admin/invitations"),
    ("Audit", "/admin/audit"),
    ("Machine", "/admin/machine"),
    ("Settings", "/admin/settings"),
    ("GitHub", "/admin/github"),
    ("Queue", "/queue"),
];

/// The head of a page, with the way to the others.
#[component]
pub fn AdminHeader(
    /// The heading: the name of one of the pages, or of what is below one.
    #[prop(into)]
    title: String,
    /// The address of the page that is marked.
    current: &'static str,
) -> impl IntoView {
    view! {
        <PageHeader title=title crumbs=vec![("Administration".to_owned(), "/admin".to_owned())] />
        <nav class="tabs-bar" aria-label="Administration">
            {PAGES
                .map(|(name, href)| {
                    view! {
                        <A
                            href=href
                            exact=true
                            attr:class="tab-link"
                            attr:aria-current=(href == current).then_some("page")
                        >
                            {name}
                        </A>
                    }
                })
                .into_iter()
                .collect_view()}
        </nav>
    }
}

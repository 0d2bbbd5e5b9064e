//! Switching between the pages of an account.

use leptos::prelude::*;
use leptos_router::components::A;

/// A page of the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountTab {
    /// Name, address, password.
    Profile,
    /// Second factors and the like.
    Security,
    /// What one is signed in with.
    Sessions,
    /// What programs sign in with.
    Tokens,
    /// What one did.
    Audit,
}

/// The pages side by side, this one marked.
#[component]
pub fn AccountTabs(
    /// This one.
    current: AccountTab,
) -> impl IntoView {
    let tabs = [
        (AccountTab::Profile, "/account", "Profile"),
        (AccountTab::Security, "/account/security", "Security"),
        (AccountTab::Sessions, "/account/sessions", "Sessions"),
        (AccountTab::Tokens, crate::tokens::ADDRESS, "API tokens"),
        (AccountTab::Audit, crate::audit::OWN, "Audit"),
    ];
    view! {
        <nav class="tabs-bar" aria-label="Account">
            {tabs
                .map(|(tab, href, words)| {
                    view! {
                        <A href=href exact=true attr:class="tab-link" attr:aria-current=(tab == current).then_some("page")>
                            {words}
                        </A>
                    }
                })}
        </nav>
    }
}

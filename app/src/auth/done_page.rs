//! What came of a form for which one need not be signed in, and what to do next.

use super::use_visitor;
use crate::components::{EmptyState, Glyph};
use leptos::prelude::*;
use leptos_meta::{Meta, Title};
use leptos_router::{components::A, hooks::use_params_map};

/// Where no mail is sent.
pub(crate) const LOGGED: &str =
    "No mail is sent here: the link, if there is one, stands in the platform's log. Ask its operator for it.";

/// The page.
#[component]
pub fn DonePage() -> impl IntoView {
    let what = use_params_map().read_untracked().get("what").unwrap_or_default();
    let (glyph, title, text, next) = match what.as_str() {
        "registration-sent" => (
            Glyph::Check,
            "Look into your mail",
            "A mail is on its way to the address that you gave. Open the link in it within a day.",
            None,
        ),
        "reset-sent" => (
            Glyph::Check,
            "Your request is taken",
            "If there is an account with this address, a mail with a link is on its way. It is good for an hour.",
            None,
        ),
        "password-set" => (
            Glyph::Check,
            "Your password is set",
            "Everything that was signed in before has ended. Sign in with the new password.",
            Some(("/sign-in", "Sign in")),
        ),
        "account-made" => (
            Glyph::Check,
            "Your account is ready",
            "Sign in with the password that you chose.",
            Some(("/sign-in", "Sign in")),
        ),
        "address-confirmed" => {
            (Glyph::Check, "Your address is confirmed", "Thank you.", Some(("/account", "To your account")))
        }
        "address-changed" => (
            Glyph::Check,
            "Your address is changed",
            "From now on you sign in with it, and mail goes there.",
            Some(("/account", "To your account")),
        ),
        "account-deleted" => (
            Glyph::Check,
            "Your account is deleted",
            "All that was yours alone goes with it.",
            Some(("/", "To the start")),
        ),
        _ => {
            (Glyph::Search, "There is no page at this address", "The link is incomplete.", Some(("/", "To the start")))
        }
    };
    let visitor = use_visitor();
    let is_mailed = what.ends_with("-sent");
    view! {
        <Title text=title />
        <Meta name="robots" content="noindex" />
        <div class="py-8 sm:py-16">
            <h1 class="sr-only">{title}</h1>
            <Suspense>
                {move || Suspend::new(async move {
                    let is_logged = is_mailed && visitor.get().await.is_ok_and(|visitor| !visitor.sends_mail);
                    view! {
                        <EmptyState glyph title text=if is_logged { LOGGED } else { text }>
                            {next
                                .map(|(href, words)| {
                                    view! {
                                        <A href=href attr:class="btn btn-primary">
                                            {words}
                                        </A>
                                    }
                                })}
                        </EmptyState>
                    }
                })}
            </Suspense>
        </div>
    }
}

//! Confirming what a mailed link is for. Opening the link changes nothing, for mail scanners open links; the button does.

use super::{
    frame::AuthFrame,
    reset_page::VoidLink,
    server::{ConfirmLink, look_at_link},
};
use crate::{
    components::{Button, Loading, Look},
    form::{Form, load_page},
};
use leptos::{either::Either, form::ActionForm, prelude::*};
use leptos_meta::{Meta, Title};
use leptos_router::hooks::use_query_map;
use model::views::{LinkKind, LinkView};

/// The page.
#[component]
pub fn ConfirmPage() -> impl IntoView {
    #[cfg(feature = "ssr")]
    crate::context::keep_address_secret();
    let token = use_query_map().read_untracked().get("token").unwrap_or_default();
    let asked = token.clone();
    let answer = Resource::new_blocking(|| (), move |()| look_at_link(asked.clone()));
    view! {
        <Title text="Confirm" />
        <Meta name="robots" content="noindex" />
        <Suspense fallback=Loading>
            {move || {
                let token = token.clone();
                Suspend::new(async move {
                    match answer.await {
                        Ok(link) => Either::Left(view! { <ConfirmForm token link /> }),
                        Err(failure) => Either::Right(view! { <VoidLink message=failure.problem.detail /> }),
                    }
                })
            }}
        </Suspense>
    }
}

#[component]
fn ConfirmForm(token: String, link: LinkView) -> impl IntoView {
    let form = Form::<ConfirmLink>::new();
    form.on_done(|next| load_page(&next));
    let email = link.email;
    let (title, about, button) = match link.kind {
        LinkKind::Register => {
            ("Confirm your account", format!("An account with the address {email} is made."), "Make the account")
        }
        LinkKind::Verify => ("Confirm your address", format!("{email} is the address of your account."), "It is mine"),
        LinkKind::Email => {
            ("Confirm your new address", format!("Your account has the address {email} from then on."), "Change it")
        }
    };
    view! {
        <AuthFrame title about>
            <ActionForm action=form.action attr:class="flex flex-col gap-4">
                {form.refusal(&[])}
                <input type="hidden" name="token" value=token />
                <Button kind="submit" look=Look::Primary class="w-full" busy=form.pending>
                    {button}
                </Button>
            </ActionForm>
        </AuthFrame>
    }
}

//! Setting another password by a mailed link.

use super::{
    frame::AuthFrame,
    server::{ResetPassword, look_at_reset},
};
use crate::{
    components::{Button, EmptyState, Field, Glyph, Loading, Look},
    form::{Form, load_page},
};
use leptos::{either::Either, form::ActionForm, prelude::*};
use leptos_meta::{Meta, Title};
use leptos_router::{components::A, hooks::use_query_map};

/// The page.
#[component]
pub fn ResetPage() -> impl IntoView {
    #[cfg(feature = "ssr")]
    crate::context::keep_address_secret();
    let token = use_query_map().read_untracked().get("token").unwrap_or_default();
    let asked = token.clone();
    let answer = Resource::new_blocking(|| (), move |()| look_at_reset(asked.clone()));
    view! {
        <Title text="Set another password" />
        <Meta name="robots" content="noindex" />
        <Suspense fallback=Loading>
            {move || {
                let token = token.clone();
                Suspend::new(async move {
                    match answer.await {
                        Ok(()) => Either::Left(view! { <ResetForm token /> }),
                        Err(failure) => Either::Right(view! { <VoidLink message=failure.problem.detail /> }),
                    }
                })
            }}
        </Suspense>
    }
}

#[component]
fn ResetForm(token: String) -> impl IntoView {
    let form = Form::<ResetPassword>::new();
    form.on_done(|next| load_page(&next));
    view! {
        <AuthFrame title="Set another password" about="Everything that was signed in with the old one ends.">
            <ActionForm action=form.action attr:class="flex flex-col gap-4">
                {form.refusal(&["password"])}
                <input type="hidden" name="token" value=token />
                <Field
                    name="password"
                    label="New password"
                    kind="password"
                    autocomplete="new-password"
                    required=true
                    minlength=12
                    error=form.error("password")
                    hint="12 characters or more; a few words do well."
                />
                <Button kind="submit" look=Look::Primary class="w-full" busy=form.pending>
                    "Set the password"
                </Button>
            </ActionForm>
        </AuthFrame>
    }
}

/// What stands there for a link that is not good any more.
#[component]
pub(super) fn VoidLink(message: String) -> impl IntoView {
    view! {
        <div class="py-8 sm:py-16">
            <h1 class="sr-only">"This link does not work"</h1>
            <EmptyState glyph=Glyph::Key title="This link does not work" text=message>
                <A href="/forgot" attr:class="btn btn-plain">
                    "Forgot your password?"
                </A>
                <A href="/sign-in" attr:class="btn btn-primary">
                    "Sign in"
                </A>
            </EmptyState>
        </div>
    }
}

//! Signing in, the second step: a code.

use super::{
    frame::AuthFrame,
    passkey_button::PasskeyButton,
    server::{FinishSignIn, get_second_step},
    use_visitor,
};
use crate::{
    components::{Button, FailureView, Field, Loading, Look},
    form::{Form, load_page},
};
use leptos::{either::EitherOf3, form::ActionForm, prelude::*};
use leptos_meta::Title;
use leptos_router::components::{A, Redirect};

/// The page.
#[component]
pub fn SecondStepPage() -> impl IntoView {
    let step = Resource::new_blocking(|| (), |()| get_second_step());
    view! {
        <Title text="Your second factor" />
        <Suspense fallback=Loading>
            {move || Suspend::new(async move {
                match step.await {
                    Ok(true) => EitherOf3::A(view! { <CodeForm /> }),
                    Ok(false) => EitherOf3::B(view! { <Redirect path="/sign-in" /> }),
                    Err(failure) => EitherOf3::C(view! { <FailureView failure /> }),
                }
            })}
        </Suspense>
    }
}

#[component]
fn CodeForm() -> impl IntoView {
    let form = Form::<FinishSignIn>::new();
    form.on_done(|next| load_page(&next));
    let visitor = use_visitor();
    view! {
        <AuthFrame title="Your second factor" about="Your password is right. One step is left.">
            <ActionForm action=form.action attr:class="flex flex-col gap-4">
                {form.refusal(&["code"])}
                <Field
                    name="code"
                    label="Code"
                    autocomplete="one-time-code"
                    required=true
                    verbatim=true
                    error=form.error("code")
                    hint="The six digits that your app shows now, or one of your recovery codes."
                />
                <Button kind="submit" look=Look::Primary class="w-full" busy=form.pending>
                    "Sign in"
                </Button>
            </ActionForm>
            <Suspense>
                {move || Suspend::new(async move {
                    let passkeys = visitor.get().await.is_ok_and(|visitor| visitor.passkeys);
                    passkeys.then(|| view! { <PasskeyButton next="" /> })
                })}
            </Suspense>
        </AuthFrame>
        <p class="text-center text-sm text-muted">
            "Somebody else? " <A href="/sign-in" attr:class="link-accent">
                "Begin again"
            </A>
        </p>
    }
}

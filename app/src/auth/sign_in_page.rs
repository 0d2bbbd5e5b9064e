//! Signing in.

use super::{
    frame::{AuthFrame, EmailField},
    passkey_button::PasskeyButton,
    providers::Providers,
    server::SignIn,
    use_visitor,
};
use crate::{
    components::{Button, Field, Look},
    form::{Form, load_page},
};
use leptos::{form::ActionForm, prelude::*};
use leptos_meta::{Meta, Title};
use leptos_router::{
    components::{A, Redirect},
    hooks::use_query_map,
};
use model::views::SignupState;

/// The page.
#[component]
pub fn SignInPage() -> impl IntoView {
    let visitor = use_visitor();
    let form = Form::<SignIn>::new();
    form.on_done(|next| load_page(&next));
    let next = use_query_map().read_untracked().get("next").unwrap_or_default();
    let (with_passkey, with_provider) = (next.clone(), next.clone());
    view! {
        <Title text="Sign in" />
        <Meta name="description" content="Sign in to WebMeteor." />
        <AuthFrame title="Sign in" about="Welcome back.">
            <ActionForm action=form.action attr:class="flex flex-col gap-4">
                {form.refusal(&["email", "password"])}
                <input type="hidden" name="next" value=next />
                <EmailField form />
                <Field
                    name="password"
                    label="Password"
                    kind="password"
                    autocomplete="current-password"
                    required=true
                    error=form.error("password")
                />
                <Button kind="submit" look=Look::Primary class="w-full" busy=form.pending>
                    "Sign in"
                </Button>
            </ActionForm>
            <OtherWays next=with_passkey />
            <Providers next=with_provider />
        </AuthFrame>
        <p class="text-center text-sm text-muted">
            <A href="/forgot" attr:class="link-accent">
                "Forgot your password?"
            </A>
        </p>
        <Suspense>
            {move || Suspend::new(async move {
                let visitor = visitor.get().await.ok();
                let can_join = visitor.as_ref().is_some_and(|v| v.signup != SignupState::Closed);
                let is_in = visitor.is_some_and(|v| v.user.is_some());
                view! {
                    {is_in.then(|| view! { <Redirect path="/sites" /> })}
                    {can_join
                        .then(|| {
                            view! {
                                <p class="text-center text-sm text-muted">
                                    "No account yet? " <A href="/sign-up" attr:class="link-accent">
                                        "Create one"
                                    </A>
                                </p>
                            }
                        })}
                }
            })}
        </Suspense>
    }
}

/// What there is beside the password.
#[component]
fn OtherWays(next: String) -> impl IntoView {
    let visitor = use_visitor();
    view! {
        <Suspense>
            {move || {
                let next = next.clone();
                Suspend::new(async move {
                    let passkeys = visitor.get().await.is_ok_and(|visitor| visitor.passkeys);
                    passkeys.then(|| view! { <PasskeyButton next /> })
                })
            }}
        </Suspense>
    }
}

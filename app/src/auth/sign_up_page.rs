//! Making an account.

use super::{
    frame::{AuthFrame, EmailField},
    providers::Providers,
    server::SignUp,
    use_visitor,
};
use crate::{
    components::{Button, EmptyState, FailureView, Field, Glyph, Loading, Look},
    form::{Form, load_page},
};
use leptos::{either::EitherOf3, form::ActionForm, prelude::*};
use leptos_meta::{Meta, Title};
use leptos_router::components::{A, Redirect};
use model::views::SignupState;

/// The page.
#[component]
pub fn SignUpPage() -> impl IntoView {
    let visitor = use_visitor();
    view! {
        <Title text="Create an account" />
        <Meta name="description" content="Create a WebMeteor account: your sites, live on every push." />
        <Suspense fallback=Loading>
            {move || Suspend::new(async move {
                match visitor.get().await {
                    Err(failure) => EitherOf3::A(view! { <FailureView failure /> }),
                    Ok(visitor) if visitor.user.is_some() => EitherOf3::B(view! { <Redirect path="/sites" /> }),
                    Ok(visitor) => EitherOf3::C(view! { <SignUpForm signup=visitor.signup /> }),
                }
            })}
        </Suspense>
    }
}

#[component]
fn SignUpForm(signup: SignupState) -> impl IntoView {
    let form = Form::<SignUp>::new();
    form.on_done(|next| load_page(&next));
    if signup == SignupState::Closed {
        return view! {
            <div class="py-8 sm:py-16">
                <h1 class="sr-only">"Create an account"</h1>
                <EmptyState
                    glyph=Glyph::Key
                    title="By invitation only"
                    text="This installation is not open to everybody. Ask its operator for an account."
                >
                    <A href="/sign-in" attr:class="btn btn-primary">
                        "Sign in"
                    </A>
                </EmptyState>
            </div>
        }
        .into_any();
    }
    let first = signup == SignupState::NeedsSetupToken;
    let takes_token = first || signup == SignupState::OpenWithoutAdmin;
    let about = if first { "The first account runs this installation." } else { "Your sites, live on every push." };
    view! {
        <AuthFrame title="Create an account" about>
            <ActionForm action=form.action attr:class="flex flex-col gap-4">
                {form.refusal(&["name", "email", "password", "setup_token"])}
                {takes_token
                    .then(|| {
                        view! {
                            <Field
                                name="setup_token"
                                label=if first { "Set-up token" } else { "Set-up token, if you run this installation" }
                                required=first
                                verbatim=true
                                error=form.error("setup_token")
                                hint="Printed by WebMeteor when it starts without an administrator."
                            />
                        }
                    })}
                <Field
                    name="name"
                    label="Name"
                    autocomplete="name"
                    required=true
                    value=form.kept("name")
                    error=form.error("name")
                />
                <EmailField form />
                <Field
                    name="password"
                    label="Password"
                    kind="password"
                    autocomplete="new-password"
                    required=true
                    minlength=12
                    error=form.error("password")
                    hint="12 characters or more; a few words do well."
                />
                <Button kind="submit" look=Look::Primary class="w-full" busy=form.pending>
                    "Create account"
                </Button>
            </ActionForm>
            <Providers next="" />
        </AuthFrame>
        <p class="text-center text-sm text-muted">
            "Already have one? " <A href="/sign-in" attr:class="link-accent">
                "Sign in"
            </A>
        </p>
    }
    .into_any()
}

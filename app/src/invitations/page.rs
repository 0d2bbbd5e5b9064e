//! An invitation, for whoever has its link. Opening it changes nothing; a button accepts.

use super::server::{AcceptInvitation, Join, look_at_invitation};
use crate::{
    auth::{AuthFrame, SignOut, use_visitor},
    components::{Alert, Button, EmptyState, FailureView, Field, Glyph, Loading, Look, Tone},
    failure::Failure,
    form::{Form, load_page},
    format,
};
use leptos::{form::ActionForm, prelude::*};
use leptos_meta::{Meta, Title};
use leptos_router::{components::A, hooks::use_params_map};
use model::views::{InvitationLook, InvitationState, UserView};

/// The page.
#[component]
pub fn InvitationPage() -> impl IntoView {
    #[cfg(feature = "ssr")]
    crate::context::keep_address_secret();
    let params = use_params_map();
    let token = Memo::new(move |_| params.read().get("token").unwrap_or_default());
    let visitor = use_visitor();
    let forms = (Form::<AcceptInvitation>::new(), Form::<Join>::new());
    forms.0.on_done(|next| load_page(&next));
    forms.1.on_done(|next| load_page(&next));
    let answer = Resource::new_blocking(move || token.get(), look_at_invitation);
    view! {
        <Title text="Invitation" />
        <Meta name="robots" content="noindex" />
        <Suspense fallback=Loading>
            {move || Suspend::new(async move {
                let answers: Result<_, Failure> = async { Ok((answer.await?, visitor.get().await?.user)) }.await;
                match answers {
                    Ok((look, user)) => view! { <Invitation token=token.get_untracked() look user forms /> }.into_any(),
                    Err(failure) if failure.problem.status == 404 => {
                        view! {
                            <Over title="There is no such invitation" text="The link is incomplete, or its team is gone; ask for another one." />
                        }
                            .into_any()
                    }
                    Err(failure) => view! { <FailureView failure /> }.into_any(),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Over(title: &'static str, text: &'static str) -> impl IntoView {
    view! {
        <h1 class="sr-only">"Invitation"</h1>
        <div class="py-8 sm:py-16">
            <EmptyState glyph=Glyph::Key title text>
                <A href="/sites" attr:class="btn btn-primary">
                    "To your sites"
                </A>
            </EmptyState>
        </div>
    }
}

#[component]
fn Invitation(
    token: String,
    look: InvitationLook,
    user: Option<UserView>,
    forms: (Form<AcceptInvitation>, Form<Join>),
) -> impl IntoView {
    let (title, text) = match look.state {
        InvitationState::Open => return view! { <Open token look user forms /> }.into_any(),
        InvitationState::Accepted => {
            ("This invitation was accepted", "It is good once. Sign in with the account that accepted it.")
        }
        InvitationState::Expired => ("This invitation's time is over", "Ask for it to be sent again."),
        InvitationState::Withdrawn => ("This invitation was withdrawn", "Ask for another one."),
    };
    view! { <Over title text /> }.into_any()
}

#[component]
fn Open(
    token: String,
    look: InvitationLook,
    user: Option<UserView>,
    forms: (Form<AcceptInvitation>, Form<Join>),
) -> impl IntoView {
    let who = look.invited_by.clone().unwrap_or_else(|| "Somebody".to_owned());
    let about = match (&look.team, look.role) {
        (Some(team), Some(role)) => {
            format!("{who} invites you into the team “{team}”, as {}.", role.label().to_lowercase())
        }
        _ => format!("{who} invites you to WebMeteor."),
    };
    let until = format!("For {}, until {}.", look.email, format::date(look.expires_at));
    let (accept, join) = forms;
    let content = match user {
        Some(user) if user.email == look.email => view! { <Accept token form=accept /> }.into_any(),
        Some(user) => view! { <Other user email=look.email /> }.into_any(),
        None => {
            let sign_in = format!("/sign-in?next=/invitations/{token}");
            view! {
                <A href=sign_in attr:class="btn btn-primary w-full">
                    "Sign in to accept"
                </A>
                {if look.may_join {
                    view! { <New token email=look.email form=join /> }.into_any()
                } else {
                    view! {
                        <p class="break-words text-center text-sm text-muted">
                            {format!("To make an account, open the link that was mailed to {}.", look.email)}
                        </p>
                    }
                        .into_any()
                }}
            }
            .into_any()
        }
    };
    view! {
        <AuthFrame title="Invitation" about>
            <div class="flex flex-col gap-4">
                <p class="break-words text-center text-sm text-muted">{until}</p>
                {content}
            </div>
        </AuthFrame>
    }
}

#[component]
fn Accept(token: String, form: Form<AcceptInvitation>) -> impl IntoView {
    view! {
        <ActionForm action=form.action attr:class="flex flex-col gap-4">
            {form.refusal(&[])}
            <input type="hidden" name="token" value=token />
            <Button kind="submit" look=Look::Primary class="w-full" busy=form.pending>
                "Accept"
            </Button>
        </ActionForm>
    }
}

#[component]
fn Other(user: UserView, email: String) -> impl IntoView {
    let form = Form::<SignOut>::new();
    form.on_done(|next| load_page(&next));
    view! {
        <Alert tone=Tone::Warning>
            {format!("You are signed in as {}. Sign out, then open the link again to accept as {email}.", user.email)}
        </Alert>
        <ActionForm action=form.action>
            <Button kind="submit" class="w-full" icon=Glyph::SignOut busy=form.pending>
                "Sign out"
            </Button>
        </ActionForm>
    }
}

#[component]
fn New(token: String, email: String, form: Form<Join>) -> impl IntoView {
    view! {
        <p class="text-center text-sm text-muted">"or make an account for it"</p>
        <ActionForm action=form.action attr:class="flex flex-col gap-4">
            {form.refusal(&["name", "password"])}
            <input type="hidden" name="token" value=token />
            <input type="hidden" autocomplete="username" value=email />
            <Field
                name="name"
                label="Name"
                autocomplete="name"
                required=true
                value=form.kept("name")
                error=form.error("name")
            />
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
            <Button kind="submit" class="w-full" busy=form.pending>
                "Create account and accept"
            </Button>
        </ActionForm>
    }
}

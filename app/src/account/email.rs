//! The address of the account: whether it is proved, and changing it.

use super::server::{ChangeEmail, SendVerification};
use crate::{
    auth::LOGGED,
    components::{Alert, Button, Field, Panel, Tone, use_toasts},
    form::Form,
};
use leptos::{form::ActionForm, prelude::*};
use leptos_router::hooks::use_query_map;
use model::views::UserView;

/// Where mail is sent.
const MAILED: &str =
    "A mail is on its way to the new address. Your address is changed once the link in it is confirmed.";

/// The panel.
#[component]
pub fn EmailPanel(
    /// Whose.
    user: UserView,
    /// Mail reaches people.
    sends_mail: bool,
) -> impl IntoView {
    let form = Form::<ChangeEmail>::new();
    let toasts = use_toasts();
    let sent = RwSignal::new(use_query_map().read_untracked().get("mailed").as_deref() == Some("email"));
    let node = NodeRef::<leptos::html::Form>::new();
    form.on_done(move |()| {
        if let Some(form) = node.get_untracked() {
            form.reset();
        }
        sent.set(true);
        toasts.say("Your request is taken.");
    });
    view! {
        <Panel title="E-mail">
            <div class="flex flex-col gap-5">
                {(!user.email_verified).then(|| view! { <Unverified email=user.email.clone() sends_mail /> })}
                {move || {
                    sent.get()
                        .then(|| {
                            view! {
                                <Alert tone=Tone::Success>
                                    {if sends_mail { MAILED } else { LOGGED }}
                                </Alert>
                            }
                        })
                }}
                <ActionForm action=form.action node_ref=node attr:class="flex flex-col gap-4">
                    {form.refusal(&["email", "password"])}
                    <Field
                        name="new_email"
                        label="New address"
                        kind="email"
                        autocomplete="email"
                        required=true
                        value=form.kept("new_email")
                        error=form.error("email")
                        hint=format!("Now it is {}. The new one is confirmed by a link that is sent there.", user.email)
                    />
                    <Field
                        name="email_password"
                        label="Your password"
                        kind="password"
                        autocomplete="current-password"
                        required=true
                        error=form.error("password")
                    />
                    <div>
                        <Button kind="submit" busy=form.pending>
                            "Change address"
                        </Button>
                    </div>
                </ActionForm>
            </div>
        </Panel>
    }
}

#[component]
fn Unverified(email: String, sends_mail: bool) -> impl IntoView {
    let form = Form::<SendVerification>::new();
    let toasts = use_toasts();
    form.on_done(move |()| toasts.say(if sends_mail { "The link is on its way." } else { LOGGED }));
    view! {
        <div class="flex flex-col gap-3">
            <Alert tone=Tone::Warning>
                {format!("{email} is not confirmed yet: nobody who reads mail there has said that it is theirs.")}
            </Alert>
            {form.refusal(&[])}
            <ActionForm action=form.action>
                <Button kind="submit" busy=form.pending>
                    "Send the link again"
                </Button>
            </ActionForm>
        </div>
    }
}

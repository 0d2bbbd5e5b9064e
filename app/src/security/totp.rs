//! The second factor: beginning, confirming, turning off.

use super::server::{AbandonTotp, BeginTotp, ConfirmTotp, TurnOffTotp};
use crate::{
    components::{Button, CopyField, Dialog, DialogButton, Field, Look},
    form::Form,
};
use leptos::{form::ActionForm, prelude::*};
use model::views::TotpSetupView;

/// There is none: what it is good for, and the password.
#[component]
pub fn Begin(
    /// Begins.
    form: Form<BeginTotp>,
    /// There is a password that it could stand beside.
    possible: bool,
) -> impl IntoView {
    if !possible {
        return view! {
            <p class="text-sm text-muted">
                "Your account has no password that a code could stand beside: you sign in another way."
            </p>
        }
        .into_any();
    }
    view! {
        <ActionForm action=form.action attr:class="flex flex-col gap-4">
            {form.refusal(&["password"])}
            <p class="text-sm text-muted">
                "With a code from an app on your phone, whoever learns your password still does not get in. Git then takes API tokens instead of your password."
            </p>
            <Field
                name="password"
                label="Your password"
                kind="password"
                autocomplete="current-password"
                required=true
                error=form.error("password")
            />
            <div>
                <Button kind="submit" busy=form.pending>
                    "Set up"
                </Button>
            </div>
        </ActionForm>
    }
    .into_any()
}

/// It is being set up: the picture, the text, and the first code.
#[component]
pub fn Confirm(
    /// What the app has to know.
    setup: TotpSetupView,
    /// Turns it on.
    form: Form<ConfirmTotp>,
    /// Gives it up.
    abandon: Form<AbandonTotp>,
) -> impl IntoView {
    let size = setup.qr.size;
    view! {
        <div class="flex flex-col gap-5">
            <p class="text-sm">
                "Scan this with an app for one-time codes, such as the one that comes with your phone or your password manager."
            </p>
            <svg
                class="size-52 rounded-md bg-white text-black"
                viewBox=format!("0 0 {size} {size}")
                shape-rendering="crispEdges"
                role="img"
                aria-label="QR code for your app"
            >
                <path fill="currentColor" d=setup.qr.path />
            </svg>
            <CopyField label="Or type this key" value=Signal::stored(setup.secret) />
            <p class="text-sm">
                <a href=setup.url rel="external" class="link-accent">
                    "Open it in an app on this device"
                </a>
            </p>
            <ActionForm action=form.action attr:class="flex flex-col gap-4">
                {form.refusal(&["code"])}
                <Field
                    name="code"
                    label="Code"
                    autocomplete="one-time-code"
                    required=true
                    verbatim=true
                    error=form.error("code")
                    hint="The six digits that the app shows now."
                />
                <div>
                    <Button kind="submit" look=Look::Primary busy=form.pending>
                        "Turn on"
                    </Button>
                </div>
            </ActionForm>
            <ActionForm action=abandon.action>
                <Button kind="submit" look=Look::Quiet busy=abandon.pending>
                    "Not now"
                </Button>
            </ActionForm>
        </div>
    }
}

/// It is on: turning it off.
#[component]
pub fn TurnOff(
    /// Turns it off.
    form: Form<TurnOffTotp>,
) -> impl IntoView {
    view! {
        <DialogButton target="turn-off-totp">"Turn off"</DialogButton>
        <Dialog id="turn-off-totp" title="Turn the second factor off" open=form.was_refused()>
            <ActionForm action=form.action attr:class="flex flex-col gap-4">
                {form.refusal(&["password", "code"])}
                <p class="text-sm">
                    "From then on your password alone opens your account. Your recovery codes are void."
                </p>
                <Field
                    name="password"
                    label="Your password"
                    kind="password"
                    autocomplete="current-password"
                    required=true
                    error=form.error("password")
                />
                <Field
                    name="code"
                    label="Code"
                    autocomplete="one-time-code"
                    required=true
                    verbatim=true
                    error=form.error("code")
                    hint="The six digits that your app shows now, or a recovery code."
                />
                <Button kind="submit" look=Look::Danger class="w-full" busy=form.pending>
                    "Turn it off"
                </Button>
            </ActionForm>
        </Dialog>
    }
}

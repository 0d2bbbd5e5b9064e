//! Recovery codes: how many are left, making new ones, and showing them once.

use super::server::RenewRecoveryCodes;
use crate::{
    components::{Alert, Button, CopyButton, Dialog, DialogButton, Field, Look, Panel, Tone},
    form::Form,
};
use leptos::{form::ActionForm, prelude::*};

/// With fewer than so many left it is time for new ones.
const FEW: i64 = 3;

/// Codes that were just made.
#[component]
pub fn FreshCodes(
    /// The codes.
    codes: Vec<String>,
) -> impl IntoView {
    let all = codes.join("\n");
    view! {
        <Alert tone=Tone::Success>
            <div class="flex flex-col gap-3">
                <p>
                    "These are your recovery codes. Keep them where you find them without your phone: they are not shown again, and each is good once."
                </p>
                <ul class="grid grid-cols-1 gap-x-6 gap-y-1 font-mono text-sm sm:grid-cols-2" aria-label="Recovery codes">
                    {codes.into_iter().map(|code| view! { <li>{code}</li> }).collect_view()}
                </ul>
                <div>
                    <CopyButton text=Signal::stored(all) of="recovery codes" />
                </div>
            </div>
        </Alert>
    }
}

/// How many are left, and making new ones.
#[component]
pub fn RecoveryCodes(
    /// So many are left.
    left: i64,
    /// Makes new ones.
    form: Form<RenewRecoveryCodes>,
) -> impl IntoView {
    let words = match left {
        0 => "None is left.".to_owned(),
        1 => "One is left.".to_owned(),
        left => format!("{left} are left."),
    };
    view! {
        <Panel title="Recovery codes">
            <div class="flex flex-wrap items-center justify-between gap-4">
                <p class="max-w-sm text-sm text-muted">
                    <span class=if left < FEW { "font-medium text-error" } else { "text-base-content" }>{words}</span>
                    " With one of them you sign in when your phone is lost."
                </p>
                <DialogButton target="renew-recovery-codes">"Make new ones"</DialogButton>
            </div>
            <Dialog id="renew-recovery-codes" title="New recovery codes" open=form.was_refused()>
                <ActionForm action=form.action attr:class="flex flex-col gap-4">
                    {form.refusal(&["code"])}
                    <p class="text-sm">"You are given ten new ones; those that you have are void from then on."</p>
                    <Field
                        name="renewal_code"
                        label="Code"
                        autocomplete="one-time-code"
                        required=true
                        verbatim=true
                        error=form.error("code")
                        hint="The six digits that your app shows now, or a recovery code."
                    />
                    <Button kind="submit" look=Look::Primary class="w-full" busy=form.pending>
                        "Make new ones"
                    </Button>
                </ActionForm>
            </Dialog>
        </Panel>
    }
}

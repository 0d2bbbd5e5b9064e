//! Applying a release again: going back to it, with the variables of then or of today, and promoting it.

use super::server::{Promote, Rollback};
use crate::{
    components::{Alert, Button, Dialog, DialogButton, Glyph, Look, Tone},
    form::Form,
};
use leptos::{form::ActionForm, prelude::*};
use model::{DeploymentId, views::KeptRelease};

/// The button that goes back to a release, and its dialog.
#[component]
pub fn RollBackDialog(
    /// The deployment that left the release.
    id: DeploymentId,
    /// The release.
    release: KeptRelease,
    /// Where it goes.
    environment: String,
) -> impl IntoView {
    let form = Form::<Rollback>::new();
    let (then, now) = (release.variables_version, release.saved_variables_version);
    view! {
        <DialogButton target="roll-back" icon=Glyph::Undo>
            "Roll back to this"
        </DialogButton>
        <Dialog id="roll-back" title="Roll back to this release" open=form.was_refused()>
            <ActionForm action=form.action attr:class="flex flex-col gap-4">
                {move || {
                    form.failure.get().map(|it| view! { <Alert tone=Tone::Danger>{it.problem.detail}</Alert> })
                }}
                <p class="text-sm">
                    "Its images are started again in " <strong class="font-semibold">{environment}</strong>
                    "; nothing is built. What serves now goes on until it is well. The database stays as it is."
                </p>
                <input type="hidden" name="id" value=id.to_string() />
                {(then != now)
                    .then(|| {
                        view! {
                            <fieldset class="flex flex-col gap-2">
                                <legend class="mb-2 text-sm font-medium">"With which variables?"</legend>
                                <Which
                                    value="then"
                                    checked=true
                                    title=format!("Those it ran with (version {then})")
                                    text="It comes back exactly as it was."
                                />
                                <Which
                                    value="now"
                                    checked=false
                                    title=format!("Today's (version {now})")
                                    text="For example where a secret was changed since."
                                />
                            </fieldset>
                        }
                    })}
                <Button kind="submit" look=Look::Primary class="w-full" busy=form.pending>
                    "Roll back"
                </Button>
            </ActionForm>
        </Dialog>
    }
}

#[component]
fn Which(value: &'static str, checked: bool, title: String, text: &'static str) -> impl IntoView {
    view! {
        <label class="flex items-start gap-3 text-sm">
            <input type="radio" name="variables" value=value checked=checked class="radio-input mt-0.5" />
            <span>{title} <span class="block text-muted">{text}</span></span>
        </label>
    }
}

/// The button that brings a release to another environment, and its dialog.
#[component]
pub fn PromoteDialog(
    /// The deployment that left the release.
    id: DeploymentId,
    /// The release.
    release: KeptRelease,
) -> impl IntoView {
    let form = Form::<Promote>::new();
    view! {
        <DialogButton target="promote" icon=Glyph::Rocket>
            "Promote"
        </DialogButton>
        <Dialog id="promote" title="Promote this release" open=form.was_refused()>
            <ActionForm action=form.action attr:class="flex flex-col gap-4">
                {move || {
                    form.failure.get().map(|it| view! { <Alert tone=Tone::Danger>{it.problem.detail}</Alert> })
                }}
                <p class="text-sm">
                    "The same images are started in another environment, without a build, with that environment's own \
                    variables, secrets and database."
                </p>
                <input type="hidden" name="id" value=id.to_string() />
                <label class="flex flex-col gap-1.5 text-sm font-medium">
                    "Environment" <select name="environment" class="field select-field" required=true>
                        {release
                            .promotable_to
                            .into_iter()
                            .map(|name| view! { <option value=name.clone()>{name.clone()}</option> })
                            .collect_view()}
                    </select>
                </label>
                <Button kind="submit" look=Look::Primary class="w-full" busy=form.pending>
                    "Promote"
                </Button>
            </ActionForm>
        </Dialog>
    }
}

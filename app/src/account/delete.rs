//! Deleting the account: what stands in the way, what goes with it, and asking for its address and password.

use super::server::{DeleteAccount, get_deletion};
use crate::{
    components::{Alert, Button, Dialog, DialogButton, FailureView, Field, Glyph, Icon, Loading, Look, Panel, Tone},
    form::{Form, load_page},
};
use leptos::{either::EitherOf3, form::ActionForm, prelude::*};
use model::views::DeletionView;

/// The panel.
#[component]
pub fn DeletePanel(
    /// The account's address.
    email: String,
) -> impl IntoView {
    let found = Resource::new_blocking(|| (), |()| get_deletion());
    view! {
        <Panel title="Delete account">
            <Suspense fallback=Loading>
                {move || {
                    let email = email.clone();
                    Suspend::new(async move {
                        match found.await {
                            Err(failure) => EitherOf3::A(view! { <FailureView failure /> }),
                            Ok(found) if found.last_admin || !found.hand_over.is_empty() => {
                                EitherOf3::B(view! { <InTheWay found /> })
                            }
                            Ok(found) => EitherOf3::C(view! { <Deletion found email /> }),
                        }
                    })
                }}
            </Suspense>
        </Panel>
    }
}

#[component]
fn InTheWay(found: DeletionView) -> impl IntoView {
    view! {
        <div class="flex flex-col gap-3 text-sm">
            <p>"Your account cannot be deleted yet:"</p>
            <ul class="flex list-disc flex-col gap-1 pl-5">
                {found
                    .last_admin
                    .then(|| {
                        view! {
                            <li>
                                "You are the only administrator here. Make another account one first: "
                                <code class="font-mono text-xs">"webmeteor user promote"</code> " on the machine."
                            </li>
                        }
                    })}
                {found
                    .hand_over
                    .into_iter()
                    .map(|team| {
                        view! {
                            <li>
                                {format!("You are the only owner of {}. Make another member an owner first.", team.name)}
                            </li>
                        }
                    })
                    .collect_view()}
            </ul>
        </div>
    }
}

#[component]
fn Deletion(found: DeletionView, email: String) -> impl IntoView {
    let form = Form::<DeleteAccount>::new();
    form.on_done(|next| load_page(&next));
    let mut lost = vec!["Your name, address, password, API tokens and everything that is signed in.".to_owned()];
    lost.extend(found.teams.iter().map(|team| format!("The team {}, which nobody else is in.", team.name)));
    let sites = found.sites;
    let has_sites = !sites.is_empty();
    view! {
        <div class="flex flex-wrap items-center justify-between gap-4">
            <p class="max-w-sm text-sm text-muted">
                "Your account, and what nobody else could look after. Teams with other members stay."
            </p>
            <DialogButton target="delete-account" look=Look::Danger icon=Glyph::Trash>
                "Delete account"
            </DialogButton>
        </div>
        <Dialog id="delete-account" title="Delete your account" open=form.was_refused()>
            <ActionForm action=form.action attr:class="flex flex-col gap-4">
                {form.refusal(&["email", "password"])}
                <p class="text-sm">"This is lost for good:"</p>
                <ul class="flex flex-col gap-2 text-sm">
                    {lost
                        .into_iter()
                        .map(|line| {
                            view! {
                                <li class="flex gap-2">
                                    <Icon glyph=Glyph::Close class="mt-0.5 size-4 text-error" />
                                    {line}
                                </li>
                            }
                        })
                        .collect_view()}
                </ul>
                {has_sites
                    .then(|| {
                        view! {
                            <Alert tone=Tone::Warning>
                                <p>"Nobody else could look after these sites. Delete them first, or with the account:"</p>
                                <ul class="mt-1 list-disc pl-5">
                                    {sites
                                        .into_iter()
                                        .map(|site| view! { <li>{site.name} " (" {site.team} ")"</li> })
                                        .collect_view()}
                                </ul>
                            </Alert>
                            <label class="flex items-start gap-3 text-sm">
                                <input
                                    type="checkbox"
                                    name="delete_sites"
                                    value="true"
                                    class="checkbox checkbox-sm mt-0.5"
                                />
                                <span>
                                    "Delete these sites too" <span class="block text-muted">
                                        "They stop answering at once; their databases and volumes are deleted."
                                    </span>
                                </span>
                            </label>
                        }
                    })}
                <Field
                    name="confirm_email"
                    label=format!("Type {email} to confirm")
                    required=true
                    verbatim=true
                    error=form.error("email")
                />
                <Field
                    name="delete_password"
                    label="Your password"
                    kind="password"
                    autocomplete="current-password"
                    required=true
                    error=form.error("password")
                />
                <Button kind="submit" look=Look::Danger class="w-full" busy=form.pending>
                    "Delete this account"
                </Button>
            </ActionForm>
        </Dialog>
    }
}

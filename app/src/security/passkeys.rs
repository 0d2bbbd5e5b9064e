//! Passkeys: which there are, adding one, removing one.

use super::server::{BeginPasskey, RemovePasskey, add_passkey};
use crate::{
    components::{Alert, Button, Dialog, DialogButton, EmptyState, Field, Glyph, Icon, Look, Panel, TimeAgo, Tone},
    form::Form,
    passkey::{self, Wish},
};
use leptos::{either::Either, form::ActionForm, prelude::*, task::spawn_local};
use model::views::PasskeyView;

/// Those that there are, and adding one.
#[component]
pub fn Passkeys(
    /// The visitor's.
    passkeys: Vec<PasskeyView>,
    /// The platform is reached by a name.
    possible: bool,
    /// Begins to add one.
    begin: Form<BeginPasskey>,
    /// Removes one.
    remove: Form<RemovePasskey>,
    /// The password is asked for: the account has one.
    asks: bool,
    /// What the browser said to adding one.
    refusal: RwSignal<Option<String>>,
) -> impl IntoView {
    view! {
        <Panel title="Passkeys" flush=true>
            {move || remove.failure.get().map(|it| view! { <p class="field-error p-4">{it.problem.detail}</p> })}
            {if passkeys.is_empty() {
                Either::Left(
                    view! {
                        <EmptyState
                            glyph=Glyph::Key
                            title="No passkeys yet"
                            text="With a passkey you sign in by your fingerprint, your face or your device's PIN; no password, no code."
                        />
                    },
                )
            } else {
                Either::Right(
                    view! {
                        <ul class="divide-y divide-base-300">
                            {passkeys.into_iter().map(|passkey| view! { <Line passkey remove /> }).collect_view()}
                        </ul>
                    },
                )
            }}
            <div class="border-t border-base-300 p-4 sm:p-5">
                {if possible {
                    Either::Left(view! { <Add begin asks refusal /> })
                } else {
                    Either::Right(
                        view! {
                            <p class="text-sm text-muted">
                                "Passkeys need a host name; this platform is reached by an IP address."
                            </p>
                        },
                    )
                }}
            </div>
        </Panel>
    }
}

#[component]
fn Line(passkey: PasskeyView, remove: Form<RemovePasskey>) -> impl IntoView {
    let label = format!("Remove {}", passkey.name);
    view! {
        <li class="flex items-center gap-4 px-4 py-3 sm:px-5">
            <div class="min-w-0 flex-1">
                <p class="break-words text-sm font-medium">{passkey.name}</p>
                <p class="flex flex-wrap gap-x-3 text-xs text-muted">
                    <span>"Added " <TimeAgo at=passkey.created_at /></span>
                    <span>
                        {match passkey.last_used_at {
                            Some(at) => Either::Left(view! { "Used " <TimeAgo at /> }),
                            None => Either::Right("Never used"),
                        }}
                    </span>
                </p>
            </div>
            <ActionForm action=remove.action>
                <input type="hidden" name="id" value=passkey.id.to_string() />
                <button type="submit" class="btn btn-ghost btn-square" aria-label=label.clone() title=label>
                    <Icon glyph=Glyph::Trash />
                </button>
            </ActionForm>
        </li>
    }
}

#[component]
fn Add(begin: Form<BeginPasskey>, asks: bool, refusal: RwSignal<Option<String>>) -> impl IntoView {
    view! {
        <div class="needs-js">
            <DialogButton target="add-passkey">"Add a passkey"</DialogButton>
            <Dialog id="add-passkey" title="Add a passkey">
                <ActionForm action=begin.action attr:class="flex flex-col gap-4">
                    {begin.refusal(&["name", "password"])}
                    {move || refusal.get().map(|told| view! { <Alert tone=Tone::Danger>{told}</Alert> })}
                    <Field
                        name="name"
                        label="Name"
                        required=true
                        placeholder="My phone"
                        error=begin.error("name")
                        hint="To know it by, should you lose the device."
                    />
                    {asks
                        .then(|| {
                            view! {
                                <Field
                                    name="passkey_password"
                                    label="Your password"
                                    kind="password"
                                    autocomplete="current-password"
                                    required=true
                                    error=begin.error("password")
                                />
                            }
                        })}
                    <Button kind="submit" look=Look::Primary class="w-full" busy=begin.pending>
                        "Go on"
                    </Button>
                </ActionForm>
            </Dialog>
        </div>
        <p class="js-hidden text-sm text-muted">
            "Browsers show passkeys to pages with JavaScript alone; turn it on to add one."
        </p>
    }
}

/// Has the browser make the passkey that was begun, and adds it; `done` runs once it is there.
pub fn make(options: String, refusal: RwSignal<Option<String>>, done: impl Fn() + 'static) {
    refusal.set(None);
    spawn_local(async move {
        let made = async {
            let credential = passkey::ask(Wish::Create, &options).await?;
            add_passkey(credential).await.map_err(|failure| failure.problem.detail)
        };
        match made.await {
            Ok(_) => done(),
            Err(told) => {
                refusal.try_set(Some(told));
            }
        }
    });
}

//! The key that opens a repository over SSH: its public half to take away, and the server's key to compare.

use crate::components::{Alert, CopyField, Tone};
use leptos::prelude::*;
use model::views::DeployKeyView;

/// Where forges take deploy keys, in the words of their menus.
const PLACES: &str = "On GitHub, Gitea and Forgejo: the repository's Settings → Deploy keys. On GitLab: Settings → \
     Repository → Deploy keys. On Bitbucket: Repository settings → Access keys. Reading is enough.";

/// A key to be added at the forge before the form is sent again.
#[component]
pub fn KeyToAdd(
    /// The key; nothing is shown without one.
    #[prop(into)]
    key: Signal<Option<DeployKeyView>>,
) -> impl IntoView {
    move || {
        key.get().map(|key| {
            let DeployKeyView { public_key, fingerprint, host_key, offered_host_key, .. } = key;
            view! {
                <div class="flex min-w-0 flex-col gap-3">
                    <CopyField label="Deploy key to add" value=Signal::stored(public_key) />
                    <p class="text-sm text-muted">
                        "Add this public key to the repository, then send the form again. " {PLACES}
                    </p>
                    <Fingerprints fingerprint host_key=host_key.clone() />
                    {offered_host_key.map(|offered| view! { <AcceptHostKey known=host_key offered /> })}
                </div>
            }
        })
    }
}

/// The key that a site uses.
#[component]
pub fn OwnKey(
    /// The key; nothing is shown without one.
    #[prop(into)]
    key: Signal<Option<DeployKeyView>>,
) -> impl IntoView {
    move || {
        key.get().map(|key| {
            view! {
                <div class="flex min-w-0 flex-col gap-3">
                    <CopyField label="Deploy key" value=Signal::stored(key.public_key) />
                    <Fingerprints fingerprint=key.fingerprint host_key=key.host_key />
                </div>
            }
        })
    }
}

#[component]
fn Fingerprints(fingerprint: String, host_key: String) -> impl IntoView {
    view! {
        <dl class="flex flex-col gap-2 text-sm">
            <div>
                <dt class="text-muted">"The deploy key's fingerprint"</dt>
                <dd class="font-mono text-xs break-all">{fingerprint}</dd>
            </div>
            <div>
                <dt class="text-muted">"The server is known by the key"</dt>
                <dd class="font-mono text-xs break-all">{host_key}</dd>
            </div>
        </dl>
    }
}

/// The server shows another key than before; nothing goes on until a person says that it is right.
#[component]
fn AcceptHostKey(known: String, offered: String) -> impl IntoView {
    view! {
        <Alert tone=Tone::Warning>
            <p>
                "The server was known by " <span class="font-mono text-xs break-all">{known}</span> " and shows "
                <span class="font-mono text-xs break-all">{offered.clone()}</span> " now."
            </p>
            <label class="mt-3 flex items-start gap-3 text-sm">
                <input type="checkbox" name="accept_host_key" value=offered class="checkbox checkbox-sm mt-0.5" />
                <span>"I asked whoever runs the server: the new key is right"</span>
            </label>
        </Alert>
    }
}

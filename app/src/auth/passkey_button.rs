//! Signing in with a passkey, as the only step or as the second one.

use super::server::{ask_for_passkey, sign_in_with_passkey};
use crate::{
    components::{Alert, Button, Glyph, Tone},
    failure::Failure,
    form::load_page,
    passkey::{self, Wish},
};
use leptos::{prelude::*, task::spawn_local};

/// The button. Without JavaScript there is none: browsers show passkeys to scripts alone.
#[component]
pub fn PasskeyButton(
    /// Where to go afterwards.
    #[prop(into)]
    next: String,
) -> impl IntoView {
    let busy = RwSignal::new(false);
    let refusal = RwSignal::new(None::<String>);
    let press = move |_| {
        let next = next.clone();
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        refusal.set(None);
        spawn_local(async move {
            match sign_in(next).await {
                Ok(next) => load_page(&next),
                Err(told) => {
                    busy.try_set(false);
                    refusal.try_set(Some(told));
                }
            }
        });
    };
    view! {
        <div class="needs-js mt-4 flex flex-col gap-4">
            <p class="divider my-0 text-xs text-muted">"or"</p>
            {move || refusal.get().map(|told| view! { <Alert tone=Tone::Danger>{told}</Alert> })}
            <Button icon=Glyph::Key class="w-full" busy=busy on:click=press>
                "Use a passkey"
            </Button>
        </div>
    }
}

async fn sign_in(next: String) -> Result<String, String> {
    let told = |failure: Failure| failure.problem.detail;
    let options = ask_for_passkey().await.map_err(told)?;
    let credential = passkey::ask(Wish::Get, &options).await?;
    sign_in_with_passkey(credential, Some(next)).await.map_err(told)
}

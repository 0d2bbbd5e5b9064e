//! Copying to the clipboard, with a word that it happened.

use super::{
    icon::{Glyph, Icon},
    toast::use_toasts,
};
use leptos::prelude::*;

/// Copies text; `false` where the browser does not let us (pages that are neither HTTPS nor localhost).
#[cfg(feature = "hydrate")]
pub async fn copy(text: String) -> bool {
    let navigator = window().navigator();
    let has_clipboard = js_sys::Reflect::get(&navigator, &"clipboard".into()).is_ok_and(|it| it.is_object());
    has_clipboard && wasm_bindgen_futures::JsFuture::from(navigator.clipboard().write_text(&text)).await.is_ok()
}

/// A button that copies. Only shown with JavaScript.
#[component]
pub fn CopyButton(
    /// What is copied.
    #[prop(into)]
    text: Signal<String>,
    /// What it is called: `Copy {of}`.
    of: &'static str,
) -> impl IntoView {
    let copied = RwSignal::new(false);
    let toasts = use_toasts();
    let press = move |_| {
        #[cfg(feature = "hydrate")]
        leptos::task::spawn_local(async move {
            if copy(text.get_untracked()).await {
                copied.try_set(true);
                set_timeout(
                    move || {
                        copied.try_set(false);
                    },
                    std::time::Duration::from_secs(2),
                );
            } else {
                toasts.warn("This browser does not let pages copy here. Select the text and copy it.");
            }
        });
        #[cfg(not(feature = "hydrate"))]
        let _ = (text, toasts);
    };
    view! {
        <button type="button" class="btn btn-ghost btn-square needs-js" title=format!("Copy {of}") on:click=press>
            {move || {
                if copied.get() {
                    view! { <Icon glyph=Glyph::Check class="size-4 text-success" /> }
                } else {
                    view! { <Icon glyph=Glyph::Copy /> }
                }
            }}
            <span class="sr-only" aria-live="polite">
                {move || if copied.get() { "Copied".to_owned() } else { format!("Copy {of}") }}
            </span>
        </button>
    }
}

/// A value to take away: shown whole, selected by one click, copied by a button.
#[component]
pub fn CopyField(
    /// What it is called.
    label: &'static str,
    /// What it is.
    #[prop(into)]
    value: Signal<String>,
) -> impl IntoView {
    let id = format!("copy-{}", label.to_lowercase().replace(' ', "-"));
    view! {
        <div class="flex flex-col gap-1.5">
            <span id=id.clone() class="text-sm font-medium">{label}</span>
            <div class="field">
                <code class="field-value" tabindex="0" aria-labelledby=id>{move || value.get()}</code>
                <CopyButton text=value of=label />
            </div>
        </div>
    }
}

//! Short messages that come and go in a corner.

use super::{
    alert::Tone,
    icon::{Glyph, Icon},
};
use leptos::prelude::*;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Toast {
    id: u64,
    tone: Tone,
    title: String,
    body: String,
}

/// The messages on show.
#[derive(Debug, Clone, Copy)]
pub struct Messages {
    list: RwSignal<Vec<Toast>>,
    next: StoredValue<u64>,
}

/// The page's messages.
pub fn use_toasts() -> Messages {
    use_context().unwrap_or_else(Messages::new)
}

impl Messages {
    /// None yet; provide it in the root component.
    pub fn new() -> Self {
        Self { list: RwSignal::new(Vec::new()), next: StoredValue::new(0) }
    }
    /// Something worked.
    pub fn say(self, title: impl Into<String>) {
        self.show(Tone::Success, title.into(), String::new());
    }
    /// Something to look out for.
    pub fn warn(self, title: impl Into<String>) {
        self.show(Tone::Warning, title.into(), String::new());
    }
    /// Shows a message for a while.
    pub fn show(self, tone: Tone, title: String, body: String) {
        let id = self
            .next
            .try_update_value(|next| {
                *next += 1;
                *next
            })
            .unwrap_or_default();
        self.list.update(|list| list.push(Toast { id, tone, title, body }));
        set_timeout(move || self.dismiss(id), std::time::Duration::from_secs(8));
    }
    fn dismiss(self, id: u64) {
        self.list.try_update(|list| list.retain(|toast| toast.id != id));
    }
}

impl Default for Messages {
    fn default() -> Self {
        Self::new()
    }
}

/// Where the messages appear.
#[component]
pub fn Toasts() -> impl IntoView {
    let messages = use_toasts();
    view! {
        <div class="toasts" role="status" aria-live="polite">
            <For each=move || messages.list.get() key=|toast| toast.id let:toast>
                <div class=format!("toast-card {}", toast.tone.class())>
                    <Icon
                        glyph=if matches!(toast.tone, Tone::Success) { Glyph::Check } else { Glyph::Alert }
                        class="mt-0.5 size-4 tone-icon"
                    />
                    <div class="min-w-0 flex-1">
                        <p class="text-sm font-medium">{toast.title.clone()}</p>
                        {(!toast.body.is_empty())
                            .then(|| view! { <p class="text-sm text-muted">{toast.body.clone()}</p> })}
                    </div>
                    <button
                        type="button"
                        class="btn btn-ghost btn-square"
                        aria-label="Dismiss"
                        on:click=move |_| messages.dismiss(toast.id)
                    >
                        <Icon glyph=Glyph::Close />
                    </button>
                </div>
            </For>
        </div>
    }
}

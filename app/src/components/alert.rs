//! A message that concerns the whole page or form.

use super::icon::{Glyph, Icon};
use leptos::prelude::*;

/// What kind of message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// To know.
    Info,
    /// Done.
    Success,
    /// Look out.
    Warning,
    /// It did not work.
    Danger,
    /// Neither good nor bad.
    Neutral,
}

impl Tone {
    /// The class that sets its colour.
    pub fn class(self) -> &'static str {
        match self {
            Self::Info => "tone-info",
            Self::Success => "tone-success",
            Self::Warning => "tone-warning",
            Self::Danger => "tone-danger",
            Self::Neutral => "tone-neutral",
        }
    }
    fn glyph(self) -> Glyph {
        match self {
            Self::Info | Self::Neutral => Glyph::Info,
            Self::Success => Glyph::Check,
            Self::Warning | Self::Danger => Glyph::Alert,
        }
    }
}

/// A framed message. `role="alert"` reads it out when it appears.
#[component]
pub fn Alert(
    /// Its kind.
    tone: Tone,
    /// The words.
    children: Children,
) -> impl IntoView {
    let role = if tone == Tone::Danger { "alert" } else { "status" };
    view! {
        <div class=format!("notice {}", tone.class()) role=role>
            <Icon glyph=tone.glyph() class="mt-0.5 size-4" />
            <div class="min-w-0 flex-1 break-words">{children()}</div>
        </div>
    }
}

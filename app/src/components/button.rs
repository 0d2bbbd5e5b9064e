//! Buttons, and links that look like them.

use super::icon::{Glyph, Icon};
use leptos::prelude::*;
use leptos_router::components::A;

/// How much a button asks for attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Look {
    /// One of several.
    #[default]
    Plain,
    /// The one thing to do here.
    Primary,
    /// Beside others, without a frame.
    Quiet,
    /// Destroys something.
    Danger,
}

impl Look {
    fn class(self) -> &'static str {
        match self {
            Self::Plain => "btn btn-plain",
            Self::Primary => "btn btn-primary",
            Self::Quiet => "btn btn-ghost",
            Self::Danger => "btn btn-danger",
        }
    }
}

/// A button. With `busy` it shows that something is under way and takes no second click.
#[component]
pub fn Button(
    /// Its weight.
    #[prop(optional)]
    look: Look,
    /// `button` or `submit`.
    #[prop(default = "button")]
    kind: &'static str,
    /// Further classes.
    #[prop(default = "")]
    class: &'static str,
    /// Something is under way.
    #[prop(optional, into)]
    busy: Signal<bool>,
    /// Before the words.
    #[prop(default = None, into)]
    icon: Option<Glyph>,
    /// The words.
    children: Children,
) -> impl IntoView {
    view! {
        <button
            type=kind
            class=format!("{} {class}", look.class())
            disabled=move || busy.get()
            aria-busy=move || busy.get().then_some("true")
        >
            {move || {
                if busy.get() {
                    Some(view! { <Icon glyph=Glyph::Spinner /> }.into_any())
                } else {
                    icon.map(|glyph| view! { <Icon glyph /> }.into_any())
                }
            }}
            {children()}
        </button>
    }
}

/// A link that looks like a button.
#[component]
pub fn ButtonLink(
    /// Where to.
    #[prop(into)]
    href: String,
    /// Its weight.
    #[prop(optional)]
    look: Look,
    /// Further classes.
    #[prop(default = "")]
    class: &'static str,
    /// Before the words.
    #[prop(default = None, into)]
    icon: Option<Glyph>,
    /// The words.
    children: Children,
) -> impl IntoView {
    view! {
        <A href=href attr:class=format!("{} {class}", look.class())>
            {icon.map(|glyph| view! { <Icon glyph /> })}
            {children()}
        </A>
    }
}

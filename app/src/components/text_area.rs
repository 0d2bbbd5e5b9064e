//! A field of several lines, and a box to tick: label, hint and message tied together for every reader.

use super::icon::{Glyph, Icon};
use crate::format;
use leptos::prelude::*;

/// A field for text of several lines, in the letters of code.
#[component]
pub fn TextArea(
    /// Its name in the form, and its id.
    name: &'static str,
    /// What it is called.
    #[prop(into)]
    label: String,
    /// What stands in it at first.
    #[prop(default = None, into)]
    value: Option<String>,
    /// What is wrong with it.
    #[prop(optional, into)]
    error: Signal<Option<String>>,
    /// What to know before typing.
    #[prop(default = None, into)]
    hint: Option<String>,
    /// Lines on show.
    #[prop(default = 3)]
    rows: u32,
    /// An example.
    #[prop(default = "")]
    placeholder: &'static str,
) -> impl IntoView {
    let (message_id, hint_id) = (format!("{name}-message"), format!("{name}-hint"));
    let describes = {
        let (message, hint) = (message_id.clone(), hint.is_some().then(|| hint_id.clone()));
        move || {
            let ids: Vec<_> = error.read().is_some().then(|| message.clone()).into_iter().chain(hint.clone()).collect();
            (!ids.is_empty()).then(|| ids.join(" "))
        }
    };
    view! {
        <div class="flex flex-col gap-1.5">
            <label class="text-sm font-medium" for=name>
                {label}
            </label>
            <div class="field" data-invalid=move || error.read().is_some().then_some("true")>
                <textarea
                    id=name
                    name=name
                    rows=rows
                    class="field-text"
                    autocomplete="off"
                    placeholder=(!placeholder.is_empty()).then_some(placeholder)
                    spellcheck="false"
                    autocapitalize="none"
                    aria-invalid=move || error.read().is_some().then_some("true")
                    aria-describedby=describes
                >
                    {format::inert(value.unwrap_or_default())}
                </textarea>
            </div>
            {move || {
                error
                    .get()
                    .map(|message| {
                        view! {
                            <p id=message_id.clone() class="field-error">
                                <Icon glyph=Glyph::Alert class="mt-0.5 size-4" />
                                <span>{message}</span>
                            </p>
                        }
                    })
            }}
            {hint
                .map(|hint| {
                    view! {
                        <p id=hint_id class="text-sm text-muted">
                            {hint}
                        </p>
                    }
                })}
        </div>
    }
}

/// A box to tick; sent as `true`, or not at all.
#[component]
pub fn Check(
    /// Its name in the form.
    name: &'static str,
    /// What ticking it means.
    #[prop(into)]
    label: String,
    /// What to know before.
    #[prop(default = "")]
    hint: &'static str,
    /// Ticked at first.
    #[prop(optional)]
    checked: bool,
    /// The box itself.
    #[prop(optional)]
    node_ref: NodeRef<leptos::html::Input>,
) -> impl IntoView {
    view! {
        <label class="flex items-start gap-3 text-sm">
            <input
                node_ref=node_ref
                type="checkbox"
                name=name
                value="true"
                checked=checked
                class="checkbox checkbox-sm mt-0.5"
            />
            <span>
                {label}
                {(!hint.is_empty()).then(|| view! { <span class="block text-muted">{hint}</span> })}
            </span>
        </label>
    }
}

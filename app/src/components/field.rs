//! A field of a form: label, input, hint and message, tied together for every reader.

use super::icon::{Glyph, Icon};
use leptos::prelude::*;

/// A field. `on:input` on it hears the input inside.
#[component]
pub fn Field(
    /// Its name in the form, and its id.
    name: &'static str,
    /// What it is called.
    #[prop(into)]
    label: String,
    /// The input's type.
    #[prop(default = "text")]
    kind: &'static str,
    /// What stands in it at first.
    #[prop(default = None, into)]
    value: Option<String>,
    /// What is wrong with it.
    #[prop(optional, into)]
    error: Signal<Option<String>>,
    /// What to know before typing.
    #[prop(optional, into)]
    hint: Option<String>,
    /// For password managers and browsers.
    #[prop(default = "off")]
    autocomplete: &'static str,
    /// An example.
    #[prop(default = "")]
    placeholder: &'static str,
    /// May not be left empty.
    #[prop(optional)]
    required: bool,
    /// Says in the label when it may be left empty.
    #[prop(default = true)]
    marked: bool,
    /// Names, addresses and code: no corrections, no capitals.
    #[prop(optional)]
    verbatim: bool,
    /// The shortest answer allowed.
    #[prop(optional)]
    minlength: Option<u32>,
    /// The input itself.
    #[prop(optional)]
    node_ref: NodeRef<leptos::html::Input>,
    /// What stands in the frame behind the input.
    #[prop(optional, into)]
    suffix: Option<String>,
    /// Told below, in place of the hint.
    #[prop(optional, into)]
    note: Option<ViewFn>,
) -> impl IntoView {
    let message_id = format!("{name}-message");
    let hint_id = format!("{name}-hint");
    let describes = {
        let (message, hint_id) = (message_id.clone(), (hint.is_some() || note.is_some()).then(|| hint_id.clone()));
        move || {
            let ids: Vec<_> =
                error.read().is_some().then(|| message.clone()).into_iter().chain(hint_id.clone()).collect();
            (!ids.is_empty()).then(|| ids.join(" "))
        }
    };
    view! {
        <div class="flex flex-col gap-1.5">
            <label class="text-sm font-medium" for=name>
                {label}
                {(marked && !required).then(|| view! { <span class="font-normal text-muted">" (optional)"</span> })}
            </label>
            <div class="field" data-invalid=move || error.read().is_some().then_some("true")>
                <input
                    node_ref=node_ref
                    id=name
                    name=name
                    type=kind
                    value=value
                    class="field-input"
                    class:font-mono=verbatim
                    autocomplete=autocomplete
                    placeholder=(!placeholder.is_empty()).then_some(placeholder)
                    required=required
                    minlength=minlength
                    spellcheck=verbatim.then_some("false")
                    autocapitalize=verbatim.then_some("none")
                    aria-invalid=move || error.read().is_some().then_some("true")
                    aria-describedby=describes
                />
                {suffix.map(|suffix| view! { <span class="field-suffix">{suffix}</span> })}
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
            {(hint.is_some() || note.is_some())
                .then(|| {
                    view! {
                        <p id=hint_id class="text-sm text-muted">
                            {match note {
                                Some(note) => (move || note.run()).into_any(),
                                None => hint.into_any(),
                            }}
                        </p>
                    }
                })}
        </div>
    }
}

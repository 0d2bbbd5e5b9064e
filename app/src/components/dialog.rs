//! A modal dialog: the browser's own `<dialog>`. Without JavaScript its button asks for the page with the dialog open.

use super::{
    button::Look,
    icon::{Glyph, Icon},
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

/// In the address of a page, the id of the dialog that is open.
const QUERY: &str = "dialog";

/// Opens the dialog with this id.
#[component]
pub fn DialogButton(
    /// The dialog's id.
    target: &'static str,
    /// Its weight.
    #[prop(optional)]
    look: Look,
    /// Before the words.
    #[prop(default = None, into)]
    icon: Option<Glyph>,
    /// The words.
    children: Children,
) -> impl IntoView {
    let open = move |ev: leptos::ev::MouseEvent| {
        #[cfg(feature = "hydrate")]
        {
            use wasm_bindgen::JsCast;
            let dialog =
                document().get_element_by_id(target).and_then(|el| el.dyn_into::<web_sys::HtmlDialogElement>().ok());
            if let Some(dialog) = dialog {
                ev.prevent_default();
                if !dialog.open() {
                    let _ = dialog.show_modal();
                }
            }
        }
        #[cfg(not(feature = "hydrate"))]
        let _ = ev;
    };
    view! {
        <form>
            <super::Button kind="submit" look=look icon=icon attr:name=QUERY attr:value=target on:click=open>
                {children()}
            </super::Button>
        </form>
    }
}

/// A dialog. Escape, its cross and a click beside it close it.
#[component]
pub fn Dialog(
    /// Its id.
    id: &'static str,
    /// Its heading.
    #[prop(into)]
    title: String,
    /// Open from the start: its form came back refused.
    #[prop(optional)]
    open: bool,
    /// What it says and asks.
    children: Children,
) -> impl IntoView {
    let open = open || use_query_map().read_untracked().get(QUERY).as_deref() == Some(id);
    let heading = format!("{id}-title");
    view! {
        <dialog id=id class="modal" aria-labelledby=heading open=open>
            <div class="modal-box panel max-w-lg p-0">
                <header class="flex items-center justify-between gap-4 border-b border-base-300 py-3 pl-6 pr-3">
                    <h2 id=heading.clone() class="text-base font-semibold">{title}</h2>
                    <form method="dialog">
                        <button class="btn btn-ghost btn-square" aria-label="Close">
                            <Icon glyph=Glyph::Close />
                        </button>
                    </form>
                </header>
                <div class="p-6">{children()}</div>
            </div>
            <form method="dialog" class="modal-backdrop">
                <button tabindex="-1" aria-hidden="true">"Close"</button>
            </form>
        </dialog>
    }
}

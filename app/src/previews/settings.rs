//! What a site wants of its previews.

use super::server::SetPreviews;
use crate::{
    components::{Button, Check, Field, Panel, use_toasts},
    form::Form,
};
use leptos::{form::ActionForm, prelude::*};
use model::{SiteId, views::PreviewSettings};

/// The panel.
#[component]
pub fn SettingsPanel(
    /// Whose.
    site: SiteId,
    /// As they are.
    settings: PreviewSettings,
    /// The form.
    form: Form<SetPreviews>,
) -> impl IntoView {
    let toasts = use_toasts();
    form.on_done(move |_| toasts.say("Saved."));
    view! {
        <Panel title="Settings">
            <ActionForm action=form.action attr:class="flex flex-col gap-4">
                {form.refusal(&["previews.max", "previews.idle_days"])}
                <input type="hidden" name="site" value=site.to_string() />
                <Check
                    name="enabled"
                    label="Pull requests get previews"
                    hint="When this is turned off, nothing new is made. What is there stays until its pull request is closed, or nothing is heard of it."
                    checked=settings.enabled
                />
                <div class="grid gap-4 sm:grid-cols-2">
                    <Field
                        name="max"
                        label="At most at a time"
                        kind="number"
                        required=true
                        value=form.kept("max").unwrap_or(settings.max.to_string())
                        error=form.error("previews.max")
                        hint="1 to 20. Further ones wait until there is room, the oldest first.".to_owned()
                    />
                    <Field
                        name="idle_days"
                        label="Days without news"
                        kind="number"
                        required=true
                        value=form.kept("idle_days").unwrap_or(settings.idle_days.to_string())
                        error=form.error("previews.idle_days")
                        hint="1 to 90. Then a preview is removed; the next push makes it anew.".to_owned()
                    />
                </div>
                <div>
                    <Button kind="submit" busy=form.pending>
                        "Save"
                    </Button>
                </div>
            </ActionForm>
        </Panel>
    }
}

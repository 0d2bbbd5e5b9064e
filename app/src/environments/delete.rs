//! Deleting an environment: what will be lost is named, and its name is asked for.

use super::server::DeleteEnvironment;
use crate::{
    components::{Button, Check, Dialog, DialogButton, Field, Glyph, Icon, Look},
    form::Form,
};
use leptos::{form::ActionForm, prelude::*};
use model::{SiteId, views::EnvironmentView};

/// The button and its dialog.
#[component]
pub fn DeleteEnvironmentDialog(
    /// Its site.
    site: SiteId,
    /// The environment.
    environment: EnvironmentView,
) -> impl IntoView {
    let form = Form::<DeleteEnvironment>::new();
    let name = environment.name.clone();
    let data = if environment.services.iter().any(|service| service.name == "db") {
        "Its database and all other volumes, with everything in them."
    } else {
        "Its volumes, with everything in them."
    };
    let lost = ["Its containers, images and network.", "Its variables, deployments and logs.", data];
    view! {
        <DialogButton target="delete-environment" look=Look::Danger icon=Glyph::Trash>
            "Delete environment"
        </DialogButton>
        <Dialog id="delete-environment" title=format!("Delete {name}") open=form.was_refused()>
            <ActionForm action=form.action attr:class="flex flex-col gap-4">
                {form.refusal(&["confirm"])}
                <p class="text-sm">
                    <strong class="font-semibold">{crate::sites::bare(&environment.url)}</strong>
                    " stops answering at once. This is lost for good:"
                </p>
                <ul class="flex flex-col gap-2 text-sm">
                    {lost
                        .into_iter()
                        .map(|line| {
                            view! {
                                <li class="flex gap-2">
                                    <Icon glyph=Glyph::Close class="mt-0.5 size-4 text-error" />
                                    {line}
                                </li>
                            }
                        })
                        .collect_view()}
                </ul>
                <Check
                    name="keep_data"
                    label="Keep the data"
                    hint="The volumes stay on the machine; its operator can bring them back."
                />
                <input type="hidden" name="site" value=site.to_string() />
                <input type="hidden" name="environment" value=name.clone() />
                <Field
                    name="confirm"
                    label=format!("Type {name} to confirm")
                    required=true
                    verbatim=true
                    error=form.error("confirm")
                />
                <Button kind="submit" look=Look::Danger class="w-full" busy=form.pending>
                    "Delete this environment"
                </Button>
            </ActionForm>
        </Dialog>
    }
}

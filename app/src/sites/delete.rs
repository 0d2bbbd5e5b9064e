//! Deleting a site: what will be lost is named, and its name is asked for.

use super::server::DeleteSite;
use crate::{
    components::{Button, Dialog, DialogButton, Field, Glyph, Icon, Look},
    form::Form,
};
use leptos::{form::ActionForm, prelude::*};
use model::views::SiteView;

/// The button and its dialog.
#[component]
pub fn DeleteSiteDialog(
    /// The site.
    site: SiteView,
) -> impl IntoView {
    let form = Form::<DeleteSite>::new();
    let has_database = site.services.iter().any(|service| service.name == "db");
    let services: Vec<_> = site.services.iter().map(|service| service.name.clone()).collect();
    let mut lost = vec![match services.as_slice() {
        [] => "Its containers, images and network.".to_owned(),
        services => format!("The containers of {}, their images and network.", services.join(", ")),
    }];
    lost.push(if site.repository.kind == "hosted" {
        "The repository kept here, with its history.".to_owned()
    } else {
        "The copy of its repository; the original is not touched.".to_owned()
    });
    lost.push("Its deployments, logs and webhook.".to_owned());
    lost.push(if has_database {
        "The database and all other volumes, with everything in them.".to_owned()
    } else {
        "Its volumes, with everything in them.".to_owned()
    });
    view! {
        <DialogButton target="delete-site" look=Look::Danger icon=Glyph::Trash>
            "Delete site"
        </DialogButton>
        <Dialog id="delete-site" title=format!("Delete {}", site.name) open=form.was_refused()>
            <ActionForm action=form.action attr:class="flex flex-col gap-4">
                {form.refusal(&["confirm"])}
                <p class="text-sm">
                    <strong class="font-semibold">{super::bare(&site.url)}</strong>
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
                <label class="flex items-start gap-3 text-sm">
                    <input type="checkbox" name="keep_data" value="true" class="checkbox checkbox-sm mt-0.5" />
                    <span>
                        "Keep the data" <span class="block text-muted">
                            "The volumes stay on the machine; its operator can bring them back."
                        </span>
                    </span>
                </label>
                <input type="hidden" name="id" value=site.id.to_string() />
                <Field
                    name="confirm"
                    label=format!("Type {} to confirm", site.slug)
                    required=true
                    verbatim=true
                    error=form.error("confirm")
                />
                <Button kind="submit" look=Look::Danger class="w-full" busy=form.pending>
                    "Delete this site"
                </Button>
            </ActionForm>
        </Dialog>
    }
}

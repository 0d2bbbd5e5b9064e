//! Changing and deleting a site.

use super::{delete::DeleteSiteDialog, server::RenameSite, use_site};
use crate::{
    components::{Alert, Button, FailureView, Field, Loading, PageHeader, Panel, Tone, use_toasts},
    form::Form,
};
use leptos::{either::Either, form::ActionForm, prelude::*};
use leptos_meta::Title;
use model::views::SiteView;

/// The page.
#[component]
pub fn SiteSettingsPage() -> impl IntoView {
    let site = use_site();
    view! {
        <Title text="Site settings" />
        <Suspense fallback=Loading>
            {move || Suspend::new(async move {
                match site.await {
                    Ok(site) => Either::Left(view! { <Settings site /> }),
                    Err(failure) => Either::Right(view! { <FailureView failure /> }),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Settings(site: SiteView) -> impl IntoView {
    let form = Form::<RenameSite>::new();
    let toasts = use_toasts();
    form.on_done(move |_| toasts.say("The site has its new name."));
    let general = form.error_beside(&["name"]);
    let hint = format!("For people. The address {} stays.", super::bare(&site.url));
    let (id, name) = (site.id.to_string(), site.name.clone());
    let crumbs = vec![("Sites".to_owned(), "/sites".to_owned()), (site.name.clone(), format!("/sites/{}", site.id))];
    view! {
        <PageHeader title="Settings" crumbs />
        <div class="flex max-w-2xl flex-col gap-6">
            <Panel title="General">
                <ActionForm action=form.action attr:class="flex flex-col gap-4">
                    {move || general.get().map(|message| view! { <Alert tone=Tone::Danger>{message}</Alert> })}
                    <input type="hidden" name="id" value=id />
                    <Field
                        name="name"
                        label="Name"
                        required=true
                        value=form.kept("name").unwrap_or(name)
                        error=form.error("name")
                        hint=hint
                    />
                    <div>
                        <Button kind="submit" busy=form.pending>
                            "Save"
                        </Button>
                    </div>
                </ActionForm>
            </Panel>
            <Panel title="Delete this site">
                <div class="flex flex-wrap items-center justify-between gap-4">
                    <p class="max-w-sm text-sm text-muted">
                        "The site stops answering, and what was made for it is removed. You are asked first."
                    </p>
                    <DeleteSiteDialog site />
                </div>
            </Panel>
        </div>
    }
}

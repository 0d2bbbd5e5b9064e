//! Making an environment: its name, its branch, and which variables it begins with.

use super::server::{CreateEnvironment, list_environments};
use crate::{
    components::{Button, Check, FailureView, Field, Loading, Look, PageHeader, Panel},
    failure::Failure,
    form::Form,
    sites::{use_site, use_site_id},
};
use leptos::{either::Either, form::ActionForm, prelude::*};
use leptos_meta::Title;
use model::views::{EnvironmentView, SiteView};

/// The page.
#[component]
pub fn NewEnvironmentPage() -> impl IntoView {
    let site = use_site();
    let id = use_site_id();
    let environments = Resource::new_blocking(move || id.get(), |id| async move { list_environments(id?).await });
    view! {
        <Title text="New environment" />
        <Suspense fallback=Loading>
            {move || Suspend::new(async move {
                let answers: Result<_, Failure> = async { Ok((site.await?, environments.await?)) }.await;
                match answers {
                    Ok((site, environments)) => Either::Left(view! { <NewEnvironmentForm site environments /> }),
                    Err(failure) => Either::Right(view! { <FailureView failure /> }),
                }
            })}
        </Suspense>
    }
}

#[component]
fn NewEnvironmentForm(site: SiteView, environments: Vec<EnvironmentView>) -> impl IntoView {
    let form = Form::<CreateEnvironment>::new();
    let crumbs = vec![("Sites".to_owned(), "/sites".to_owned()), (site.name.clone(), format!("/sites/{}", site.id))];
    view! {
        <PageHeader title="New environment" crumbs />
        <div class="flex max-w-2xl flex-col gap-6">
            <Panel title="Environment">
                <ActionForm action=form.action attr:class="flex flex-col gap-4">
                    {form.refusal(&["name", "branch"])}
                    <input type="hidden" name="site" value=site.id.to_string() />
                    <Field
                        name="name"
                        label="Name"
                        required=true
                        verbatim=true
                        placeholder="staging"
                        value=form.kept("name")
                        error=form.error("name")
                        hint=format!(
                            "It answers at {}-NAME, with a database, secrets and variables of its own.",
                            site.slug,
                        )
                    />
                    <Field
                        name="branch"
                        label="Branch"
                        required=true
                        verbatim=true
                        placeholder="develop"
                        value=form.kept("branch")
                        error=form.error("branch")
                        hint="Every push to it is deployed here."
                    />
                    <label class="flex flex-col gap-1.5 text-sm font-medium">
                        "Variables" <select name="copy" class="field select-field">
                            <option value="">"None"</option>
                            {environments
                                .into_iter()
                                .map(|it| {
                                    view! { <option value=it.name.clone()>{format!("A copy of {}'s", it.name)}</option> }
                                })
                                .collect_view()}
                        </select>
                    </label>
                    <Check
                        name="copy_secrets"
                        label="Copy secrets too"
                        hint="Without it the copy has only what is not secret."
                    />
                    <div>
                        <Button kind="submit" look=Look::Primary busy=form.pending>
                            "Create environment"
                        </Button>
                    </div>
                </ActionForm>
            </Panel>
        </div>
    }
}

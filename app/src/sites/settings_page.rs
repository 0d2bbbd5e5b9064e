//! Changing and deleting a site.

use super::{
    delete::DeleteSiteDialog, repository::RepositoryPanel, server::RenameSite, transfer::TransferPanel, use_site,
    use_site_id,
};
use crate::{
    components::{
        Button, ButtonLink, FailureView, Field, Glyph, Loading, PageHeader, Panel, SiteStatusPill, use_toasts,
    },
    environments::list_environments,
    failure::Failure,
    form::Form,
    teams::server::list_teams,
};
use leptos::{either::Either, form::ActionForm, prelude::*};
use leptos_meta::Title;
use leptos_router::components::A;
use model::{
    Problem, SiteId,
    views::{EnvironmentView, SiteView, TeamView},
};

/// The page.
#[component]
pub fn SiteSettingsPage() -> impl IntoView {
    let site = use_site();
    let id = use_site_id();
    let environments = Resource::new_blocking(move || id.get(), |id| async move { list_environments(id?).await });
    let teams = Resource::new_blocking(|| (), |()| list_teams());
    view! {
        <Title text="Site settings" />
        <Suspense fallback=Loading>
            {move || Suspend::new(async move {
                let answers: Result<_, Failure> = async { Ok((site.await?, environments.await?, teams.await?)) }.await;
                match answers {
                    Ok((site, environments, teams)) if super::may_write(&site) => {
                        Either::Left(view! { <Settings site environments teams /> })
                    }
                    Ok(_) => Either::Right(view! { <FailureView failure=Problem::forbidden().into() /> }),
                    Err(failure) => Either::Right(view! { <FailureView failure /> }),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Environments(site: SiteId, environments: Vec<EnvironmentView>) -> impl IntoView {
    view! {
        <Panel
            title="Environments"
            flush=true
            actions=move || {
                view! {
                    <ButtonLink href=format!("/sites/{site}/new-environment") icon=Glyph::Plus>
                        "New environment"
                    </ButtonLink>
                }
            }
        >
            <ul class="divide-y divide-base-300">
                {environments
                    .into_iter()
                    .map(|it| {
                        let paused = if it.paused { " · paused" } else { "" };
                        view! {
                            <li>
                                <A
                                    href=format!("/sites/{site}/environments/{}", it.name)
                                    attr:class="row-link flex items-center justify-between gap-4 px-4 py-3 sm:px-5"
                                >
                                    <span class="min-w-0">
                                        <span class="block truncate text-sm font-medium">{it.name.clone()}</span>
                                        <span class="block truncate text-xs text-muted">
                                            {format!("{} · branch {}{paused}", super::bare(&it.url), it.branch)}
                                        </span>
                                    </span>
                                    <SiteStatusPill status=it.status />
                                </A>
                            </li>
                        }
                    })
                    .collect_view()}
            </ul>
        </Panel>
    }
}

#[component]
fn Settings(site: SiteView, environments: Vec<EnvironmentView>, teams: Vec<TeamView>) -> impl IntoView {
    let form = Form::<RenameSite>::new();
    let toasts = use_toasts();
    form.on_done(move |_| toasts.say("The site has its new name."));
    let hint = format!("For people. The address {} stays.", super::bare(&site.url));
    let (id, name) = (site.id.to_string(), site.name.clone());
    let crumbs = vec![("Sites".to_owned(), "/sites".to_owned()), (site.name.clone(), format!("/sites/{}", site.id))];
    view! {
        <PageHeader title="Settings" crumbs />
        <div class="flex max-w-2xl flex-col gap-6">
            <Panel title="General">
                <ActionForm action=form.action attr:class="flex flex-col gap-4">
                    {form.refusal(&["name"])}
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
            {(site.repository.kind == "remote").then(|| view! { <RepositoryPanel site=site.clone() /> })}
            <Environments site=site.id environments />
            <TransferPanel site=site.clone() teams />
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

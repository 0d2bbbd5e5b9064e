//! What an environment deploys, and whether it does.

use super::{
    EnvironmentTabs,
    delete::DeleteEnvironmentDialog,
    server::{ChangeEnvironment, PauseEnvironment, list_environments},
    use_environment,
};
use crate::{
    components::{
        Button, ButtonLink, FailureView, Field, Glyph, Loading, Look, PageHeader, Panel, TextArea, use_toasts,
    },
    failure::Failure,
    form::Form,
    sites::{get_site, may_write},
};
use leptos::{either::Either, form::ActionForm, prelude::*};
use leptos_meta::Title;
use model::{
    Problem, SiteId,
    views::{EnvironmentView, SiteView},
};

/// The page.
#[component]
pub fn EnvironmentSettingsPage() -> impl IntoView {
    let place = use_environment();
    let answers = Resource::new_blocking(
        move || place.get(),
        |place| async move {
            let (site, name) = place?;
            let environments = list_environments(site).await?;
            if environments.iter().all(|it| it.name != name) {
                return Err(Problem::not_found("environment").into());
            }
            Ok::<_, Failure>((get_site(site).await?, environments, name))
        },
    );
    view! {
        <Title text="Environment" />
        <Suspense fallback=Loading>
            {move || Suspend::new(async move {
                match answers.await {
                    Ok((site, environments, name)) => Either::Left(view! { <Settings site environments name /> }),
                    Err(failure) => Either::Right(view! { <FailureView failure /> }),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Settings(site: SiteView, environments: Vec<EnvironmentView>, name: String) -> impl IntoView {
    let id = site.id;
    let crumbs = vec![("Sites".to_owned(), "/sites".to_owned()), (site.name.clone(), format!("/sites/{id}"))];
    let may_write = may_write(&site);
    let environment = environments.iter().find(|it| it.name == name).cloned();
    let (variables, domains) =
        (format!("/sites/{id}/environments/{name}/variables"), crate::domains::address(id, &name));
    view! {
        <PageHeader title="Environment" crumbs>
            <ButtonLink href=domains icon=Glyph::Globe>
                "Domains"
            </ButtonLink>
            {may_write
                .then(|| {
                    view! {
                        <ButtonLink href=variables icon=Glyph::Key>
                            "Variables"
                        </ButtonLink>
                    }
                })}
        </PageHeader>
        <EnvironmentTabs environments current=name href=move |name| format!("/sites/{id}/environments/{name}") />
        {environment
            .map(|environment| {
                let is_production = environment.name == "production";
                let (what, pause) = (environment.clone(), environment.clone());
                view! {
                    <div class="flex max-w-2xl flex-col gap-6">
                        <Panel title="What is deployed">
                            <What site=id environment=what may_write />
                        </Panel>
                        <Panel title="Pause">
                            <Pause site=id environment=pause may_write />
                        </Panel>
                        {(may_write && !is_production)
                            .then(|| {
                                view! {
                                    <Panel title="Delete this environment">
                                        <div class="flex flex-wrap items-center justify-between gap-4">
                                            <p class="max-w-sm text-sm text-muted">
                                                "It stops answering, and what was made for it is removed. You are asked first."
                                            </p>
                                            <DeleteEnvironmentDialog site=id environment />
                                        </div>
                                    </Panel>
                                }
                            })}
                    </div>
                }
            })}
    }
}

#[component]
fn What(site: SiteId, environment: EnvironmentView, may_write: bool) -> impl IntoView {
    let form = Form::<ChangeEnvironment>::new();
    let toasts = use_toasts();
    form.on_done(move |_| toasts.say("Saved. It holds from the next push on."));
    view! {
        <ActionForm action=form.action attr:class="flex flex-col gap-4">
            {form.refusal(&["branch", "root", "watch"])}
            <input type="hidden" name="site" value=site.to_string() />
            <input type="hidden" name="environment" value=environment.name.clone() />
            <Field
                name="branch"
                label="Branch"
                required=true
                verbatim=true
                value=form.kept("branch").unwrap_or(environment.branch)
                error=form.error("branch")
            />
            <Field
                name="root"
                label="Root folder"
                verbatim=true
                placeholder="apps/web"
                value=form.kept("root").unwrap_or(environment.root)
                error=form.error("root")
                hint="The folder of the repository that the site lies in. Empty: the whole repository."
            />
            <TextArea
                name="watch"
                label="Watched paths"
                placeholder="apps/web/**"
                value=form.kept("watch").unwrap_or(environment.watch.join("\n"))
                error=form.error("watch")
                hint="One a line, from the root of the repository; ! takes out again. A push that changes none of them is not deployed. Empty: every push is."
                    .to_owned()
            />
            <p class="text-sm text-muted">
                "A push whose newest commit says " <code class="font-mono">"[skip deploy]"</code> " or "
                <code class="font-mono">"[skip ci]"</code> " is not deployed either."
            </p>
            {may_write
                .then(|| {
                    view! {
                        <div>
                            <Button kind="submit" look=Look::Primary busy=form.pending>
                                "Save"
                            </Button>
                        </div>
                    }
                })}
        </ActionForm>
    }
}

#[component]
fn Pause(site: SiteId, environment: EnvironmentView, may_write: bool) -> impl IntoView {
    let form = Form::<PauseEnvironment>::new();
    let paused = RwSignal::new(environment.paused);
    form.on_done(move |fresh| paused.set(fresh.paused));
    view! {
        <div class="flex flex-wrap items-center justify-between gap-4">
            <p class="max-w-sm text-sm text-muted">
                {move || {
                    if paused.get() {
                        "It is paused: nothing new is deployed here, neither by pushes nor by hand. Rolling back works."
                    } else {
                        "While it is paused nothing new is deployed here. What serves goes on serving."
                    }
                }}
            </p>
            {may_write
                .then(|| {
                    view! {
                        <ActionForm action=form.action>
                            <input type="hidden" name="site" value=site.to_string() />
                            <input type="hidden" name="environment" value=environment.name />
                            <input type="hidden" name="paused" value=move || (!paused.get()).to_string() />
                            {move || {
                                form.failure.get().map(|it| view! { <p class="field-error">{it.problem.detail}</p> })
                            }}
                            <Button kind="submit" busy=form.pending>
                                {move || if paused.get() { "Resume" } else { "Pause" }}
                            </Button>
                        </ActionForm>
                    }
                })}
        </div>
    }
}

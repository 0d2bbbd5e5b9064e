//! One site: how it stands, where it answers, what runs, what was deployed. Moves by itself.

use super::{bare, usage::UsagePanel, use_site, webhook::WebhookPanel};
use crate::{
    components::{
        Alert, Button, ButtonLink, EmptyState, FailureView, Glyph, Icon, Loading, Look, PageHeader, Panel,
        ServiceStatus, SiteStatusPill, Tone,
    },
    deployments::{Deploy, DeploymentList, list_deployments},
    environments::{EnvironmentTabs, list_environments},
    failure::Failure,
    form::Form,
    live,
};
use leptos::{either::Either, form::ActionForm, prelude::*};
use leptos_meta::Title;
use leptos_router::{components::A, hooks::use_query_map};
use model::{
    DeploymentId, Problem, SiteId,
    deployment::Status,
    views::{DeploymentSummary, EnvironmentView, Page, ServiceView, SiteStatus, SiteView},
};

/// The page.
#[component]
pub fn SitePage() -> impl IntoView {
    let site = use_site();
    let query = use_query_map();
    let params = leptos_router::hooks::use_params_map();
    let cursor = Memo::new(move |_| query.read().get("cursor"));
    let name = Memo::new(move |_| query.read().get("environment").unwrap_or_else(|| "production".to_owned()));
    let shown = Resource::new_blocking(
        move || (params.read().get("site").and_then(|id| id.parse::<SiteId>().ok()), name.get(), cursor.get()),
        |(id, name, cursor)| async move {
            let id = id.ok_or_else(|| Problem::not_found("site"))?;
            let environments = list_environments(id).await?;
            let page = list_deployments(id, name.clone(), cursor).await?;
            Ok::<_, Failure>((environments, name, page))
        },
    );
    view! {
        <Suspense fallback=Loading>
            {move || Suspend::new(async move {
                let answers: Result<_, Failure> = async { Ok((site.await?, shown.await?)) }.await;
                match answers {
                    Ok((site, (environments, name, page))) => {
                        let is_newest = cursor.get_untracked().is_none();
                        Either::Left(view! { <Site site environments name page is_newest /> })
                    }
                    Err(failure) => Either::Right(view! { <FailureView failure /> }),
                }
            })}
        </Suspense>
    }
}

/// Where the page of a site shows this environment.
fn address(site: SiteId, environment: &str) -> String {
    match environment {
        "production" => format!("/sites/{site}"),
        other => format!("/sites/{site}?environment={other}"),
    }
}

#[component]
fn Site(
    site: SiteView,
    environments: Vec<EnvironmentView>,
    name: String,
    page: Page<DeploymentSummary>,
    is_newest: bool,
) -> impl IntoView {
    let id = site.id;
    let may_write = super::may_write(&site);
    let older = page.next_cursor.clone();
    let Some(first) = environments.iter().find(|it| it.name == name).cloned() else {
        return view! { <FailureView failure=Problem::not_found("environment").into() /> }.into_any();
    };
    let (url, branch) = (first.url.clone(), first.branch.clone());
    let environment = RwSignal::new(first);
    let deployments = RwSignal::new(page.items);
    let (chosen, deployed) = (name.clone(), name.clone());
    // The page may be left while an answer is waited for: nothing of it is there any more then.
    live::on_site(id, async move || {
        let fresh = list_environments(id).await.unwrap_or_default();
        if let Some(fresh) = fresh.into_iter().find(|it| it.name == chosen) {
            environment.try_set(fresh);
        }
        if is_newest && let Ok(fresh) = list_deployments(id, chosen.clone(), None).await {
            deployments.try_set(fresh.items);
        }
    });
    let status = Memo::new(move |_| environment.read().status);
    let services = Memo::new(move |_| environment.read().services.clone());
    let paused = Memo::new(move |_| environment.read().paused);
    // The deployment that failed last, and whether an earlier release serves all the same.
    let last_failure = Memo::new(move |_| {
        let it = environment.read();
        let latest = it.latest_deployment.as_ref().filter(|it| it.status == Status::Failed)?;
        Some((latest.id, it.status == SiteStatus::Live))
    });
    let push = format!("git push {} HEAD:{branch}", site.repository.clone_url);
    let title = site.name.clone();
    let (domains, team) = (crate::domains::address(id, &name), site.team.slug.clone());
    let (tabs, variables) = (name.clone(), format!("/sites/{id}/environments/{name}/variables"));
    let deploy = Form::<Deploy>::new();
    let refused = deploy.error_beside(&[]);
    view! {
        <Title text=title.clone() />
        <PageHeader
            title=title
            crumbs=vec![("Sites".to_owned(), "/sites".to_owned())]
            mark=move || view! { {move || view! { <SiteStatusPill status=status.get() /> }} }
            about={
                let url = url.clone();
                move || {
                    view! {
                        <a href=url.clone() rel="external" class="link-quiet inline-flex max-w-full items-center gap-1.5">
                            <span class="truncate">{bare(&url)}</span>
                            <Icon glyph=Glyph::External class="size-3.5" />
                        </a>
                    }
                }
            }
        >
            <ButtonLink href=domains icon=Glyph::Globe>
                "Domains"
            </ButtonLink>
            <ButtonLink href=crate::webhooks::address(id) icon=Glyph::Webhook>
                "Webhooks"
            </ButtonLink>
            <ButtonLink href=crate::previews::address(id) icon=Glyph::Branch>
                "Previews"
            </ButtonLink>
            {may_write
                .then(|| {
                    view! {
                        <ButtonLink href=variables icon=Glyph::Key>
                            "Variables"
                        </ButtonLink>
                        <ButtonLink href=format!("/sites/{id}/settings") icon=Glyph::Settings>
                            "Settings"
                        </ButtonLink>
                        <ActionForm action=deploy.action>
                            <input type="hidden" name="site" value=id.to_string() />
                            <input type="hidden" name="environment" value=deployed />
                            <Button kind="submit" look=Look::Primary icon=Glyph::Rocket busy=deploy.pending>
                                "Deploy"
                            </Button>
                        </ActionForm>
                    }
                })}
        </PageHeader>
        {move || {
            refused.get().map(|message| view! { <div class="mb-6"><Alert tone=Tone::Danger>{message}</Alert></div> })
        }}
        <EnvironmentTabs environments current=tabs href=move |name| address(id, name) />
        {move || {
            paused
                .get()
                .then(|| {
                    view! {
                        <div class="mb-6">
                            <Alert tone=Tone::Warning>"This environment is paused: nothing new is deployed to it."</Alert>
                        </div>
                    }
                })
        }}
        {move || last_failure.get().map(|(id, serves)| view! { <LastFailure id serves /> })}
        <div class="grid items-start gap-6 lg:grid-cols-[minmax(0,1fr)_22rem]">
            <div class="flex min-w-0 flex-col gap-6">
                <Panel title="Deployments" flush=true>
                    {move || {
                        if deployments.read().is_empty() {
                            view! { <NothingDeployed push=push.clone() /> }.into_any()
                        } else {
                            view! { <DeploymentList deployments /> }.into_any()
                        }
                    }}
                    <Pages id name older is_newest />
                </Panel>
            </div>
            <div class="flex min-w-0 flex-col gap-6">
                <Panel title="Services" flush=true>
                    {move || view! { <Services services=services.get() /> }}
                </Panel>
                <UsagePanel id team />
                <WebhookPanel site />
            </div>
        </div>
    }
    .into_any()
}

#[component]
fn NothingDeployed(push: String) -> impl IntoView {
    view! {
        <EmptyState
            glyph=Glyph::Rocket
            title="Nothing deployed yet"
            text="The first push to the branch is built, checked and put live."
        >
            <code class="empty-code" tabindex="0">{push}</code>
        </EmptyState>
    }
}

#[component]
fn LastFailure(id: DeploymentId, serves: bool) -> impl IntoView {
    let (tone, words) = if serves {
        (Tone::Warning, "The last deployment failed; the release before it still serves. ")
    } else {
        (Tone::Danger, "The last deployment failed, and nothing serves yet. ")
    };
    view! {
        <div class="mb-6">
            <Alert tone>
                {words} <A href=format!("/deployments/{id}") attr:class="font-medium underline">
                    "See why"
                </A>
            </Alert>
        </div>
    }
}

#[component]
fn Pages(id: SiteId, name: String, older: Option<String>, is_newest: bool) -> impl IntoView {
    (older.is_some() || !is_newest).then(|| {
        view! {
            <nav class="flex justify-between border-t border-base-300 px-4 py-2 sm:px-5" aria-label="Pages of deployments">
                {(!is_newest)
                    .then(|| {
                        view! {
                            <a href=address(id, &name) data-noscroll class="btn btn-ghost">
                                "Newest"
                            </a>
                        }
                    })}
                {older
                    .map(|cursor| {
                        view! {
                            <a
                                href=format!("/sites/{id}?environment={name}&cursor={cursor}")
                                data-noscroll
                                class="btn btn-ghost ml-auto"
                            >
                                "Older"
                            </a>
                        }
                    })}
            </nav>
        }
    })
}

#[component]
fn Services(mut services: Vec<ServiceView>) -> impl IntoView {
    // Those with an address first, the site's root before its parts.
    services.sort_by_key(|service| (service.route.is_none(), service.route.as_ref().map(String::len)));
    if services.is_empty() {
        return view! {
            <p class="p-4 text-sm text-muted sm:px-5">"They appear with the first deployment."</p>
        }
        .into_any();
    }
    view! {
        <ul class="divide-y divide-base-300">
            {services
                .into_iter()
                .map(|service| {
                    let glyph = if service.name == "db" { Glyph::Database } else { Glyph::Box };
                    view! {
                        <li class="flex items-center gap-3 px-4 py-3 sm:px-5">
                            <Icon glyph class="size-4 text-muted" />
                            <div class="min-w-0 flex-1">
                                <p class="flex items-baseline gap-2 text-sm">
                                    <span class="font-medium">{service.name}</span>
                                    <span class="font-mono text-xs text-muted">
                                        {service.route.unwrap_or_else(|| "internal".to_owned())}
                                    </span>
                                </p>
                                <p class="truncate font-mono text-xs text-muted" title=service.image.clone()>
                                    {format!("port {}", service.port)}
                                </p>
                            </div>
                            <ServiceStatus status=service.status />
                        </li>
                    }
                })
                .collect_view()}
        </ul>
    }
    .into_any()
}

//! One deployment: its state, its steps, its log, and what can be done. Moves by itself.

use super::{
    apply::{PromoteDialog, RollBackDialog},
    facts::Facts,
    list::describe_commit,
    log_view::LogView,
    server::{CancelDeployment, Redeploy, get_deployment, get_log},
    steps::Steps,
};
use crate::{
    components::{Alert, Button, DeploymentStatus, FailureView, Glyph, Icon, Loading, PageHeader, Panel, Tone},
    failure::Failure,
    form::Form,
    live,
};
use leptos::{either::Either, form::ActionForm, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};
use model::{
    DeploymentId, Problem,
    deployment::Status,
    views::{DeploymentView, LogPage, Verdict},
};

/// Lines of the log that come with the page; the browser fetches the rest.
const FIRST_LINES: i64 = 400;

/// The page.
#[component]
pub fn DeploymentPage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query_map();
    let id = Memo::new(move |_| params.read().get("deployment").and_then(|id| id.parse::<DeploymentId>().ok()));
    let after = Memo::new(move |_| query.read().get("after").and_then(|n| n.parse::<i64>().ok()).unwrap_or(0).max(0));
    let deployment =
        Resource::new_blocking(move || id.get(), |id| async move { get_deployment(id.ok_or_else(missing)?).await });
    let log = Resource::new_blocking(
        move || (id.get(), after.get()),
        |(id, after)| async move { get_log(id.ok_or_else(missing)?, after, FIRST_LINES).await },
    );
    view! {
        <Suspense fallback=Loading>
            {move || Suspend::new(async move {
                let answers: Result<_, Failure> = async { Ok((deployment.await?, log.await?)) }.await;
                match answers {
                    Ok((deployment, log)) => {
                        Either::Left(view! { <Deployment deployment log after=after.get_untracked() /> })
                    }
                    Err(failure) => Either::Right(view! { <FailureView failure /> }),
                }
            })}
        </Suspense>
    }
}

fn missing() -> Failure {
    Problem::not_found("deployment").into()
}

#[component]
fn Deployment(deployment: DeploymentView, log: LogPage, after: i64) -> impl IntoView {
    let summary = deployment.summary.clone();
    let id = summary.id;
    let number = summary.number;
    let site_name = deployment.site_name.clone();
    let url = deployment.url.clone();
    let crumbs =
        vec![("Sites".to_owned(), "/sites".to_owned()), (site_name.clone(), format!("/sites/{}", summary.site_id))];
    let deployment = RwSignal::new(deployment);
    live::on_deployment(id, async move || {
        if let Ok(fresh) = get_deployment(id).await {
            deployment.try_set(fresh);
        }
    });
    let status = Memo::new(move |_| deployment.read().summary.status);
    let is_current = Memo::new(move |_| deployment.read().summary.is_current);
    let commit = Memo::new(move |_| describe_commit(&deployment.read().summary));
    let steps = Memo::new(move |_| deployment.read().steps.clone());
    let error = Memo::new(move |_| deployment.read().error.clone());
    let queue = Memo::new(move |_| {
        let deployment = deployment.read();
        (deployment.queue_position, deployment.waits_for.clone())
    });
    let running = Signal::derive(move || !status.get().is_final());
    let page_title = {
        let site = site_name.clone();
        // The document's title may look once more when the page has been left.
        move || match status.try_get() {
            Some(status) => format!("{} #{number} · {site}", crate::components::status::describe(status).2),
            None => site.clone(),
        }
    };
    view! {
        <Title text=page_title />
        <PageHeader
            title=format!("Deployment #{number}")
            crumbs
            mark=move || {
                view! {
                    {move || view! { <DeploymentStatus status=status.get() is_current=is_current.get() /> }}
                }
            }
            about=move || view! { <span class="break-words">{move || commit.get()}</span> }
        >
            <Actions id status is_current url deployment />
        </PageHeader>
        {move || error.get().map(|error| view! { <ErrorPanel error /> })}
        <Afterwards deployment />
        {move || {
            (status.get() == Status::Queued)
                .then(|| {
                    let (position, waits_for) = queue.get();
                    let why = waits_for.map_or_else(|| "waits".to_owned(), |it| crate::queue::describe(&it));
                    let before = match position {
                        Some(0) | None => format!("In the queue: {why}; it is next."),
                        Some(1) => format!("In the queue: {why}; one deployment is before it."),
                        Some(n) => format!("In the queue: {why}; {n} deployments are before it."),
                    };
                    view! {
                        <div class="mb-6">
                            <Alert tone=Tone::Info>{before}</Alert>
                        </div>
                    }
                })
        }}
        {move || {
            running
                .get()
                .then(|| {
                    view! {
                        <p class="js-hidden mb-6 text-sm text-muted">
                            "Without JavaScript this page does not move by itself: " <a class="link-accent" href="">
                                "reload it"
                            </a> " to see how far it is."
                        </p>
                    }
                })
        }}
        <div class="deployment-grid">
            <Panel title="Steps">
                <Steps steps ended=Signal::derive(move || !running.get()) />
            </Panel>
            <LogView id log after running from_end=summary.status == Status::Failed />
            <Facts deployment />
        </div>
    }
}

#[component]
fn ErrorPanel(error: model::views::DeploymentError) -> impl IntoView {
    let place = match (error.step, error.service) {
        (Some(step), Some(service)) => format!("Failed at {step} of {service}"),
        (Some(step), None) => format!("Failed at {step}"),
        _ => "Failed".to_owned(),
    };
    view! {
        <div class="mb-6">
            <Alert tone=Tone::Danger>
                <p class="font-semibold">{place} <span class="ml-2 font-mono text-xs font-normal">{error.code}</span></p>
                <p class="mt-1 whitespace-pre-line">{error.message}</p>
                <p class="mt-2 text-base-content">{error.remedy}</p>
            </Alert>
        </div>
    }
}

/// What became of the release after its switch, where a person should know.
#[component]
fn Afterwards(deployment: RwSignal<DeploymentView>) -> impl IntoView {
    let reason = Memo::new(move |_| deployment.read().reason.clone());
    let trouble = Memo::new(move |_| {
        let watch = deployment.read().watch.clone()?;
        let done = match watch.verdict {
            Verdict::RolledBack => "The release before it was put back in its place.",
            Verdict::Unwell => "There was no release to go back to; deploy a correction.",
            Verdict::Watching | Verdict::Well | Verdict::Replaced => return None,
        };
        Some((watch.reason.unwrap_or_default(), done))
    });
    view! {
        {move || {
            reason
                .get()
                .map(|reason| {
                    view! {
                        <div class="mb-6">
                            <Alert tone=Tone::Info>{reason}</Alert>
                        </div>
                    }
                })
        }}
        {move || {
            trouble
                .get()
                .map(|(reason, done)| {
                    view! {
                        <div class="mb-6">
                            <Alert tone=Tone::Danger>
                                <p class="font-semibold">"Not well after it went live"</p>
                                <p class="mt-1">{reason} ". " {done}</p>
                            </Alert>
                        </div>
                    }
                })
        }}
    }
}

#[component]
fn Actions(
    id: DeploymentId,
    status: Memo<Status>,
    is_current: Memo<bool>,
    url: String,
    deployment: RwSignal<DeploymentView>,
) -> impl IntoView {
    let cancel = Form::<CancelDeployment>::new();
    cancel.on_done(move |fresh| deployment.set(fresh));
    let again = Form::<Redeploy>::new();
    let refused = Signal::derive(move || [cancel.failure.get(), again.failure.get()].into_iter().flatten().next());
    let release = Memo::new(move |_| deployment.read().release.clone());
    let environment = StoredValue::new(deployment.read_untracked().summary.environment.clone());
    let hidden = move || view! { <input type="hidden" name="id" value=id.to_string() /> };
    let may_write = deployment.read_untracked().may_write;
    view! {
        {move || {
            let status = status.get();
            if !may_write {
                ().into_any()
            } else if status.is_cancellable() {
                view! {
                    <ActionForm action=cancel.action>
                        {hidden()} <Button kind="submit" icon=Glyph::Ban busy=cancel.pending>
                            "Cancel"
                        </Button>
                    </ActionForm>
                }
                    .into_any()
            } else if status.is_final() {
                let kept = release.get();
                let back = kept.clone().filter(|_| !is_current.get());
                let forth = kept.filter(|release| !release.promotable_to.is_empty());
                view! {
                    {back.map(|release| view! { <RollBackDialog id release environment=environment.get_value() /> })}
                    {forth.map(|release| view! { <PromoteDialog id release /> })}
                    <ActionForm action=again.action>
                        {hidden()} <Button kind="submit" icon=Glyph::Repeat busy=again.pending>
                            "Deploy again"
                        </Button>
                    </ActionForm>
                }
                    .into_any()
            } else {
                ().into_any()
            }
        }}
        {move || {
            (status.get() == Status::Live && is_current.get())
                .then(|| {
                    view! {
                        <a href=url.clone() rel="external" class="btn btn-primary">
                            <Icon glyph=Glyph::External />
                            "Visit"
                        </a>
                    }
                })
        }}
        {move || {
            refused
                .get()
                .map(|failure| {
                    view! {
                        <div class="basis-full">
                            <Alert tone=Tone::Danger>{failure.problem.detail}</Alert>
                        </div>
                    }
                })
        }}
    }
}

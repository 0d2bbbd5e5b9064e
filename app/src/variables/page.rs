//! What an environment's services are told: seen, added, changed, removed, pasted.

use super::server::{ImportVariables, PutVariable, RemoveVariable, list_variables};
use crate::{
    components::{
        Alert, Button, Check, EmptyState, FailureView, Field, Glyph, Icon, Loading, Look, PageHeader, Panel, TextArea,
        Tone, use_toasts,
    },
    deployments::Rollback,
    environments::{EnvironmentTabs, list_environments, use_environment},
    failure::Failure,
    form::Form,
    previews,
    sites::{get_site, use_site_id},
};
use leptos::{either::Either, form::ActionForm, prelude::*};
use leptos_meta::Title;
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
};
use model::{
    SiteId,
    views::{EnvironmentView, SiteView, VariableView, VariablesView},
};

/// Where the page stands; without an environment, that of all previews.
pub fn address(site: SiteId, environment: &str) -> String {
    match environment {
        "" => format!("{}/variables", previews::address(site)),
        name => format!("/sites/{site}/environments/{name}/variables"),
    }
}

/// The page of an environment.
#[component]
pub fn VariablesPage() -> impl IntoView {
    view! { <PageOf place=use_environment() /> }
}

/// The page of all previews.
#[component]
pub fn PreviewVariablesPage() -> impl IntoView {
    let site = use_site_id();
    view! { <PageOf place=Memo::new(move |_| Ok((site.get()?, String::new()))) /> }
}

#[component]
fn PageOf(place: Memo<Result<(SiteId, String), Failure>>) -> impl IntoView {
    let answers = Resource::new_blocking(
        move || place.get(),
        |place| async move {
            let (site, environment) = place?;
            let variables = list_variables(site, environment.clone()).await?;
            Ok::<_, Failure>((get_site(site).await?, list_environments(site).await?, environment, variables))
        },
    );
    view! {
        <Title text="Variables" />
        <Suspense fallback=Loading>
            {move || Suspend::new(async move {
                match answers.await {
                    Ok((site, environments, name, variables)) => {
                        Either::Left(view! { <Variables site environments name variables /> })
                    }
                    Err(failure) => Either::Right(view! { <FailureView failure /> }),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Variables(
    site: SiteView,
    environments: Vec<EnvironmentView>,
    name: String,
    variables: VariablesView,
) -> impl IntoView {
    let id = site.id;
    let mut crumbs = vec![("Sites".to_owned(), "/sites".to_owned()), (site.name.clone(), format!("/sites/{id}"))];
    let is_of_previews = name.is_empty();
    if is_of_previews {
        crumbs.push(("Previews".to_owned(), previews::address(id)));
    }
    let environments = if is_of_previews { Vec::new() } else { environments };
    let current = environments.iter().find(|it| it.name == name).and_then(|it| it.current_deployment.clone());
    let variables = RwSignal::new(variables);
    let query = use_query_map();
    let edited = Memo::new(move |_| {
        let name = query.read().get("edit")?;
        variables.read().variables.iter().find(|it| it.name == name).cloned()
    });
    let environment = StoredValue::new(name.clone());
    view! {
        <PageHeader title="Variables" crumbs />
        <EnvironmentTabs environments current=name href=move |name| address(id, name) />
        <div class="flex max-w-3xl flex-col gap-6">
            {is_of_previews
                .then(|| {
                    view! {
                        <Alert tone=Tone::Info>
                            "Every preview is given these from its next deployment on, and never production's. What comes \
                            from a fork is given those that are no secrets."
                        </Alert>
                    }
                })}
            {move || {
                let saved = variables.read();
                let is_behind = saved.running_version.is_some_and(|running| running != saved.version);
                current
                    .clone()
                    .filter(|_| is_behind)
                    .map(|current| view! { <Apply current=current.id version=saved.version /> })
            }}
            <Panel title="Variables" flush=true>
                {move || {
                    let list = variables.read().variables.clone();
                    if list.is_empty() {
                        view! {
                            <EmptyState
                                glyph=Glyph::Key
                                title="No variables yet"
                                text="Add one below, or paste a whole .env file. Every service is given them."
                            />
                        }
                            .into_any()
                    } else {
                        view! {
                            <ul class="divide-y divide-base-300">
                                {list
                                    .into_iter()
                                    .map(|variable| {
                                        view! { <Line site=id environment=environment.get_value() variable variables /> }
                                    })
                                    .collect_view()}
                            </ul>
                        }
                            .into_any()
                    }
                }}
            </Panel>
            {move || {
                view! { <Edit site=id environment=environment.get_value() edited=edited.get() variables /> }
            }}
            <Paste site=id environment=environment.get_value() variables />
            <p class="text-sm text-muted">
                "Services are also given APP_ENV, APP_URL, APP_DOMAIN, JWT_SECRET, SESSION_SECRET and, with a database, \
                DATABASE_URL and DB_HOST, DB_PORT, DB_NAME, DB_USER, DB_PASSWORD. A variable of yours with one of these \
                names takes its place. PORT is always the platform's."
            </p>
        </div>
    }
}

/// What is saved is not yet what runs.
#[component]
fn Apply(current: model::DeploymentId, version: i64) -> impl IntoView {
    let form = Form::<Rollback>::new();
    view! {
        <Alert tone=Tone::Info>
            <div class="flex flex-wrap items-center justify-between gap-3">
                <p>
                    {format!("Version {version} is saved. It takes effect with the next deployment.")}
                    {move || {
                        form.failure.get().map(|it| view! { <span class="block text-error">{it.problem.detail}</span> })
                    }}
                </p>
                <ActionForm action=form.action>
                    <input type="hidden" name="id" value=current.to_string() />
                    <input type="hidden" name="variables" value="now" />
                    <Button kind="submit" icon=Glyph::Repeat busy=form.pending>
                        "Apply now"
                    </Button>
                </ActionForm>
            </div>
        </Alert>
    }
}

#[component]
fn Line(
    site: SiteId,
    environment: String,
    variable: VariableView,
    variables: RwSignal<VariablesView>,
) -> impl IntoView {
    let VariableView { name, secret, value } = variable;
    let here = address(site, &environment);
    let query = use_query_map();
    let is_going = {
        let name = name.clone();
        Memo::new(move |_| query.read().get("remove").as_deref() == Some(&name))
    };
    let (edit, ask) = (format!("{here}?edit={name}#value"), format!("{here}?remove={name}"));
    let shown = match value {
        Some(value) if value.is_empty() => view! { <span class="italic">"empty"</span> }.into_any(),
        Some(value) => {
            let lines = value.lines().count();
            let first = value.lines().next().unwrap_or_default().to_owned();
            view! {
                <span class="font-mono">{first}</span>
                {(lines > 1).then(|| format!(" … {lines} lines"))}
            }
            .into_any()
        }
        None => view! { <span class="italic">"secret, not shown again"</span> }.into_any(),
    };
    let edit_label = format!("Edit {name}");
    let remove_label = format!("Remove {name}");
    view! {
        <li class="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-3 sm:px-5">
            <div class="min-w-0 flex-1">
                <p class="flex min-w-0 items-center gap-2 text-sm">
                    {secret.then(|| view! { <Icon glyph=Glyph::Key class="size-3.5 text-muted" /> })}
                    <span class="truncate font-mono font-medium">{name.clone()}</span>
                </p>
                <p class="truncate text-xs text-muted">{shown}</p>
            </div>
            {move || {
                if is_going.get() {
                    view! { <Remove site environment=environment.clone() name=name.clone() variables /> }.into_any()
                } else {
                    view! {
                        <div class="flex items-center">
                            <a href=edit.clone() data-noscroll class="btn btn-ghost" aria-label=edit_label.clone()>
                                "Edit"
                            </a>
                            <a href=ask.clone() data-noscroll class="btn btn-ghost btn-square" aria-label=remove_label.clone()>
                                <Icon glyph=Glyph::Trash />
                            </a>
                        </div>
                    }
                        .into_any()
                }
            }}
        </li>
    }
}

#[component]
fn Remove(site: SiteId, environment: String, name: String, variables: RwSignal<VariablesView>) -> impl IntoView {
    let form = Form::<RemoveVariable>::new();
    let here = address(site, &environment);
    form.on_done(move |fresh| variables.set(fresh));
    view! {
        <ActionForm action=form.action attr:class="flex flex-wrap items-center gap-2">
            <input type="hidden" name="site" value=site.to_string() />
            <input type="hidden" name="environment" value=environment />
            <input type="hidden" name="name" value=name.clone() />
            {move || form.failure.get().map(|it| view! { <p class="field-error">{it.problem.detail}</p> })}
            <Button kind="submit" look=Look::Danger busy=form.pending>
                {format!("Remove {name} for good")}
            </Button>
            <a href=here data-noscroll class="btn btn-ghost">
                "Keep it"
            </a>
        </ActionForm>
    }
}

/// Adding a variable, or changing the one that the page's address names.
#[component]
fn Edit(
    site: SiteId,
    environment: String,
    edited: Option<VariableView>,
    variables: RwSignal<VariablesView>,
) -> impl IntoView {
    let form = Form::<PutVariable>::new();
    let (toasts, navigate) = (use_toasts(), use_navigate());
    let here = address(site, &environment);
    let there = here.clone();
    form.on_done(move |fresh| {
        variables.set(fresh);
        toasts.say("Saved. It takes effect with the next deployment.");
        navigate(&there, NavigateOptions { scroll: false, ..NavigateOptions::default() });
    });
    let is_edit = edited.is_some();
    let (name, value, secret) = match edited {
        Some(it) => (Some(it.name), it.value, it.secret),
        None => (form.kept("name"), None, false),
    };
    let title = if is_edit { "Change a variable" } else { "Add a variable" };
    view! {
        <Panel title>
            <ActionForm action=form.action attr:class="flex flex-col gap-4">
                {form.refusal(&["name", "value"])}
                <input type="hidden" name="site" value=site.to_string() />
                <input type="hidden" name="environment" value=environment />
                {(is_edit && secret).then(|| view! { <input type="hidden" name="keep" value="true" /> })}
                <Field
                    name="name"
                    label="Name"
                    required=true
                    verbatim=true
                    placeholder="API_KEY"
                    value=name
                    error=form.error("name")
                />
                <TextArea
                    name="value"
                    label="Value"
                    value=value
                    error=form.error("value")
                    hint=(is_edit && secret).then(|| "Leave it empty to keep the value it has.".to_owned())
                />
                <Check
                    name="secret"
                    label="Secret"
                    hint="Never shown again, and cut out of logs."
                    checked=secret
                />
                <div class="flex items-center gap-2">
                    <Button kind="submit" look=Look::Primary busy=form.pending>
                        "Save"
                    </Button>
                    {is_edit
                        .then(|| {
                            view! {
                                <a href=here data-noscroll class="btn btn-ghost">
                                    "Cancel"
                                </a>
                            }
                        })}
                </div>
            </ActionForm>
        </Panel>
    }
}

#[component]
fn Paste(site: SiteId, environment: String, variables: RwSignal<VariablesView>) -> impl IntoView {
    let form = Form::<ImportVariables>::new();
    let toasts = use_toasts();
    form.on_done(move |fresh| {
        variables.set(fresh);
        toasts.say("Saved. It takes effect with the next deployment.");
    });
    view! {
        <Panel title="Paste a .env file">
            <ActionForm action=form.action attr:class="flex flex-col gap-4">
                {form.refusal(&["text"])}
                <input type="hidden" name="site" value=site.to_string() />
                <input type="hidden" name="environment" value=environment />
                <TextArea
                    name="text"
                    label="Text of the file"
                    rows=5
                    placeholder="NAME=value"
                    error=form.error("text")
                    hint="Variables with these names get these values; the others stay.".to_owned()
                />
                <Check name="as_secrets" label="All of them are secrets" checked=true />
                <div>
                    <Button kind="submit" busy=form.pending>
                        "Import"
                    </Button>
                </div>
            </ActionForm>
        </Panel>
    }
}

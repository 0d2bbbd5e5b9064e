//! The page of API tokens: what there is, and making one.

use super::server::{CreateToken, DeleteToken, Tokens, list_tokens};
use crate::{
    account::{AccountTab, AccountTabs},
    components::{
        Alert, Button, CopyField, EmptyState, FailureView, Field, Glyph, Icon, Loading, Look, PageHeader, Panel,
        TimeAgo, Tone, use_toasts,
    },
    form::Form,
    format,
};
use leptos::{either::Either, form::ActionForm, prelude::*};
use leptos_meta::Title;
use model::{
    Scope, SiteId, TokenId,
    views::{TeamView, TokenView},
};

/// For how long a token can be good, in days.
const DAYS: [(&str, &str); 4] = [("30", "30 days"), ("90", "90 days"), ("365", "A year"), ("", "For ever")];

/// The page.
#[component]
pub fn TokensPage() -> impl IntoView {
    let (create, remove) = (Form::<CreateToken>::new(), Form::<DeleteToken>::new());
    let toasts = use_toasts();
    let changes = RwSignal::new(0);
    let fresh = RwSignal::new(None::<String>);
    create.on_done(move |made| {
        fresh.set(Some(made.token));
        changes.update(|count| *count += 1);
    });
    remove.on_done(move |()| {
        toasts.say("The token is removed.");
        changes.update(|count| *count += 1);
    });
    let answers = Resource::new_blocking(move || changes.get(), |_| list_tokens());
    view! {
        <Title text="API tokens" />
        <PageHeader title="API tokens" about=move || "What programs sign in with: pipelines, scripts, and Git when it pushes." />
        <AccountTabs current=AccountTab::Tokens />
        <Transition fallback=Loading>
            {move || Suspend::new(async move {
                match answers.await {
                    Ok(tokens) => Either::Left(view! { <List tokens fresh create remove /> }),
                    Err(failure) => Either::Right(view! { <FailureView failure /> }),
                }
            })}
        </Transition>
    }
}

#[component]
fn List(
    tokens: Tokens,
    fresh: RwSignal<Option<String>>,
    create: Form<CreateToken>,
    remove: Form<DeleteToken>,
) -> impl IntoView {
    let Tokens { items, fresh: from_session, teams, sites, is_admin } = tokens;
    let shown = move || fresh.get().or_else(|| from_session.clone());
    view! {
        <div class="flex max-w-3xl flex-col gap-6">
            {move || {
                shown()
                    .map(|token| {
                        view! {
                            <Alert tone=Tone::Success>
                                <div class="flex flex-col gap-3">
                                    <p>"This is your new token. Copy it now: it is not shown again."</p>
                                    <CopyField label="New token" value=Signal::stored(token) />
                                </div>
                            </Alert>
                        }
                    })
            }}
            <p class="text-sm text-muted">
                "What can be done with them: "
                <a class="link-accent" href="/api/docs" rel="external">
                    "the API"
                </a>
            </p>
            <Panel title="Tokens" flush=true>
                {move || remove.failure.get().map(|it| view! { <p class="field-error p-4">{it.problem.detail}</p> })}
                {if items.is_empty() {
                    view! {
                        <EmptyState
                            glyph=Glyph::Key
                            title="No tokens yet"
                            text="A program signs in with a token: a pipeline that deploys, a script that reads, Git when it pushes."
                        />
                    }
                        .into_any()
                } else {
                    view! {
                        <ul class="divide-y divide-base-300">
                            {items.into_iter().map(|token| view! { <Line token remove /> }).collect_view()}
                        </ul>
                    }
                        .into_any()
                }}
            </Panel>
            <New create teams sites is_admin />
        </div>
    }
}

#[component]
fn Line(token: TokenView, remove: Form<DeleteToken>) -> impl IntoView {
    let id: TokenId = token.id;
    let scopes: Vec<&str> = token.scopes.iter().map(|scope| scope.as_str()).collect();
    let label = format!("Remove {}", token.name);
    let place = token.site_name.unwrap_or_else(|| format!("all sites of {}", token.team.name));
    view! {
        <li class="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-3 sm:px-5">
            <div class="min-w-0 flex-1">
                <p class="break-words text-sm font-medium">
                    {token.name} " " <span class="font-mono text-xs text-muted">{format!("…{}", token.ends_with)}</span>
                </p>
                <p class="break-words text-xs text-muted">{scopes.join(", ")} " · " {place}</p>
                <p class="flex flex-wrap gap-x-3 text-xs text-muted">
                    <span>
                        {match token.last_used_at {
                            Some(at) => Either::Left(view! { "Used " <TimeAgo at /> }),
                            None => Either::Right("Never used"),
                        }}
                    </span>
                    <span>
                        {match token.expires_at {
                            Some(at) => format!("Until {}", format::absolute(at)),
                            None => "For ever".to_owned(),
                        }}
                    </span>
                </p>
            </div>
            <ActionForm action=remove.action>
                <input type="hidden" name="id" value=id.to_string() />
                <button type="submit" class="btn btn-ghost btn-square" aria-label=label.clone() title=label>
                    <Icon glyph=Glyph::Trash />
                </button>
            </ActionForm>
        </li>
    }
}

#[component]
fn New(create: Form<CreateToken>, teams: Vec<TeamView>, sites: Vec<(SiteId, String)>, is_admin: bool) -> impl IntoView {
    let scopes = Scope::ALL.into_iter().filter(move |scope| is_admin || *scope != Scope::Metrics);
    let error = create.error("scopes");
    view! {
        <Panel title="Make a token">
            <ActionForm action=create.action attr:class="flex flex-col gap-4">
                {create.refusal(&["name", "scopes"])}
                <Field
                    name="name"
                    label="Name"
                    required=true
                    placeholder="Deploy from the pipeline"
                    value=create.kept("name")
                    error=create.error("name")
                />
                <fieldset class="flex flex-col gap-2">
                    <legend class="mb-1 text-sm font-medium">"It may"</legend>
                    {scopes
                        .enumerate()
                        .map(|(number, scope)| {
                            view! {
                                <label class="flex items-start gap-3 text-sm">
                                    <input
                                        type="checkbox"
                                        name=format!("scopes[{number}]")
                                        value=scope.as_str()
                                        class="checkbox checkbox-sm mt-0.5"
                                    />
                                    <span>
                                        {scope.about()} " " <code class="font-mono text-xs text-muted">{scope.as_str()}</code>
                                    </span>
                                </label>
                            }
                        })
                        .collect_view()}
                    {move || error.get().map(|message| view! { <p class="field-error">{message}</p> })}
                </fieldset>
                <div class="grid gap-4 sm:grid-cols-2">
                    <label class="flex flex-col gap-1.5 text-sm font-medium">
                        "Sites" <select name="site" class="field select-field">
                            {teams
                                .into_iter()
                                .map(|team| {
                                    let value = format!("team:{}", team.id);
                                    view! { <option value=value>{format!("All sites of {}", team.name)}</option> }
                                })
                                .collect_view()}
                            {sites
                                .into_iter()
                                .map(|(id, name)| view! { <option value=id.to_string()>{name}</option> })
                                .collect_view()}
                        </select>
                    </label>
                    <label class="flex flex-col gap-1.5 text-sm font-medium">
                        "Good for" <select name="days" class="field select-field">
                            {DAYS
                                .map(|(days, words)| {
                                    view! {
                                        <option value=days selected=days == "90">
                                            {words}
                                        </option>
                                    }
                                })
                                .collect_view()}
                        </select>
                    </label>
                </div>
                <div>
                    <Button kind="submit" look=Look::Primary busy=create.pending>
                        "Make the token"
                    </Button>
                </div>
            </ActionForm>
        </Panel>
    }
}

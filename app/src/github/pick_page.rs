//! A site from a repository on GitHub: connected, searched, picked.

use super::server::{Ways, get_github_ways, list_github_repositories};
use crate::{
    components::{Alert, Button, EmptyState, FailureView, Field, Glyph, Loading, Look, PageHeader, Panel, Tone},
    failure::Failure,
    form::Form,
    sites::server::CreateSite,
};
use leptos::{form::ActionForm, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use model::views::{GitHubRepositoryView, InstallationView, TeamView};
use serde::{Deserialize, Serialize};

/// What the address says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Wanted {
    installation: Option<i64>,
    q: String,
    repository: Option<String>,
}

/// The page.
#[component]
pub fn GitHubPickPage() -> impl IntoView {
    let query = use_query_map();
    let wanted = Memo::new(move |_| {
        let query = query.read();
        Wanted {
            installation: query.get("installation").and_then(|id| id.parse().ok()),
            q: query.get("q").unwrap_or_default(),
            repository: query.get("repository"),
        }
    });
    let ways = Resource::new_blocking(
        move || wanted.get(),
        |wanted| async move {
            let ways = get_github_ways().await?;
            let first = ways.installations.iter().find(|it| !it.suspended).map(|it| it.id);
            let repositories = match wanted.installation.or(first) {
                Some(installation) => {
                    Some((installation, list_github_repositories(installation, wanted.q.clone()).await))
                }
                None => None,
            };
            Ok::<_, Failure>((wanted, ways, repositories))
        },
    );
    view! {
        <Title text="New site from GitHub" />
        <PageHeader
            title="New site from GitHub"
            crumbs=vec![("Sites".to_owned(), "/sites".to_owned()), ("New site".to_owned(), "/sites/new".to_owned())]
        />
        <Suspense fallback=Loading>
            {move || Suspend::new(async move {
                match ways.await {
                    Err(failure) => view! { <FailureView failure /> }.into_any(),
                    Ok((_, Ways { registered: false, .. }, _)) => {
                        view! {
                            <EmptyState
                                glyph=Glyph::Branch
                                title="GitHub is not connected yet"
                                text="The operator of this platform registers a GitHub App first."
                            />
                        }
                            .into_any()
                    }
                    Ok((_, Ways { teams, .. }, None)) => {
                        view! {
                            <EmptyState
                                glyph=Glyph::Branch
                                title="Connect GitHub"
                                text="Install the GitHub App for your account or organization, and choose what it may read."
                            >
                                <Connect teams />
                            </EmptyState>
                        }
                            .into_any()
                    }
                    Ok((wanted, ways, Some((installation, found)))) => {
                        if let Some(repository) = wanted.repository {
                            let team = ways.installations.iter().find(|it| it.id == installation);
                            let team = team.map(|it| it.team_id.to_string()).unwrap_or_default();
                            view! { <Make installation repository team /> }.into_any()
                        } else {
                            let Ways { installations, teams, .. } = ways;
                            view! { <Pick installations installation q=wanted.q found teams /> }.into_any()
                        }
                    }
                }
            })}
        </Suspense>
    }
}

/// To GitHub, for the one team, or for a chosen one of several.
#[component]
fn Connect(teams: Vec<TeamView>) -> impl IntoView {
    if teams.len() > 1 {
        return view! {
            <form method="get" action="/github/connect" class="flex flex-wrap items-end gap-3">
                <label class="flex min-w-0 flex-col gap-1.5 text-left text-sm font-medium">
                    "For the team" <select name="team" class="field select-field">
                        {teams
                            .into_iter()
                            .map(|team| view! { <option value=team.id.to_string()>{team.name}</option> })
                            .collect_view()}
                    </select>
                </label>
                <button class="btn btn-primary">"Install the GitHub App"</button>
                <button class="btn btn-plain" name="again" value="true">
                    "It is installed already"
                </button>
            </form>
        }
        .into_any();
    }
    view! {
        <a class="btn btn-primary" href="/github/connect" rel="external">
            "Install the GitHub App"
        </a>
        <a class="btn btn-plain" href="/github/connect?again=true" rel="external">
            "It is installed already"
        </a>
    }
    .into_any()
}

#[component]
fn Search(installations: Vec<InstallationView>, installation: i64, q: String) -> impl IntoView {
    let accounts: Vec<_> = installations
        .into_iter()
        .map(|it| {
            view! {
                <option value=it.id.to_string() selected=it.id == installation disabled=it.suspended>
                    {it.account}
                </option>
            }
        })
        .collect();
    view! {
        <form method="get" action="/sites/new/github" class="flex flex-wrap items-end gap-3" role="search">
            <label class="flex min-w-0 flex-col gap-1.5 text-sm font-medium">
                "Account" <select name="installation" class="field select-field">
                    {accounts}
                </select>
            </label>
            <Field name="q" label="Repository" marked=false verbatim=true value=q />
            <Button kind="submit">"Search"</Button>
        </form>
    }
    .into_any()
}

#[component]
fn Pick(
    installations: Vec<InstallationView>,
    installation: i64,
    q: String,
    found: Result<Vec<GitHubRepositoryView>, Failure>,
    teams: Vec<TeamView>,
) -> impl IntoView {
    view! {
        <div class="flex max-w-3xl flex-col gap-6">
            <Search installations installation q />
            <Panel title="Repositories" flush=true>
                {match found {
                    Err(failure) => view! { <Alert tone=Tone::Warning>{failure.problem.detail}</Alert> }.into_any(),
                    Ok(found) if found.is_empty() => {
                        view! { <p class="px-5 py-4 text-sm text-muted">"No repository has this in its name."</p> }.into_any()
                    }
                    Ok(found) => {
                        view! {
                            <ul class="divide-y divide-base-300">
                                {found
                                    .into_iter()
                                    .map(|it| {
                                        let href = format!(
                                            "/sites/new/github?installation={installation}&repository={}",
                                            it.full_name,
                                        );
                                        let about = if it.private { "private" } else { "public" };
                                        view! {
                                            <li>
                                                <a href=href class="row-link flex flex-wrap justify-between gap-2 px-4 py-3 sm:px-5">
                                                    <span class="min-w-0 truncate text-sm font-medium">{it.full_name}</span>
                                                    <span class="text-xs text-muted">
                                                        {format!("{about} · {}", it.default_branch)}
                                                    </span>
                                                </a>
                                            </li>
                                        }
                                    })
                                    .collect_view()}
                            </ul>
                        }
                            .into_any()
                    }
                }}
            </Panel>
            <div class="flex flex-wrap gap-3">
                <Connect teams />
            </div>
        </div>
    }
}

#[component]
fn Make(installation: i64, repository: String, team: String) -> impl IntoView {
    let form = Form::<CreateSite>::new();
    let name = repository.rsplit('/').next().unwrap_or_default().to_owned();
    view! {
        <ActionForm action=form.action attr:class="flex max-w-2xl flex-col gap-4">
            {form.refusal(&["name", "slug", "git_branch"])}
            <input type="hidden" name="source" value="github" />
            <input type="hidden" name="team" value=team />
            <input type="hidden" name="github" value=format!("{installation}:{repository}") />
            <p class="text-sm">
                "Repository " <code class="font-mono">{repository}</code>
            </p>
            <Field
                name="git_branch"
                label="Branch"
                verbatim=true
                value=form.kept("git_branch")
                error=form.error("git_branch")
                hint="Empty: the repository's default branch."
            />
            <Field name="name" label="Name" required=true value=form.kept("name").unwrap_or(name) error=form.error("name") />
            <Field
                name="slug"
                label="Address"
                verbatim=true
                value=form.kept("slug")
                error=form.error("slug")
                hint="Empty: made from the name."
            />
            <div>
                <Button kind="submit" look=Look::Primary icon=Glyph::Rocket busy=form.pending>
                    "Create and deploy"
                </Button>
            </div>
        </ActionForm>
    }
}

//! Making a site: where its code comes from, what it is called, where it answers.

use super::{
    deploy_key::KeyToAdd,
    server::{CreateSite, check_slug, list_templates},
};
use crate::{
    components::{Button, FailureView, Field, Glyph, Icon, Loading, Look, PageHeader},
    failure::Failure,
    form::Form,
    teams::server::list_teams,
};
use leptos::{either::Either, form::ActionForm, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use model::{
    Role,
    names::{SiteSlug, suggest_slug},
    views::{SlugCheck, TeamView, TemplateView},
};

/// The page.
#[component]
pub fn NewSitePage() -> impl IntoView {
    let answers =
        Resource::new_blocking(|| (), |()| async { Ok::<_, Failure>((list_templates().await?, list_teams().await?)) });
    view! {
        <Title text="New site" />
        <Suspense fallback=Loading>
            {move || Suspend::new(async move {
                match answers.await {
                    Ok((templates, teams)) => Either::Left(view! { <NewSiteForm templates teams /> }),
                    Err(failure) => Either::Right(view! { <FailureView failure /> }),
                }
            })}
        </Suspense>
    }
}

#[component]
fn NewSiteForm(templates: Vec<TemplateView>, teams: Vec<TeamView>) -> impl IntoView {
    let form = Form::<CreateSite>::new();
    let wanted = use_query_map().read_untracked().get("template").map(|id| format!("template:{id}"));
    let chosen = form
        .kept("source")
        .or(wanted)
        .or_else(|| templates.first().map(|template| format!("template:{}", template.id)))
        .unwrap_or_else(|| "git".to_owned());
    let (is_git, is_hosted) = (chosen == "git", chosen == "hosted");
    view! {
        <PageHeader title="New site" crumbs=vec![("Sites".to_owned(), "/sites".to_owned())] />
        <ActionForm action=form.action attr:class="new-site flex max-w-3xl flex-col gap-8">
            {form.refusal(&["name", "slug", "git_url", "git_branch", "git_token"])}
            <fieldset class="flex flex-col gap-3">
                <legend class="mb-3 text-base font-semibold">"Where does the code come from?"</legend>
                <div class="grid gap-3 sm:grid-cols-2">
                    {templates
                        .into_iter()
                        .map(|template| {
                            let value = format!("template:{}", template.id);
                            let checked = value == chosen;
                            let services = template.services.join(" · ");
                            let glyph = if template.services.len() > 1 { Glyph::Stack } else { Glyph::Globe };
                            view! {
                                <Choice
                                    value
                                    checked
                                    glyph
                                    title=template.name
                                    text=template.description
                                    detail=services
                                />
                            }
                        })
                        .collect_view()}
                    <Choice
                        value="git"
                        checked=is_git
                        glyph=Glyph::Branch
                        title="Git repository"
                        text="Any repository that can be reached over HTTPS or SSH."
                        detail="Dockerfile · webmeteor.toml · index.html"
                    />
                    <Choice
                        value="hosted"
                        checked=is_hosted
                        glyph=Glyph::Box
                        title="Empty repository"
                        text="Kept here, for you to push to. The first push deploys."
                        detail="git push"
                    />
                </div>
                <p class="text-sm">
                    <a class="link-accent" href="/sites/new/github">
                        "From a repository on GitHub"
                    </a>
                </p>
            </fieldset>
            <div class="git-fields flex flex-col gap-4">
                <Field
                    name="git_url"
                    label="Repository"
                    marked=false
                    verbatim=true
                    placeholder="https://example.org/me/site.git"
                    value=form.kept("git_url")
                    error=form.error("git_url")
                    hint="Or over SSH, such as git@example.org:me/site.git: you are given a key to add at the forge."
                />
                <KeyToAdd key=form.deploy_key() />
                <div class="grid gap-4 sm:grid-cols-2">
                    <Field
                        name="git_branch"
                        label="Branch"
                        verbatim=true
                        value=form.kept("git_branch")
                        error=form.error("git_branch")
                        hint="Empty: the repository's default branch."
                    />
                    <Field
                        name="git_token"
                        label="Access token"
                        kind="password"
                        autocomplete="off"
                        error=form.error("git_token")
                        hint="For private repositories over HTTPS; kept encrypted."
                    />
                </div>
            </div>
            <NameAndAddress form />
            <TeamChoice teams kept=form.kept("team") />
            <div class="flex flex-wrap items-center gap-3">
                <Button kind="submit" look=Look::Primary icon=Glyph::Rocket busy=form.pending>
                    <span class="unless-hosted">"Create and deploy"</span>
                    <span class="when-hosted">"Create"</span>
                </Button>
                <p class="text-sm text-muted unless-hosted">"The first deployment begins at once."</p>
                <p class="text-sm text-muted when-hosted">"Its page then says where to push."</p>
            </div>
        </ActionForm>
    }
}

/// Which team it is for; in a single one there is nothing to choose.
#[component]
fn TeamChoice(teams: Vec<TeamView>, kept: Option<String>) -> impl IntoView {
    let teams: Vec<_> = teams.into_iter().filter(|team| team.role.is_some_and(Role::may_write)).collect();
    (teams.len() > 1).then(|| {
        view! {
            <label class="flex max-w-sm flex-col gap-1.5 text-sm font-medium">
                "Team" <select name="team" class="field select-field">
                    {teams
                        .into_iter()
                        .map(|team| {
                            let id = team.id.to_string();
                            let selected = kept.as_deref() == Some(id.as_str());
                            view! {
                                <option value=id selected=selected>
                                    {format!("{} ({})", team.name, team.slug)}
                                </option>
                            }
                        })
                        .collect_view()}
                </select>
            </label>
        }
    })
}

#[component]
fn Choice(
    #[prop(into)] value: String,
    checked: bool,
    glyph: Glyph,
    #[prop(into)] title: String,
    #[prop(into)] text: String,
    #[prop(into)] detail: String,
) -> impl IntoView {
    view! {
        <label class="choice">
            <input type="radio" name="source" value=value checked=checked required=true class="choice-input" />
            <span class="choice-glyph">
                <Icon glyph class="size-5" />
            </span>
            <span class="flex min-w-0 flex-col gap-1">
                <span class="text-sm font-semibold">{title}</span>
                <span class="text-sm text-muted">{text}</span>
                <span class="font-mono text-xs text-muted">{detail}</span>
            </span>
        </label>
    }
}

/// How long one pauses in typing before the address is checked.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(250);

/// What is known about the address that stands in the field.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Address {
    Unknown,
    Checking,
    Checked(SlugCheck),
    Refused(String),
}

#[component]
fn NameAndAddress(form: Form<CreateSite>) -> impl IntoView {
    let address = RwSignal::new(Address::Unknown);
    let own = RwSignal::new(form.kept("slug").is_some_and(|slug| !slug.is_empty()));
    let wanted = RwSignal::new(String::new());
    let input = NodeRef::<leptos::html::Input>::new();
    let is_wanted = move |slug: &String| wanted.try_with_untracked(|wanted| wanted == slug).unwrap_or(false);
    let check = move |slug: String| {
        if !is_wanted(&slug) {
            return;
        }
        leptos::task::spawn_local(async move {
            let answer = check_slug(slug.clone()).await;
            if is_wanted(&slug) {
                address.try_set(match answer {
                    Ok(answer) => Address::Checked(answer),
                    Err(failure) => Address::Refused(failure.problem.detail),
                });
            }
        });
    };
    // An address made from a name that is still being typed is not complained about.
    let ask = move |slug: String, is_own: bool| {
        wanted.set(slug.clone());
        if slug.is_empty() {
            address.set(Address::Unknown);
            return;
        }
        match SiteSlug::parse(&slug) {
            Ok(slug) => {
                address.set(Address::Checking);
                wanted.set(slug.as_str().to_owned());
                set_timeout(move || check(slug.into()), PAUSE);
            }
            Err(_) if !is_own => address.set(Address::Unknown),
            Err(error) => address.set(Address::Refused(error.message)),
        }
    };
    let on_name = move |ev| {
        if own.get_untracked() {
            return;
        }
        let slug = suggest_slug(&event_target_value(&ev));
        if let Some(input) = input.get_untracked() {
            input.set_value(&slug);
        }
        ask(slug, false);
    };
    let on_slug = move |ev| {
        let typed = event_target_value(&ev);
        own.set(!typed.is_empty());
        ask(typed, true);
    };
    let refused = form.error("slug");
    let error = Signal::derive(move || match &*address.read() {
        Address::Refused(message) => Some(message.clone()),
        Address::Checked(check) if !check.available => Some(check.message.clone()),
        Address::Unknown => refused.get(),
        _ => None,
    });
    let note = move || {
        let words = match address.get() {
            Address::Checking => view! {
                <span class="inline-flex items-center gap-1.5">
                    <Icon glyph=Glyph::Spinner class="size-3.5" />
                    "Checking…"
                </span>
            }
            .into_any(),
            Address::Checked(check) if check.available => view! {
                <span class="inline-flex items-center gap-1.5 text-success">
                    <Icon glyph=Glyph::Check class="size-3.5" />
                    {check.message}
                </span>
            }
            .into_any(),
            _ => "Lower-case letters, digits and hyphens. Empty: made from the name.".into_any(),
        };
        view! { <span aria-live="polite">{words}</span> }
    };
    view! {
        <div class="grid gap-4 sm:grid-cols-2">
            <Field
                name="name"
                label="Name"
                required=true
                value=form.kept("name")
                error=form.error("name")
                on:input=on_name
            />
            <Field
                name="slug"
                label="Address"
                verbatim=true
                value=form.kept("slug")
                error=error
                node_ref=input
                note=move || note()
                on:input=on_slug
            />
        </div>
    }
}

//! A site's pull requests and their previews.

use super::{
    line::Line,
    server::{ApprovePreview, RemovePreview, SetPreviews, list_previews},
    settings::SettingsPanel,
};
use crate::{
    components::{Alert, ButtonLink, EmptyState, FailureView, Glyph, Loading, PageHeader, Panel, Tone, use_toasts},
    failure::Failure,
    form::Form,
    live,
    sites::{get_site, may_write, use_site_id},
};
use leptos::{either::Either, prelude::*};
use leptos_meta::Title;
use leptos_router::{NavigateOptions, components::A, hooks::use_navigate};
use model::views::{PreviewView, SiteView};

/// The page.
#[component]
pub fn PreviewsPage() -> impl IntoView {
    let id = use_site_id();
    let forms = Forms { approve: Form::new(), remove: Form::new(), set: Form::new() };
    let answers = Resource::new_blocking(
        move || (id.get(), forms.set.action.version().get()),
        |(id, _)| async move {
            let id = id?;
            Ok::<_, Failure>((get_site(id).await?, list_previews(id).await?))
        },
    );
    view! {
        <Title text="Previews" />
        <Transition fallback=Loading>
            {move || Suspend::new(async move {
                match answers.await {
                    Ok((site, previews)) => Either::Left(view! { <Previews site previews forms /> }),
                    Err(failure) => Either::Right(view! { <FailureView failure /> }),
                }
            })}
        </Transition>
    }
}

/// What can be done on the page.
#[derive(Clone, Copy)]
struct Forms {
    approve: Form<ApprovePreview>,
    remove: Form<RemovePreview>,
    set: Form<SetPreviews>,
}

#[component]
fn Previews(site: SiteView, previews: Vec<PreviewView>, forms: Forms) -> impl IntoView {
    let id = site.id;
    let crumbs = vec![("Sites".to_owned(), "/sites".to_owned()), (site.name.clone(), format!("/sites/{id}"))];
    if site.repository.kind != "remote" {
        return view! {
            <PageHeader title="Previews" crumbs />
            <Panel title="Pull requests" flush=true>
                <EmptyState
                    glyph=Glyph::Branch
                    title="No pull requests here"
                    text="This site's repository is kept by the platform, and there are no pull requests in it. An environment of its own for a branch does the same."
                />
            </Panel>
        }
        .into_any();
    }
    let (may_write, settings) = (may_write(&site), site.previews);
    let shown = RwSignal::new(previews);
    let refresh = async move || {
        if let Ok(fresh) = list_previews(id).await {
            shown.try_set(fresh);
        }
    };
    live::on_site(id, refresh);
    let (toasts, navigate) = (use_toasts(), use_navigate());
    let put = move |fresh: PreviewView| {
        shown.update(|all| all.iter_mut().filter(|it| it.number == fresh.number).for_each(|it| *it = fresh.clone()));
    };
    forms.approve.on_done(move |fresh| {
        put(fresh);
        toasts.say("Approved. It is being deployed.");
    });
    forms.remove.on_done(move |fresh| {
        put(fresh);
        toasts.say("The preview is being removed.");
        navigate(&super::address(id), NavigateOptions { scroll: false, ..NavigateOptions::default() });
    });
    let refused = [forms.approve.error_beside(&[]), forms.remove.error_beside(&[])];
    view! {
        <PageHeader
            title="Previews"
            crumbs
            about=|| {
                "Each pull request is live at an address of its own, with its own database, until it is closed."
            }
        >
            {may_write
                .then(|| {
                    view! {
                        <ButtonLink href=format!("{}/variables", super::address(id)) icon=Glyph::Key>
                            "Variables"
                        </ButtonLink>
                    }
                })}
        </PageHeader>
        <div class="flex max-w-4xl flex-col gap-6">
            {refused
                .map(|message| {
                    move || message.get().map(|message| view! { <Alert tone=Tone::Danger>{message}</Alert> })
                })
                .into_iter()
                .collect_view()}
            <Panel title="Pull requests" flush=true>
                {move || {
                    if shown.read().is_empty() {
                        view! { <Nothing site=site.clone() /> }.into_any()
                    } else {
                        view! {
                            <ul class="divide-y divide-base-300">
                                <For each=move || shown.get() key=key let:preview>
                                    <Line site=id preview may_write approve=forms.approve remove=forms.remove />
                                </For>
                            </ul>
                        }
                            .into_any()
                    }
                }}
            </Panel>
            {may_write.then(|| view! { <SettingsPanel site=id settings form=forms.set /> })}
        </div>
    }
    .into_any()
}

/// A line is made anew when one of these changes.
fn key(it: &PreviewView) -> impl Eq + std::hash::Hash + use<> {
    let deployment = it.latest_deployment.as_ref().map(|of| (of.id, of.status, of.is_current));
    (it.number, it.title.clone(), it.state, it.commit.clone(), it.status, deployment, it.active_at)
}

#[component]
fn Nothing(site: SiteView) -> impl IntoView {
    let text = if site.previews.enabled {
        "Let the forge's webhook send pull requests (GitLab: merge requests) beside pushes. The next one that is opened, \
         or pushed to, appears here."
    } else {
        "Previews are turned off. Turn them on below, and let the forge's webhook send pull requests (GitLab: merge \
         requests) beside pushes."
    };
    view! {
        <EmptyState glyph=Glyph::Branch title="No pull requests yet" text=text>
            <A href=crate::webhooks::address(site.id) attr:class="btn btn-plain">
                "The webhook's address and secret"
            </A>
        </EmptyState>
    }
}

//! The domains of an environment.

use super::{
    line::{Forms, Line},
    server::{AddDomain, list_domains},
};
use crate::{
    components::{
        Alert, Button, EmptyState, FailureView, Field, Glyph, Loading, Look, PageHeader, Panel, Tone, use_toasts,
    },
    environments::{EnvironmentTabs, list_environments, use_environment},
    failure::Failure,
    form::Form,
    live,
    sites::{get_site, may_write},
};
use leptos::{either::Either, form::ActionForm, prelude::*};
use leptos_meta::Title;
use leptos_router::{NavigateOptions, hooks::use_navigate};
use model::{
    Problem,
    views::{DomainView, EnvironmentView, SiteView, VerificationState},
};

/// The page.
#[component]
pub fn DomainsPage() -> impl IntoView {
    let place = use_environment();
    let answers = Resource::new_blocking(
        move || place.get(),
        |place| async move {
            let (site, name) = place?;
            let environments = list_environments(site).await?;
            if environments.iter().all(|it| it.name != name) {
                return Err(Problem::not_found("environment").into());
            }
            let domains = list_domains(site, name.clone()).await?;
            Ok::<_, Failure>((get_site(site).await?, environments, name, domains))
        },
    );
    view! {
        <Title text="Domains" />
        <Suspense fallback=Loading>
            {move || Suspend::new(async move {
                match answers.await {
                    Ok((site, environments, name, domains)) => {
                        Either::Left(view! { <Domains site environments name domains /> })
                    }
                    Err(failure) => Either::Right(view! { <FailureView failure /> }),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Domains(
    site: SiteView,
    environments: Vec<EnvironmentView>,
    name: String,
    domains: Vec<DomainView>,
) -> impl IntoView {
    let id = site.id;
    let crumbs = vec![("Sites".to_owned(), "/sites".to_owned()), (site.name.clone(), format!("/sites/{id}"))];
    let may_write = may_write(&site);
    let host = environments.iter().find(|it| it.name == name).map(|it| it.host.clone()).unwrap_or_default();
    let shown = RwSignal::new(domains);
    let place = StoredValue::new(name.clone());
    let refresh = move || async move {
        if let Ok(fresh) = list_domains(id, place.get_value()).await {
            shown.try_set(fresh);
        }
    };
    live::on_site(id, refresh);
    let add = Form::<AddDomain>::new();
    let forms = Forms { check: Form::new(), primary: Form::new(), remove: Form::new() };
    let (toasts, navigate) = (use_toasts(), use_navigate());
    let again = move || {
        leptos::task::spawn_local(refresh());
    };
    add.on_done(move |_| {
        toasts.say("Added. Set its records, then check.");
        again();
    });
    forms.check.on_done(move |fresh| {
        toasts.say(if fresh.verification.state == VerificationState::Verified {
            "The record is there."
        } else {
            "The record was not found."
        });
        again();
    });
    forms.primary.on_done(move |_| again());
    forms.remove.on_done(move |()| {
        toasts.say("Removed.");
        again();
        navigate(
            &super::address(id, &place.get_value()),
            NavigateOptions { scroll: false, ..NavigateOptions::default() },
        );
    });
    let refused = [forms.check.error_beside(&[]), forms.primary.error_beside(&[]), forms.remove.error_beside(&[])];
    view! {
        <PageHeader
            title="Domains"
            crumbs
            about={
                let (name, host) = (name.clone(), host.clone());
                move || {
                    view! {
                        {name.clone()} " always answers at " <code class="font-mono">{host.clone()}</code>
                        ", and at the domains that are verified here."
                    }
                }
            }
        />
        <EnvironmentTabs environments current=name.clone() href=move |name| super::address(id, name) />
        <div class="flex max-w-3xl flex-col gap-6">
            {refused
                .map(|message| {
                    move || message.get().map(|message| view! { <Alert tone=Tone::Danger>{message}</Alert> })
                })
                .into_iter()
                .collect_view()}
            <Panel title="Domains" flush=true>
                {move || {
                    if shown.read().is_empty() {
                        view! {
                            <EmptyState
                                glyph=Glyph::Globe
                                title="No domains yet"
                                text="With a domain of your own visitors reach this environment by a name that you keep."
                            />
                        }
                            .into_any()
                    } else {
                        view! {
                            <ul class="divide-y divide-base-300">
                                <For each=move || shown.get() key=key let:domain>
                                    <Line site=id domain may_write forms />
                                </For>
                            </ul>
                        }
                            .into_any()
                    }
                }}
            </Panel>
            {may_write
                .then(|| {
                    view! {
                        <Panel title="Add a domain">
                            <ActionForm action=add.action attr:class="flex flex-col gap-4">
                                {add.refusal(&["host"])}
                                <input type="hidden" name="site" value=id.to_string() />
                                <input type="hidden" name="environment" value=name />
                                <Field
                                    name="host"
                                    label="Domain"
                                    required=true
                                    verbatim=true
                                    placeholder="shop.example.org"
                                    value=add.kept("host")
                                    error=add.error("host")
                                    hint="The name alone. It leads here once a DNS record proves that it is yours."
                                />
                                <div>
                                    <Button kind="submit" look=Look::Primary busy=add.pending>
                                        "Add domain"
                                    </Button>
                                </div>
                            </ActionForm>
                        </Panel>
                    }
                })}
        </div>
    }
}

/// A line is made anew when one of these changes.
fn key(it: &DomainView) -> impl Eq + std::hash::Hash + use<> {
    let verification = &it.verification;
    (it.id, it.primary, verification.state, verification.checked_at, verification.problem.clone())
}

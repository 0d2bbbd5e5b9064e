//! Registering a GitHub App for this installation.

use super::server::{ForgetGithub, Registration, get_github_app};
use crate::{
    admin::AdminHeader,
    components::{Button, CopyField, FailureView, Field, Loading, Look, Panel},
    form::{Form, load_page},
};
use leptos::{either::Either, form::ActionForm, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use model::views::{GitHubAppView, GitHubManifest};

/// The page, for administrators.
#[component]
pub fn GitHubAdminPage() -> impl IntoView {
    let organization = use_query_map().read_untracked().get("organization").unwrap_or_default();
    let asked = organization.clone();
    let registration = Resource::new_blocking(|| (), move |()| get_github_app(asked.clone()));
    view! {
        <Title text="GitHub" />
        <Suspense fallback=Loading>
            {move || {
                let organization = organization.clone();
                Suspend::new(async move {
                    match registration.await {
                        Ok(Registration { app: Some(app), .. }) => view! { <Registered app /> }.into_any(),
                        Ok(Registration { form: Some(form), .. }) => view! { <Register form organization /> }.into_any(),
                        Ok(_) => ().into_any(),
                        Err(failure) => view! { <FailureView failure /> }.into_any(),
                    }
                })
            }}
        </Suspense>
    }
}

#[component]
fn Registered(app: GitHubAppView) -> impl IntoView {
    let form = Form::<ForgetGithub>::new();
    form.on_done(|()| load_page("/admin/github"));
    view! {
        <AdminHeader title="GitHub" current="/admin/github" />
        <div class="flex max-w-2xl flex-col gap-6">
            <Panel title="GitHub App">
                <div class="flex flex-col gap-4">
                    <p class="text-sm">
                        "Customers connect GitHub through "
                        <a class="link-accent" href=app.url rel="external">
                            {app.slug}
                        </a> "."
                    </p>
                    <CopyField label="Webhook address" value=app.webhook />
                </div>
            </Panel>
            <Panel title="Remove the GitHub App">
                <ActionForm action=form.action attr:class="flex flex-col gap-4">
                    {form.refusal(&[])}
                    <p class="text-sm text-muted">
                        "Sites that come through it are no longer deployed. The App itself is deleted on GitHub."
                    </p>
                    <div>
                        <Button kind="submit" look=Look::Danger busy=form.pending>
                            "Remove"
                        </Button>
                    </div>
                </ActionForm>
            </Panel>
        </div>
    }
}

#[component]
fn Register(form: GitHubManifest, organization: String) -> impl IntoView {
    let whose = if organization.is_empty() {
        Either::Left("It will belong to your own account on GitHub.")
    } else {
        Either::Right(format!("It will belong to the organization {organization}."))
    };
    view! {
        <AdminHeader title="GitHub" current="/admin/github" />
        <div class="flex max-w-2xl flex-col gap-6">
            <Panel title="Register a GitHub App">
                <form method="post" action=form.action class="flex flex-col gap-4">
                    <input type="hidden" name="manifest" value=form.manifest />
                    <p class="text-sm text-muted">
                        "GitHub makes an App for this installation and sends its keys here, where they are kept encrypted. "
                        {whose}
                    </p>
                    <div>
                        <Button kind="submit" look=Look::Primary>
                            "Register on GitHub"
                        </Button>
                    </div>
                </form>
            </Panel>
            <Panel title="For an organization">
                <form method="get" action="/admin/github" class="flex flex-col gap-4">
                    <Field name="organization" label="Organization on GitHub" verbatim=true value=organization />
                    <div>
                        <Button kind="submit">"Use this organization"</Button>
                    </div>
                </form>
            </Panel>
        </div>
    }
}

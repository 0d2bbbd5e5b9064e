//! The installation in numbers, and who may register.

use super::{
    server::{SetSignup, get_overview},
    tabs::AdminHeader,
};
use crate::{
    components::{Button, FailureView, Loading, Panel, use_toasts},
    form::Form,
};
use leptos::{either::Either, form::ActionForm, prelude::*};
use leptos_meta::Title;
use model::views::{OverviewView, SignupMode, SignupView};

/// The page.
#[component]
pub fn OverviewPage() -> impl IntoView {
    let overview = Resource::new_blocking(|| (), |()| get_overview());
    view! {
        <Title text="Administration" />
        <Suspense fallback=Loading>
            {move || Suspend::new(async move {
                match overview.await {
                    Ok(overview) => Either::Left(view! { <Overview overview /> }),
                    Err(failure) => Either::Right(view! { <FailureView failure /> }),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Overview(overview: OverviewView) -> impl IntoView {
    let numbers = [
        ("Accounts", overview.accounts),
        ("Teams", overview.teams),
        ("Sites", overview.sites),
        ("Environments", overview.environments),
        ("Deployments that wait", overview.waiting),
        ("Deployments at work", overview.running),
        ("Deployments in 24 hours", overview.deployments),
        ("Failed of these", overview.failed),
    ];
    view! {
        <AdminHeader title="Administration" current="/admin" />
        <div class="flex max-w-2xl flex-col gap-6">
            <Panel title="In numbers" flush=true>
                <dl class="facts">
                    {numbers
                        .into_iter()
                        .map(|(name, number)| {
                            view! {
                                <div>
                                    <dt>{name}</dt>
                                    <dd class="tabular-nums">{number}</dd>
                                </div>
                            }
                        })
                        .collect_view()}
                </dl>
            </Panel>
            <Panel title="Who may register">
                <Signup signup=overview.signup />
            </Panel>
        </div>
    }
}

#[component]
fn Signup(signup: SignupView) -> impl IntoView {
    let form = Form::<SetSignup>::new();
    let toasts = use_toasts();
    let now = RwSignal::new(signup);
    form.on_done(move |fresh| {
        now.set(fresh);
        toasts.say("Saved. It holds at once.");
    });
    view! {
        <div class="flex flex-col gap-4">
            {form.refusal(&[])}
            <p class="text-sm">
                {move || match now.read().mode {
                    SignupMode::Open => "Everybody may create an account.",
                    SignupMode::Invite => "Accounts are made by invitation.",
                }}
            </p>
            <p class="text-sm text-muted">
                {move || format!("The setting WEBMETEOR_SIGNUP says “{}”.", now.read().configured.as_str())}
            </p>
            <div class="flex flex-wrap gap-2">
                {move || {
                    let SignupView { mode, configured, .. } = now.get();
                    let (other, words) = match mode {
                        SignupMode::Open => ("invite", "By invitation only"),
                        SignupMode::Invite => ("open", "Let everybody register"),
                    };
                    let back = mode != configured;
                    view! {
                        <ActionForm action=form.action>
                            <input type="hidden" name="mode" value=other />
                            <Button kind="submit" busy=form.pending>
                                {words}
                            </Button>
                        </ActionForm>
                        {back
                            .then(|| {
                                view! {
                                    <ActionForm action=form.action>
                                        <input type="hidden" name="mode" value="" />
                                        <Button kind="submit" busy=form.pending>
                                            "Back to the setting"
                                        </Button>
                                    </ActionForm>
                                }
                            })}
                    }
                }}
            </div>
        </div>
    }
}

//! The account: name, address, password, theme, signing out, deleting it.

use super::{
    delete::DeletePanel,
    email::EmailPanel,
    server::{ChangePassword, RenameAccount, get_account},
    tabs::{AccountTab, AccountTabs},
};
use crate::{
    auth::{SignOut, use_visitor},
    components::{Button, FailureView, Field, Glyph, Loading, PageHeader, Panel, use_toasts},
    form::{Form, load_page},
    theme::ThemeChoice,
};
use leptos::{either::Either, form::ActionForm, prelude::*};
use leptos_meta::Title;
use model::views::UserView;

/// The page.
#[component]
pub fn AccountPage() -> impl IntoView {
    let account = Resource::new_blocking(|| (), |()| get_account());
    let visitor = use_visitor();
    view! {
        <Title text="Account" />
        <Suspense fallback=Loading>
            {move || Suspend::new(async move {
                let sends_mail = visitor.get().await.is_ok_and(|visitor| visitor.sends_mail);
                match account.await {
                    Ok(user) => Either::Left(view! { <Account user sends_mail /> }),
                    Err(failure) => Either::Right(view! { <FailureView failure /> }),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Account(user: UserView, sends_mail: bool) -> impl IntoView {
    let (is_admin, name, email) = (user.is_admin, user.name.clone(), user.email.clone());
    let about = email.clone();
    view! {
        <PageHeader title="Account" about=move || about.clone() />
        <AccountTabs current=AccountTab::Profile />
        <div class="flex max-w-2xl flex-col gap-6">
            <NamePanel name />
            <EmailPanel user sends_mail />
            <PasswordPanel />
            <Panel title="Teams">
                <div class="flex flex-wrap items-center justify-between gap-4">
                    <p class="max-w-sm text-sm text-muted">"Who shares your sites with you, and in which role."</p>
                    <a href="/teams" class="btn btn-plain">
                        "Teams"
                    </a>
                </div>
            </Panel>
            {is_admin
                .then(|| {
                    view! {
                        <Panel title="Administration">
                            <div class="flex flex-wrap items-center justify-between gap-4">
                                <p class="max-w-sm text-sm text-muted">
                                    "All teams and sites, who may register, invitations, the audit, the machine, and the GitHub App."
                                </p>
                                <a href="/admin" class="btn btn-plain">
                                    "Administration"
                                </a>
                            </div>
                        </Panel>
                    }
                })}
            <Panel title="Appearance">
                <ThemeChoice />
            </Panel>
            <SignOutPanel />
            <DeletePanel email />
        </div>
    }
}

#[component]
fn NamePanel(name: String) -> impl IntoView {
    let form = Form::<RenameAccount>::new();
    let (toasts, visitor) = (use_toasts(), use_visitor());
    form.on_done(move |_| {
        visitor.refresh();
        toasts.say("Your new name is saved.");
    });
    view! {
        <Panel title="Profile">
            <ActionForm action=form.action attr:class="flex flex-col gap-4">
                {form.refusal(&["name"])}
                <Field
                    name="name"
                    label="Name"
                    autocomplete="name"
                    required=true
                    value=form.kept("name").unwrap_or(name)
                    error=form.error("name")
                />
                <div>
                    <Button kind="submit" busy=form.pending>
                        "Save"
                    </Button>
                </div>
            </ActionForm>
        </Panel>
    }
}

#[component]
fn PasswordPanel() -> impl IntoView {
    let form = Form::<ChangePassword>::new();
    let toasts = use_toasts();
    let node = NodeRef::<leptos::html::Form>::new();
    form.on_done(move |()| {
        if let Some(form) = node.get_untracked() {
            form.reset();
        }
        toasts.say("Your password is changed. Other sessions were signed out.");
    });
    view! {
        <Panel title="Password">
            <ActionForm action=form.action node_ref=node attr:class="flex flex-col gap-4">
                {form.refusal(&["current_password", "new_password"])}
                <Field
                    name="current"
                    label="Current password"
                    kind="password"
                    autocomplete="current-password"
                    required=true
                    error=form.error("current_password")
                />
                <Field
                    name="new"
                    label="New password"
                    kind="password"
                    autocomplete="new-password"
                    required=true
                    minlength=12
                    error=form.error("new_password")
                    hint="12 characters or more. Your other sessions are signed out."
                />
                <div>
                    <Button kind="submit" busy=form.pending>
                        "Change password"
                    </Button>
                </div>
            </ActionForm>
        </Panel>
    }
}

#[component]
fn SignOutPanel() -> impl IntoView {
    let form = Form::<SignOut>::new();
    form.on_done(|next| load_page(&next));
    view! {
        <Panel title="Session">
            <div class="flex flex-wrap items-center justify-between gap-4">
                <p class="text-sm text-muted">"Signs you out of this browser."</p>
                <ActionForm action=form.action>
                    <Button kind="submit" icon=Glyph::SignOut busy=form.pending>
                        "Sign out"
                    </Button>
                </ActionForm>
            </div>
        </Panel>
    }
}

//! Where a site's code is fetched from, changed.

use super::{
    deploy_key::{KeyToAdd, OwnKey},
    server::SetRepository,
};
use crate::{
    components::{Alert, Button, Check, Field, Panel, Tone, use_toasts},
    form::Form,
};
use leptos::{form::ActionForm, prelude::*};
use model::views::SiteView;

/// The panel, for sites whose repository lies elsewhere.
#[component]
pub fn RepositoryPanel(
    /// The site.
    site: SiteView,
) -> impl IntoView {
    let form = Form::<SetRepository>::new();
    let toasts = use_toasts();
    let has_token = RwSignal::new(site.repository.has_token);
    let own_key = RwSignal::new(site.repository.deploy_key.clone());
    let token = NodeRef::<leptos::html::Input>::new();
    let new_key = NodeRef::<leptos::html::Input>::new();
    let wants_new_key = form.kept("new_deploy_key").is_some_and(|it| it == "true");
    form.on_done(move |site| {
        has_token.set(site.repository.has_token);
        own_key.set(site.repository.deploy_key);
        if let Some(token) = token.get_untracked() {
            token.set_value("");
        }
        if let Some(new_key) = new_key.get_untracked() {
            new_key.set_checked(false);
        }
        toasts.say("The next deployment fetches from there.");
    });
    let hint = move || {
        if has_token.get() {
            "One is kept, encrypted. Empty: it stays, unless the repository moves to another server."
        } else {
            "For private repositories over HTTPS; kept encrypted, never shown."
        }
    };
    view! {
        <Panel title="Repository">
            {site
                .repository
                .report_problem
                .map(|problem| {
                    view! {
                        <div class="mb-4">
                            <Alert tone=Tone::Warning>
                                "The forge was not told how the newest deployment stands. " {problem}
                            </Alert>
                        </div>
                    }
                })}
            <ActionForm action=form.action attr:class="flex flex-col gap-4">
                {form.refusal(&["git_url", "git_branch", "git_token"])}
                <input type="hidden" name="id" value=site.id.to_string() />
                <Field
                    name="git_url"
                    label="Repository"
                    required=true
                    verbatim=true
                    value=form.kept("git_url").unwrap_or(site.repository.clone_url)
                    error=form.error("git_url")
                    hint="An https:// address, or one of SSH such as git@example.org:me/site.git."
                />
                <KeyToAdd key=form.deploy_key() />
                <div class="grid gap-4 sm:grid-cols-2">
                    <Field
                        name="git_branch"
                        label="Branch of production"
                        required=true
                        verbatim=true
                        value=form.kept("git_branch").unwrap_or(site.repository.branch)
                        error=form.error("git_branch")
                    />
                    <Field
                        name="git_token"
                        label="Access token"
                        kind="password"
                        autocomplete="off"
                        error=form.error("git_token")
                        node_ref=token
                        note=move || hint()
                    />
                </div>
                <Show when=move || has_token.get()>
                    <Check name="remove_token" label="Remove the token that is kept" />
                </Show>
                <OwnKey key=own_key />
                <Show when=move || own_key.read().is_some()>
                    <Check
                        name="new_deploy_key"
                        label="Make a new deploy key"
                        hint="The present one works until the repository was reached with the new one."
                        checked=wants_new_key
                        node_ref=new_key
                    />
                </Show>
                <div>
                    <Button kind="submit" busy=form.pending>
                        "Check and use"
                    </Button>
                </div>
            </ActionForm>
        </Panel>
    }
}

//! Where a site's code is fetched from, changed.

use super::server::SetRepository;
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
    let token = NodeRef::<leptos::html::Input>::new();
    form.on_done(move |site| {
        has_token.set(site.repository.has_token);
        if let Some(token) = token.get_untracked() {
            token.set_value("");
        }
        toasts.say("The next deployment fetches from there.");
    });
    let hint = move || {
        if has_token.get() {
            "One is kept, encrypted. Empty: it stays, unless the repository moves to another server."
        } else {
            "For private repositories; kept encrypted, never shown."
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
                    kind="url"
                    required=true
                    verbatim=true
                    value=form.kept("git_url").unwrap_or(site.repository.clone_url)
                    error=form.error("git_url")
                />
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
                <div>
                    <Button kind="submit" busy=form.pending>
                        "Check and use"
                    </Button>
                </div>
            </ActionForm>
        </Panel>
    }
}

//! Where a forge sends its pushes, and the secret that proves them.

use super::server::get_webhook_secret;
use crate::components::{CopyField, Glyph, Icon, Panel};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use model::{SiteId, views::SiteView};

/// The panel.
#[component]
pub fn WebhookPanel(
    /// The site.
    site: SiteView,
) -> impl IntoView {
    let may_write = super::may_write(&site);
    let SiteView { id, repository, webhook, .. } = site;
    let is_hosted = repository.kind == "hosted";
    view! {
        <Panel title="Deploy on push">
            <div class="flex flex-col gap-4">
                <p class="flex items-center gap-1.5 text-sm text-muted">
                    <Icon glyph=Glyph::Branch class="size-4" />
                    <span>
                        "Branch " <code class="font-mono text-base-content">{repository.branch}</code>
                        {repository.template.map(|template| format!(" · template {template}"))}
                    </span>
                </p>
                <CopyField label="Repository" value=repository.clone_url />
                {is_hosted
                    .then(|| {
                        view! {
                            <p class="text-sm text-muted">
                                "Git asks for a user and a password: your e-mail address, and the password of your account."
                            </p>
                        }
                    })}
                <CopyField label="Webhook address" value=webhook.url />
                {may_write.then(|| view! { <Secret id /> })}
                {if is_hosted {
                    view! {
                        <p class="text-sm text-muted">
                            "A push to this repository needs no webhook. It is there for a pipeline of yours that should deploy."
                        </p>
                    }
                        .into_any()
                } else {
                    view! {
                        <p class="text-sm text-muted">
                            "In your forge's settings, add this webhook for pushes, with content type "
                            <code class="font-mono">"application/json"</code> " and the secret."
                        </p>
                    }
                        .into_any()
                }}
            </div>
        </Panel>
    }
}

/// It is shown on the page with `?secret=show`, so that revealing it needs no JavaScript.
#[component]
fn Secret(id: SiteId) -> impl IntoView {
    let query = use_query_map();
    let is_shown = Memo::new(move |_| query.read().get("secret").as_deref() == Some("show"));
    let secret = Resource::new_blocking(
        move || is_shown.get(),
        move |shown| async move { if shown { Some(get_webhook_secret(id).await) } else { None } },
    );
    view! {
        <Transition>
            {move || Suspend::new(async move {
                match secret.await {
                    Some(Ok(secret)) => {
                        view! {
                            <CopyField label="Webhook secret" value=secret />
                            <a href=format!("/sites/{id}") data-noscroll class="link-quiet self-start text-sm text-muted">
                                "Hide the secret"
                            </a>
                        }
                            .into_any()
                    }
                    Some(Err(failure)) => view! { <p class="field-error">{failure.problem.detail}</p> }.into_any(),
                    None => {
                        view! {
                            <div class="flex flex-col gap-1.5">
                                <span class="text-sm font-medium">"Webhook secret"</span>
                                <div class="field">
                                    <span class="field-value text-muted" aria-hidden="true">
                                        "••••••••••••••••"
                                    </span>
                                    <a href=format!("/sites/{id}?secret=show") data-noscroll class="btn btn-ghost">
                                        <Icon glyph=Glyph::Eye />
                                        "Reveal"
                                    </a>
                                </div>
                            </div>
                        }
                            .into_any()
                    }
                }
            })}
        </Transition>
    }
}

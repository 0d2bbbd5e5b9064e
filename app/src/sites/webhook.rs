//! Where a forge sends its pushes, and the secret that proves them.

use crate::{
    components::{CopyField, Glyph, Icon, Panel},
    webhooks::{self, Secret},
};
use leptos::prelude::*;
use leptos_router::components::A;
use model::views::SiteView;

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
                {may_write.then(|| view! { <Secret id here=format!("/sites/{id}") /> })}
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
                <p class="text-sm">
                    <A href=webhooks::address(id) attr:class="link-accent">
                        "What came, and what became of it"
                    </A>
                </p>
            </div>
        </Panel>
    }
}

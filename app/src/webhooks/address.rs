//! Where a forge sends its pushes, and the secret that proves them: shown, replaced, revoked.

use super::server::{RevokeOldWebhookSecret, RotateWebhookSecret, get_webhook_secret};
use crate::{
    components::{Alert, Button, Check, CopyField, Dialog, DialogButton, Glyph, Icon, Look, Panel, Tone},
    form::Form,
    format,
    sites::may_write,
};
use leptos::{form::ActionForm, prelude::*};
use leptos_router::hooks::use_query_map;
use model::{Role, SiteId, views::SiteView};
use time::OffsetDateTime;

/// The panel.
#[component]
pub fn AddressPanel(
    /// The site.
    site: SiteView,
    /// Replaces the secret.
    rotate: Form<RotateWebhookSecret>,
    /// Revokes the one before.
    revoke: Form<RevokeOldWebhookSecret>,
) -> impl IntoView {
    let id = site.id;
    let may_write = may_write(&site);
    let may_administer = site.team.role.is_none_or(Role::may_administer);
    let old_until = site.webhook.old_secret_until;
    view! {
        <Panel title="Address and secret">
            <div class="flex flex-col gap-4">
                <p class="text-sm text-muted">
                    "In your forge's settings, add this webhook for pushes, with content type "
                    <code class="font-mono">"application/json"</code> " and the secret."
                </p>
                <CopyField label="Webhook address" value=site.webhook.url />
                {may_write.then(|| view! { <Secret id here=super::address(id) /> })}
                {old_until.map(|until| view! { <OldSecret site=id until may_administer revoke /> })}
                {may_administer.then(|| view! { <Rotate site=id rotate /> })}
            </div>
        </Panel>
    }
}

/// The secret. It is shown on the page with `?secret=show`, so that revealing it needs no JavaScript.
#[component]
pub fn Secret(
    /// The site.
    id: SiteId,
    /// The page that it stands on.
    here: String,
) -> impl IntoView {
    let query = use_query_map();
    let is_shown = Memo::new(move |_| query.read().get("secret").as_deref() == Some("show"));
    let secret = Resource::new_blocking(
        move || is_shown.get(),
        move |shown| async move { if shown { Some(get_webhook_secret(id).await) } else { None } },
    );
    let here = StoredValue::new(here);
    view! {
        <Transition>
            {move || Suspend::new(async move {
                match secret.await {
                    Some(Ok(secret)) => {
                        view! {
                            <CopyField label="Webhook secret" value=secret />
                            <a href=here.get_value() data-noscroll class="link-quiet self-start text-sm text-muted">
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
                                    <a
                                        href=format!("{}?secret=show", here.get_value())
                                        data-noscroll
                                        class="btn btn-ghost"
                                    >
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

#[component]
fn OldSecret(
    site: SiteId,
    until: OffsetDateTime,
    may_administer: bool,
    revoke: Form<RevokeOldWebhookSecret>,
) -> impl IntoView {
    view! {
        <Alert tone=Tone::Warning>
            <div class="flex flex-wrap items-center justify-between gap-3">
                <p>
                    {format!(
                        "The old secret works until {}. Deliveries that are still signed with it say so below.",
                        format::absolute(until),
                    )}
                    {move || {
                        revoke.failure.get().map(|it| view! { <span class="block text-error">{it.problem.detail}</span> })
                    }}
                </p>
                {may_administer
                    .then(|| {
                        view! {
                            <ActionForm action=revoke.action>
                                <input type="hidden" name="site" value=site.to_string() />
                                <Button kind="submit" icon=Glyph::Ban busy=revoke.pending>
                                    "Revoke the old one now"
                                </Button>
                            </ActionForm>
                        }
                    })}
            </div>
        </Alert>
    }
}

#[component]
fn Rotate(site: SiteId, rotate: Form<RotateWebhookSecret>) -> impl IntoView {
    view! {
        <div>
            <DialogButton target="rotate-secret" icon=Glyph::Repeat>
                "Replace the secret"
            </DialogButton>
        </div>
        <Dialog id="rotate-secret" title="Replace the secret" open=rotate.was_refused()>
            <ActionForm action=rotate.action attr:class="flex flex-col gap-4">
                {rotate.refusal(&[])}
                <p class="text-sm">
                    "A new secret is made and shown. Enter it in the forge's settings. The old one goes on working for a \
                    while, so that no push is lost meanwhile; one that was replaced before stops now."
                </p>
                <Check
                    name="revoke_old"
                    label="Revoke the old one at once"
                    hint="For a secret that somebody else may know. Pushes are refused until the forge has the new one."
                />
                <input type="hidden" name="site" value=site.to_string() />
                <Button kind="submit" look=Look::Primary class="w-full" busy=rotate.pending>
                    "Replace it"
                </Button>
            </ActionForm>
        </Dialog>
    }
}

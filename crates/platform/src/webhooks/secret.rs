//! The secret that proves a site's webhooks, and the one before it, which goes on working for a while.

use crate::{Platform, Result, access, audit, audit::Entry, sites, vault::random_secret};
use model::{Actor, SiteId, views::WebhookView};
use serde::Deserialize;
use serde_json::json;
use store::sites::SiteRow;
use utoipa::ToSchema;

/// How a secret is replaced.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SecretRotation)]
pub struct Rotation {
    /// The old one stops working at once.
    #[serde(default)]
    pub revoke_old: bool,
}

/// Gives a site's webhook another secret, and shows it. The old one works for the time that the installation is set up
/// with; one that was replaced before stops now.
///
/// # Errors
/// 404, 403 for who is neither owner nor administrator of the team, 409 `site_deleting`.
pub async fn rotate_secret(platform: &Platform, actor: &Actor, site: SiteId, how: Rotation) -> Result<WebhookView> {
    let mut tx = platform.pool.begin().await?;
    let row = access::site_to_administer(&mut tx, actor, site).await?;
    let secret = random_secret();
    let new = platform.vault.seal(&sites::secret_row(site, "webhook"), secret.as_bytes())?;
    let grace = platform.settings.webhook_grace;
    let old = if how.revoke_old || grace.is_zero() {
        None
    } else {
        let present = sites::open_webhook_secret(platform, &row)?;
        Some(platform.vault.seal(&old_secret_row(site), present.as_bytes())?)
    };
    let kept = old.as_deref().map(|old| (old, grace.as_secs_f64()));
    store::sites::rotate_webhook_secret(&mut tx, row.team_id, site, &new, kept).await?;
    let row = access::site(&mut tx, actor, site).await?;
    let entry = Entry::new("webhook.rotate_secret", site, &row.name).of(row.team_id);
    audit::record(&mut tx, actor, entry.change(None, json!({ "old_works": old.is_some() }))).await?;
    tx.commit().await?;
    tracing::info!(%site, user = ?actor.user, old_works = old.is_some(), "a webhook's secret was replaced");
    Ok(WebhookView { secret: Some(secret), ..view(platform, &row) })
}

/// The secret before the present one stops working now; nothing happens where none works.
///
/// # Errors
/// 404, 403 for who is neither owner nor administrator of the team, 409 `site_deleting`.
pub async fn revoke_old_secret(platform: &Platform, actor: &Actor, site: SiteId) -> Result<()> {
    let mut tx = platform.pool.begin().await?;
    let row = access::site_to_administer(&mut tx, actor, site).await?;
    store::sites::drop_old_webhook_secret(&mut tx, row.team_id, site).await?;
    let entry = Entry::new("webhook.revoke_old_secret", site, &row.name).of(row.team_id);
    audit::record(&mut tx, actor, entry).await?;
    tx.commit().await?;
    tracing::info!(%site, user = ?actor.user, "a webhook's old secret was revoked");
    Ok(())
}

/// A site's webhook, without its secret.
pub(crate) fn view(platform: &Platform, site: &SiteRow) -> WebhookView {
    WebhookView {
        url: format!("{}/webhook/customer-site/{}", platform.settings.public_url, site.id),
        secret: None,
        old_secret_until: site.old_webhook_secret_until,
    }
}

/// Opens the secret before the present one; `None` where none works any more.
pub(crate) fn old_secret(platform: &Platform, site: &SiteRow) -> Result<Option<String>> {
    let Some(sealed) = &site.old_webhook_secret else { return Ok(None) };
    let secret = platform.vault.open(&old_secret_row(site.id), sealed)?;
    Ok(Some(String::from_utf8_lossy(&secret).into_owned()))
}

fn old_secret_row(site: SiteId) -> String {
    sites::secret_row(site, "old_webhook")
}

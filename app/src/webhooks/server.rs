//! What the pages ask of the server about webhooks.

use crate::failure::Failure;
use leptos::prelude::*;
use model::{
    DeliveryId, SiteId,
    views::{DeliveryDetail, DeliveryView, Page},
};

/// What came to a site's webhook, newest first.
#[server(prefix = "/_fn", endpoint = "deliveries")]
pub async fn list_deliveries(
    site: SiteId,
    #[server(default)] cursor: Option<String>,
) -> Result<Page<DeliveryView>, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    platform::webhooks::list(&platform, &actor, site, 20, cursor.as_deref()).await.map_err(context::failed)
}

/// One delivery with its headers and body.
#[server(prefix = "/_fn", endpoint = "delivery")]
pub async fn get_delivery(id: DeliveryId) -> Result<DeliveryDetail, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    platform::webhooks::get(&platform, &actor, id).await.map_err(context::failed)
}

/// Takes a delivery once more, and goes to what came of that.
#[server(prefix = "/_fn", endpoint = "replay_delivery")]
pub async fn replay_delivery(id: DeliveryId) -> Result<(), Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    let site = platform::webhooks::get(&platform, &actor, id).await.map_err(context::failed)?.delivery.site_id;
    let made = platform::webhooks::replay(&platform, &actor, id).await.map_err(context::failed)?;
    leptos_axum::redirect(&format!("{}/{}", super::address(site), made.delivery_id));
    Ok(())
}

/// The webhook's secret, for those who may change the site.
#[server(prefix = "/_fn", endpoint = "webhook_secret")]
pub async fn get_webhook_secret(id: SiteId) -> Result<String, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    platform::sites::webhook_secret(&platform, &actor, id).await.map_err(context::failed)
}

/// Gives the webhook another secret, and goes to where it is shown.
#[server(prefix = "/_fn", endpoint = "rotate_webhook_secret")]
pub async fn rotate_webhook_secret(site: SiteId, #[server(default)] revoke_old: bool) -> Result<(), Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    let how = platform::webhooks::Rotation { revoke_old };
    platform::webhooks::rotate_secret(&platform, &actor, site, how).await.map_err(context::failed)?;
    leptos_axum::redirect(&format!("{}?secret=show", super::address(site)));
    Ok(())
}

/// The secret that was replaced stops working now.
#[server(prefix = "/_fn", endpoint = "revoke_old_webhook_secret")]
pub async fn revoke_old_webhook_secret(site: SiteId) -> Result<(), Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    platform::webhooks::revoke_old_secret(&platform, &actor, site).await.map_err(context::failed)?;
    context::send_on(&super::address(site));
    Ok(())
}

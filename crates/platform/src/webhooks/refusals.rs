//! Webhooks that were refused, noted in the inbox of the site whose address they were sent to.
//!
//! Strangers send these, so little is kept: an hour's refusals are one row, without headers and body, counted up to a
//! limit. It is written after the answer, whether or not there is such a site, so that neither the answer nor its time
//! tells which sites there are.

use crate::Platform;
use forge::webhook::{Provider, is_signed};
use http::HeaderMap;
use model::{DeliveryId, SiteId};
use store::deliveries::NewRefusal;
use time::OffsetDateTime;
use tokio::sync::Semaphore;

/// A row is counted on to here.
const MOST: i32 = 100;
/// So many are written at once; what comes meanwhile is not noted. The rest of the database's connections stay free.
pub(super) const AT_ONCE: u32 = 2;
pub(super) static WRITERS: Semaphore = Semaphore::const_new(AT_ONCE as usize);

/// Notes a webhook that was refused, in a while.
pub(super) fn note(platform: &Platform, site: SiteId, headers: &HeaderMap) {
    let Some(provider) = Provider::of(headers) else { return };
    let Ok(writer) = WRITERS.try_acquire() else { return };
    let (kind, reason) = if is_signed(provider, headers) {
        ("wrong", "The signature does not match. Enter this site's webhook secret in the forge's settings.")
    } else {
        ("missing", "It is not signed. Enter this site's webhook secret in the forge's settings.")
    };
    let hour = OffsetDateTime::now_utc().unix_timestamp() / 3600;
    let (pool, event) = (platform.pool.clone(), provider.event(headers).to_owned());
    tokio::spawn(async move {
        let _writer = writer;
        let key = format!("refused:{kind}:{hour}");
        let refused = NewRefusal { provider: provider.as_str(), key: &key, event: &event, reason };
        let noted = async {
            let mut conn = pool.acquire().await?;
            store::deliveries::note_refused(&mut conn, DeliveryId::new(), site, &refused, MOST).await
        };
        if let Err(error) = noted.await {
            tracing::warn!(%error, "a refused webhook could not be noted");
        }
    });
}

//! What came to a site's webhook: listed, opened, replayed.

use super::{New, Received, take};
use crate::{Platform, Result, access, audit, audit::Entry};
use anyhow::Context;
use forge::webhook::{Provider, parse};
use http::{HeaderMap, HeaderName, HeaderValue};
use model::{
    Actor, DeliveryId, Problem, Scope, SiteId,
    views::{DeliveryDetail, DeliveryView, Outcome, Page, SignedWith},
};
use serde_json::json;
use std::collections::BTreeMap;
use store::deliveries::DeliveryRow;

/// So much of a body is shown, in bytes.
const SHOWN: i32 = 64 * 1024;

/// The deliveries of a site, newest first; `limit` ≤ 100.
///
/// # Errors
/// 404 if the caller may not know of the site; 422 for a cursor that is none.
pub async fn list(
    platform: &Platform,
    actor: &Actor,
    site: SiteId,
    limit: i64,
    cursor: Option<&str>,
) -> Result<Page<DeliveryView>> {
    let before = cursor.map(str::parse).transpose().map_err(|_| access::bad_cursor())?;
    let limit = limit.clamp(1, 100);
    let mut conn = platform.pool.acquire().await?;
    let site = access::site(&mut conn, actor, site).await?;
    let mut rows = store::deliveries::list(&mut conn, site.team_id, site.id, before, limit + 1).await?;
    let more = rows.len() > usize::try_from(limit).unwrap_or(100);
    rows.truncate(usize::try_from(limit).unwrap_or(100));
    let next_cursor = rows.last().filter(|_| more).map(|row| row.id.to_string());
    Ok(Page { items: rows.into_iter().map(view).collect(), next_cursor })
}

/// One delivery with its headers, secrets hidden, and the beginning of its body.
///
/// # Errors
/// 404 if the caller may not know of it.
pub async fn get(platform: &Platform, actor: &Actor, id: DeliveryId) -> Result<DeliveryDetail> {
    let mut conn = platform.pool.acquire().await?;
    let row = access::delivery(&mut conn, actor, id).await?;
    let content = store::deliveries::content(&mut conn, row.team_id, id, SHOWN).await?.ok_or_else(gone)?;
    let may_write = access::may(actor, Scope::Deploy, row.team_id).is_ok();
    let delivery = view(row);
    Ok(DeliveryDetail {
        can_replay: may_write && delivery.outcome != Outcome::Refused,
        delivery,
        headers: content.headers.0,
        body: text(&content.body),
        body_bytes: content.body_bytes,
        body_cut: content.body_bytes > i64::from(SHOWN),
    })
}

/// Takes a delivery once more: decided anew by today's environments, and a delivery of its own.
///
/// # Errors
/// 404, 403, 409 `site_deleting`, or `not_replayable` for one that was refused: nothing was kept of it.
pub async fn replay(platform: &Platform, actor: &Actor, id: DeliveryId) -> Result<Received> {
    let mut tx = platform.pool.begin().await?;
    let row = access::delivery(&mut tx, actor, id).await?;
    let site = access::site_to_change(&mut tx, actor, Scope::Deploy, row.site_id).await?;
    if row.outcome == Outcome::Refused.as_str() {
        let detail = "This delivery was refused, and nothing was kept of it. Let the forge send it again.";
        return Err(Problem::conflict("not_replayable", detail).into());
    }
    let provider = Provider::from_word(&row.provider).context("a delivery of an unknown forge")?;
    let content = store::deliveries::content(&mut tx, row.team_id, id, i32::MAX).await?.ok_or_else(gone)?;
    let headers = as_sent(&content.headers);
    let read = parse(provider, &headers, &content.body);
    let new = New {
        provider,
        key: format!("replay:{}", DeliveryId::new()),
        event: &row.event,
        headers: &content.headers,
        body: &content.body,
        signed_with: None,
        replay: Some((id, actor.user)),
    };
    let received = take(platform, &mut tx, &site, &new, &read).await?.context("a replay was there before")?;
    let name = format!("{} {}", site.slug, row.event);
    let after = json!({ "as": received.delivery_id, "outcome": received.outcome });
    let entry = Entry::new("delivery.replay", id, &name).of(row.team_id).change(None, after);
    audit::record(&mut tx, actor, entry).await?;
    tx.commit().await?;
    if received.outcome == Outcome::Queued {
        platform.wake.notify_one();
    }
    Ok(received)
}

fn gone() -> Problem {
    Problem::not_found("delivery")
}

/// The headers that were kept, as far as they say what the body is.
fn as_sent(kept: &BTreeMap<String, String>) -> HeaderMap {
    kept.iter()
        .filter_map(|(name, value)| {
            Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value).ok()?))
        })
        .collect()
}

/// Text without half a letter at its end, where it was cut.
fn text(bytes: &[u8]) -> String {
    let end = match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => bytes.len(),
    };
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

fn view(row: DeliveryRow) -> DeliveryView {
    DeliveryView {
        id: row.id,
        site_id: row.site_id,
        provider: row.provider,
        event: row.event,
        outcome: Outcome::from_word(&row.outcome).unwrap_or(Outcome::Ignored),
        reason: row.reason,
        deployment_id: row.deployment_id,
        replay_of: row.replay_of,
        signed_with: row.signed_with.as_deref().and_then(SignedWith::from_word),
        times: row.times,
        received_at: row.received_at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_was_cut_has_no_half_letter() {
        assert_eq!(text("naïve".as_bytes()), "naïve");
        assert_eq!(text(&"naï".as_bytes()[..3]), "na");
        assert_eq!(text(b"\xffx"), "\u{fffd}x", "what was never text is shown as far as it goes");
    }
}

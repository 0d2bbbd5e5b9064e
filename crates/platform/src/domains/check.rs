//! Looks for the record that proves who holds a domain: when it is asked for, and by itself with growing pauses.

use super::{announce, dns, domain_to_change, lead, view};
use crate::{Platform, Result, audit};
use model::{Actor, DomainId, SiteId, names::PROOF_LABEL, views::DomainView};
use serde_json::json;
use sqlx::PgConnection;
use std::{sync::Arc, time::Duration};
use store::domains::{DomainRow, Look};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

/// What the record says before the token.
const SAYS: &str = "webmeteor-verification=";
/// So often the background asks the database what is due.
const LOOK: Duration = Duration::from_secs(10);
/// A look that was begun and not ended is taken up by another process after this time.
const LEASE: Duration = Duration::from_mins(2);
/// A domain that is verified is looked at so rarely: there is nothing to be done about it but to tell.
const RARELY: Duration = Duration::from_hours(24);
/// One that is not waits longer each time, and no longer than this.
const LONGEST: Duration = Duration::from_hours(12);
/// The first pause.
const SHORTEST: Duration = Duration::from_secs(30);
/// So much of what a stranger's record says is shown.
const SHOWN: usize = 80;

/// The name and the text of the record that proves a domain.
pub(super) fn record(row: &DomainRow) -> (String, String) {
    (format!("{PROOF_LABEL}.{}", row.host), format!("{SAYS}{}", row.token))
}

/// How long the next look waits after so many in a row that found no record.
pub(super) fn pause(failures: i32, is_verified: bool) -> Duration {
    if is_verified {
        return RARELY;
    }
    let doublings = u32::try_from(failures.clamp(1, 16) - 1).unwrap_or(0);
    SHORTEST.saturating_mul(1 << doublings).min(LONGEST)
}

/// Looks for the record now, and tells how the domain stands then. A look that finds none is no error.
///
/// # Errors
/// 404, 403, 409 `site_deleting` or `environment_deleting`.
pub async fn verify(platform: &Platform, actor: &Actor, site: SiteId, id: DomainId) -> Result<DomainView> {
    let mut tx = platform.pool.begin().await?;
    let (_, row) = domain_to_change(&mut tx, actor, site, id).await?;
    // The DNS may be slow: nobody waits for it.
    tx.rollback().await?;
    let row = look(platform, actor, &row, OffsetDateTime::now_utc()).await?;
    Ok(view::one(platform, row))
}

/// Looks after all domains until it is told to stop.
pub async fn run(platform: Arc<Platform>, stop: CancellationToken) {
    loop {
        let work = async {
            if let Err(error) = look_after_all(&platform, OffsetDateTime::now_utc()).await {
                tracing::warn!(%error, "domains could not be looked after");
            }
            tokio::time::sleep(LOOK).await;
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = work => {}
        }
    }
}

/// Looks at each domain whose time has come.
pub(super) async fn look_after_all(platform: &Platform, now: OffsetDateTime) -> Result<()> {
    loop {
        let mut conn = platform.pool.acquire().await?;
        let due = store::domains::take_due(&mut conn, now, now + LEASE).await?;
        drop(conn);
        let Some(row) = due else { return Ok(()) };
        match look(platform, &Actor::platform(row.team_id), &row, now).await {
            // Or it or its site went in the meantime.
            Ok(_) | Err(crate::Error::Problem(_)) => {}
            Err(error) => tracing::warn!(domain = %row.host, %error, "a domain could not be looked at"),
        }
    }
}

/// Asks the DNS, notes what it answered, and lets the domain lead to its environment once it is proven.
async fn look(platform: &Platform, actor: &Actor, row: &DomainRow, now: OffsetDateTime) -> Result<DomainRow> {
    let (name, says) = record(row);
    let found = dns::texts(&platform.settings, &name).await;
    let mut tx = platform.pool.begin().await?;
    let (site, row) = domain_to_change(&mut tx, actor, row.site_id, row.id).await?;
    let finding = Finding::of(found, &says);
    let finding = held(&mut tx, &row, finding).await?;
    let is_new = row.verified_at.is_none() && finding == Finding::Found;
    let failures = if finding == Finding::Found { 0 } else { row.failures.saturating_add(1) };
    let is_verified = is_new || row.verified_at.is_some();
    let problem = finding.problem(&row, &name);
    let noted = Look {
        at: now,
        verified: is_new,
        finding: finding.word(),
        problem: problem.as_deref(),
        failures,
        next: now + pause(failures, is_verified),
    };
    store::domains::set_look(&mut tx, row.team_id, row.id, &noted).await?;
    if is_new {
        let entry = audit::Entry::new("domain.verify", row.id, &row.host).of(row.team_id);
        let after = json!({"site": site.slug, "environment": row.environment});
        audit::record(&mut tx, actor, entry.change(None, after)).await?;
        tracing::info!(domain = %row.host, site = %row.site_id, "a domain is verified");
    } else if is_verified && finding.is_gone() && row.finding.as_deref() != Some(finding.word()) {
        tracing::warn!(domain = %row.host, site = %row.site_id, "the record of a verified domain is gone");
    }
    if is_new || row.finding.as_deref() != Some(finding.word()) {
        announce(&mut tx, row.team_id, row.site_id).await?;
    }
    let fresh = super::domain(&mut tx, &site, row.id).await?;
    tx.commit().await?;
    if is_new {
        lead(platform, row.team_id, row.environment_id).await;
    }
    Ok(fresh)
}

/// What was found is good for nothing where another holds the host.
async fn held(conn: &mut PgConnection, row: &DomainRow, finding: Finding) -> Result<Finding> {
    if row.verified_at.is_some() || finding != Finding::Found {
        return Ok(finding);
    }
    store::domains::lock_host(conn, &row.host).await?;
    let is_held = store::domains::is_held_by_another(conn, row.id, &row.host).await?;
    Ok(if is_held { Finding::Held } else { finding })
}

/// What a look found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Finding {
    /// The record.
    Found,
    /// No record at all.
    Missing,
    /// Records that say something else.
    Other(String),
    /// No answer.
    Trouble(String),
    /// The record, but another environment holds the host.
    Held,
}

impl Finding {
    fn of(found: Result<Vec<String>, String>, says: &str) -> Self {
        match found {
            Ok(texts) if texts.iter().any(|text| text.trim() == says) => Self::Found,
            Ok(texts) => match texts.into_iter().next() {
                None => Self::Missing,
                Some(text) => Self::Other(text.chars().filter(|c| !c.is_control()).take(SHOWN).collect()),
            },
            Err(why) => Self::Trouble(why),
        }
    }

    /// The word used in the database.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Missing => "missing",
            Self::Other(_) => "other",
            Self::Trouble(_) => "trouble",
            Self::Held => "held",
        }
    }

    /// The DNS answered, and not with the record.
    fn is_gone(&self) -> bool {
        is_gone(self.word())
    }

    fn problem(&self, row: &DomainRow, name: &str) -> Option<String> {
        let still = if row.verified_at.is_some() {
            " The domain still leads here; set the record again, so that nobody doubts whose it is."
        } else {
            " What was changed in the DNS may take a while until it is seen everywhere."
        };
        Some(match self {
            Self::Found => return None,
            Self::Missing => format!("There is no TXT record at {name}.{still}"),
            Self::Other(text) => format!("The TXT record at {name} says “{text}”, not what it should.{still}"),
            Self::Trouble(why) => format!("The DNS did not answer for {name} ({why}). It is asked again."),
            Self::Held => format!(
                "The record is there, but another site of this platform holds {}. It has to be removed there first; \
                 if you do not know that site, ask the operator.",
                row.host
            ),
        })
    }
}

/// With this word the DNS answered, and not with the record.
pub(super) fn is_gone(word: &str) -> bool {
    matches!(word, "missing" | "other")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pauses_grow_to_half_a_day_and_a_verified_one_is_looked_at_daily() {
        let pauses: Vec<u64> = (1..=14).map(|failures| pause(failures, false).as_secs()).collect();
        assert_eq!(pauses[..4], [30, 60, 120, 240]);
        assert!(pauses.windows(2).all(|two| two[0] <= two[1]));
        assert_eq!(pause(i32::MAX, false), LONGEST);
        assert_eq!((pause(0, false), pause(0, true), pause(99, true)), (SHORTEST, RARELY, RARELY));
    }

    #[test]
    fn one_record_of_many_is_enough_and_a_strangers_text_is_cut() {
        let found = |texts: &[&str]| Finding::of(Ok(texts.iter().map(|text| (*text).to_owned()).collect()), "a=1");
        assert_eq!(found(&["v=spf1 -all", " a=1 "]), Finding::Found);
        assert_eq!(found(&[]), Finding::Missing);
        assert_eq!(found(&["a=12", "b"]), Finding::Other("a=12".into()));
        assert_eq!(found(&[&"\u{7}x".repeat(200)]), Finding::Other("x".repeat(SHOWN)));
        assert_eq!(Finding::of(Err("refused".into()), "a=1").word(), "trouble");
    }
}

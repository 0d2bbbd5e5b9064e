//! What nobody asks for: idle previews go, and those that wait are made once there is room.

use super::{
    announce,
    decide::{self, Act, Place},
    make::{carry_out, situation},
};
use crate::{Platform, Result, quotas};
use model::{SiteId, TeamId, deployment::Trigger, views::PreviewState};
use store::pull_requests::PullRequestRow;

/// Removes the previews of all sites of which nothing was heard for as long as their sites allow, and makes those that
/// wait and have room now.
///
/// # Errors
/// The database's.
pub(crate) async fn tidy(platform: &Platform) -> Result<()> {
    let mut conn = platform.pool.acquire().await?;
    store::pull_requests::prune(&mut conn, platform.settings.limits.deliveries_kept.as_secs_f64()).await?;
    let idle = store::pull_requests::idle(&mut conn).await?;
    drop(conn);
    for row in idle {
        retire(platform, &row).await?;
    }
    let mut conn = platform.pool.acquire().await?;
    let waiting = store::pull_requests::sites_that_wait(&mut conn).await?;
    drop(conn);
    for (team, site) in waiting {
        resume(platform, team, site).await?;
    }
    Ok(())
}

/// Removes an idle preview, unless something was heard of it since.
async fn retire(platform: &Platform, seen: &PullRequestRow) -> Result<()> {
    let mut tx = platform.pool.begin().await?;
    store::pull_requests::lock(&mut tx, seen.site_id).await?;
    let Some(site) = store::sites::by_id(&mut tx, &[seen.team_id], seen.site_id).await? else { return Ok(()) };
    let row = super::find(&mut tx, &site, seen.number).await?;
    if site.deleting_at.is_some() || row.active_at != seen.active_at || row.state() != seen.state() {
        return Ok(());
    }
    if situation(&mut tx, &site, row.number).await?.place == Place::Ready {
        carry_out(platform, &mut tx, &site, &row, Act::Remove, (Trigger::Webhook, None)).await?;
    }
    store::pull_requests::withdraw_approval(&mut tx, site.team_id, (site.id, row.number)).await?;
    store::pull_requests::set_state(&mut tx, site.team_id, (site.id, row.number), PreviewState::Idle).await?;
    announce(&mut tx, &site).await?;
    tx.commit().await?;
    platform.removals.notify_one();
    tracing::info!(site = %site.id, number = row.number, "an idle preview is removed");
    Ok(())
}

/// Makes the previews of a site that wait, the oldest pull request first, as far as there is room.
///
/// # Errors
/// The database's.
pub(crate) async fn resume(platform: &Platform, team: TeamId, site: SiteId) -> Result<()> {
    let mut tx = platform.pool.begin().await?;
    store::pull_requests::lock(&mut tx, site).await?;
    let Some(site) = store::sites::by_id(&mut tx, &[team], site).await? else { return Ok(()) };
    if site.deleting_at.is_some() || !site.previews_enabled {
        return Ok(());
    }
    for row in store::pull_requests::waiting(&mut tx, site.team_id, site.id).await? {
        let place = (site.id, row.number);
        // What was pushed to a fork while previews were off was approved by nobody.
        if row.from_fork && row.approved_commit != row.head {
            store::pull_requests::set_state(&mut tx, site.team_id, place, PreviewState::Approval).await?;
            continue;
        }
        let at = situation(&mut tx, &site, row.number).await?;
        let decision = decide::admitted(&at.of(Some(&row)));
        let builds = matches!(decision.act, Act::Make | Act::Deploy);
        if builds && quotas::obstacle(platform, &mut tx, site.team_id).await?.is_some() {
            // It goes on waiting.
            continue;
        }
        if let Some(state) = decision.state.filter(|state| *state != row.state()) {
            store::pull_requests::set_state(&mut tx, site.team_id, place, state).await?;
        }
        carry_out(platform, &mut tx, &site, &row, decision.act, (Trigger::Webhook, None)).await?;
    }
    announce(&mut tx, &site).await?;
    tx.commit().await?;
    platform.wake.notify_one();
    Ok(())
}

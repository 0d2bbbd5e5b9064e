//! Pushes from their beginning until their deployments are queued. Git moves a branch before the database hears of it;
//! what was written down at the beginning is made up for after an end in between, whichever of the two it was.

use super::{Moved, Repository, decide};
use crate::{Error, Platform, Result, access};
use forge::{hosted, locks};
use model::{Actor, PushId, Scope, TeamId, names::BranchName};
use std::{
    collections::HashSet,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use store::pushes::{PushRow, Tips};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

/// Pushes are looked for this often.
const LOOK: Duration = Duration::from_mins(1);
/// The same while one of them cannot be judged yet.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// Another process that says nothing for so long is not at work on its pushes any more.
const SILENCE: Duration = Duration::from_mins(3);
/// A lock of this age is not held any more, whosever it was: git holds them for moments, and a push ends sooner.
const LOCK_AGE: Duration = Duration::from_hours(2);
/// What cannot be made up for in so long never will be.
const PATIENCE: time::Duration = time::Duration::days(1);

/// The pushes that this process is at work on.
#[derive(Debug, Clone, Default)]
pub struct UnderWay(Arc<Mutex<HashSet<PushId>>>);

impl UnderWay {
    fn ids(&self) -> MutexGuard<'_, HashSet<PushId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A push that is written down. Once it is dropped nobody is at work on it.
#[derive(Debug)]
pub struct Begun {
    pub(super) id: PushId,
    pub(super) team: TeamId,
    own: UnderWay,
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.own.ids().remove(&self.id);
    }
}

/// Writes down that a push begins, and where the branches stand that are deployed: to be called before git.
///
/// # Errors
/// 404, 403, 409 `site_deleting`; the database's.
pub async fn begin(platform: &Platform, actor: &Actor, repository: &Repository) -> Result<Begun> {
    let mut tx = platform.pool.begin().await?;
    let site = access::site_to_change(&mut tx, actor, Scope::Deploy, repository.site).await?;
    let begun = Begun { id: PushId::new(), team: site.team_id, own: platform.pushes.clone() };
    // First here, then in the database: a row that is found there is known here.
    begun.own.ids().insert(begun.id);
    let mut tips = Tips::new();
    for branch in &repository.branches {
        if let Ok(name) = BranchName::parse(branch) {
            tips.insert(branch.clone(), hosted::branch_tip(&repository.path, &name).await?);
        }
    }
    store::pushes::insert(&mut tx, site.team_id, site.id, begun.id, actor.user, &tips).await?;
    tx.commit().await?;
    Ok(begun)
}

/// Makes up for pushes that nobody is at work on any more, now and every minute, until it is told to stop. `alone`: no
/// other process uses this data folder.
pub async fn run(platform: Arc<Platform>, alone: bool, stop: CancellationToken) {
    loop {
        let look = async {
            let is_done = resume(&platform, alone).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "pushes that were cut off could not be looked for");
                false
            });
            tokio::time::sleep(if is_done { LOOK } else { LOOK_AGAIN }).await;
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = look => {}
        }
    }
}

/// Queues what pushes moved that were cut off before their deployments were queued, and forgets those that moved
/// nothing; `false` if one of them cannot be judged yet.
///
/// # Errors
/// The database's.
pub async fn resume(platform: &Platform, alone: bool) -> Result<bool> {
    let mut conn = platform.pool.acquire().await?;
    let own: Vec<PushId> = platform.pushes.ids().iter().copied().collect();
    store::pushes::seen(&mut conn, &own).await?;
    let silence = if alone { Duration::ZERO } else { SILENCE };
    let mut rows = store::pushes::silent_of_all_teams(&mut conn, silence.as_secs_f64()).await?;
    drop(conn);
    rows.retain(|row| !platform.pushes.ids().contains(&row.id));
    let mut is_done = true;
    for row in rows {
        is_done &= take_up(platform, &row, alone).await.unwrap_or_else(|error| {
            tracing::warn!(push = %row.id, site = %row.site_id, %error, "a push that was cut off is not made up for yet");
            true
        });
    }
    Ok(is_done)
}

/// `false` if a git still works on the repository: it may yet move a branch.
async fn take_up(platform: &Platform, row: &PushRow, alone: bool) -> Result<bool> {
    let path = platform.repository(row.site_id);
    let repository = path.clone();
    if blocking(move || locks::is_at_work(&repository)).await? {
        return Ok(false);
    }
    unlock(&path, alone).await?;
    match moved_since(&path, &row.tips).await {
        Ok(moved) => {
            let actor = Actor { user: row.user_id, ..Actor::platform(row.team_id) };
            let push = (row.team_id, row.id);
            let led_to = match decide(platform, &actor, push, row.site_id, &moved, Some(row.started_at)).await {
                Err(Error::Problem(problem)) => {
                    tracing::warn!(site = %row.site_id, user = ?row.user_id, %problem, "a push that was cut off is not deployed");
                    store::pushes::remove(&mut *platform.pool.acquire().await?, row.team_id, row.id).await?;
                    return Ok(true);
                }
                decided => decided?,
            };
            for started in &led_to.started {
                tracing::warn!(site = %row.site_id, deployment = %started.deployment, "a push that was cut off is deployed");
            }
        }
        Err(error) if OffsetDateTime::now_utc() - row.started_at < PATIENCE => return Err(error),
        Err(error) => {
            tracing::error!(site = %row.site_id, %error, "a push that was cut off is given up");
            store::pushes::remove(&mut *platform.pool.acquire().await?, row.team_id, row.id).await?;
        }
    }
    Ok(true)
}

async fn moved_since(path: &Path, tips: &Tips) -> Result<Vec<Moved>> {
    let mut moved = Vec::new();
    for (branch, from) in tips {
        let Ok(name) = BranchName::parse(branch) else { continue };
        let to = hosted::branch_tip(path, &name).await?;
        if to != *from {
            moved.push(Moved { branch: branch.clone(), from: from.clone(), to });
        }
    }
    Ok(moved)
}

/// Removes what a git left which was killed, from all repositories: with its locks there nobody could push. `alone`: no
/// other process uses this data folder, and then a lock without a git on this machine is nobody's; else another
/// container's git may hold it, which is not seen from here, and only an old one is removed.
pub async fn unlock_all(platform: &Platform, alone: bool) {
    let Ok(mut entries) = tokio::fs::read_dir(platform.settings.data_dir.join("repositories")).await else { return };
    while let Ok(Some(entry)) = entries.next_entry().await {
        if let Err(error) = unlock(&entry.path(), alone).await {
            tracing::warn!(repository = %entry.path().display(), %error, "what a killed git left could not be looked for");
        }
    }
}

async fn unlock(path: &Path, alone: bool) -> Result<()> {
    let (path, age) = (path.to_owned(), if alone { Duration::ZERO } else { LOCK_AGE });
    for left in blocking(move || locks::remove_stale(&path, age)).await? {
        tracing::warn!(path = %left.display(), "removed what a git left that was killed");
    }
    Ok(())
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    Ok(tokio::task::spawn_blocking(work).await.map_err(anyhow::Error::from)?)
}

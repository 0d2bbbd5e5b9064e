//! Takes deployments from the queue and works on them, so many at once as configured, each under a lease.

use crate::{
    Platform, deployments,
    pipeline::{Run, Stop},
};
use model::{
    deployment::{Status, Step, StepStatus},
    event::Event,
    views::Quota,
};
use std::{sync::Arc, time::Duration};
use store::{
    deployments::DeploymentRow,
    queue::{Lease, WriteError},
};
use tokio::sync::{Notify, Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

/// A worker that is silent for so long has lost its deployment to another.
pub(crate) const LEASE: Duration = Duration::from_secs(6);
const HEARTBEAT: Duration = Duration::from_millis(500);
/// Without any wake-up the queue is looked at this often: for leases that ran out and retries that are due.
const LOOK: Duration = Duration::from_secs(1);
/// So often something that may be well again soon is tried.
const ATTEMPTS: i32 = 6;

/// Works until it is told to stop. What is under way then goes back into the queue when its lease runs out, at
/// once where it can be given back.
pub async fn run(platform: Arc<Platform>, stop: CancellationToken) {
    let worker = Uuid::now_v7();
    let permits = Arc::new(Semaphore::new(platform.settings.build_concurrency.max(1)));
    let tasks = TaskTracker::new();
    let news = Arc::new(Notify::new());
    tracing::info!(%worker, at_once = platform.settings.build_concurrency, "worker started");
    while !stop.is_cancelled() {
        if let Err(error) = recover(&platform).await {
            tracing::warn!(%error, "the queue could not be looked at");
        }
        loop {
            let Ok(permit) = Arc::clone(&permits).try_acquire_owned() else { break };
            match claim(&platform, worker).await {
                Ok(Some((lease, row))) => {
                    let (platform, news, stop) = (Arc::clone(&platform), Arc::clone(&news), stop.child_token());
                    tasks.spawn(async move {
                        Box::pin(work(&platform, lease, row, &news, stop)).await;
                        drop(permit);
                        platform.wake.notify_one();
                    });
                }
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(%error, "no deployment could be taken");
                    break;
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            // It may be that one is to end.
            () = platform.wake.notified() => news.notify_waiters(),
            () = tokio::time::sleep(LOOK) => {}
        }
    }
    tasks.close();
    if tokio::time::timeout(Duration::from_secs(8), tasks.wait()).await.is_err() {
        tracing::warn!("deployments are left to the next worker");
    }
}

async fn claim(platform: &Platform, worker: Uuid) -> sqlx::Result<Option<(Lease, DeploymentRow)>> {
    let mut conn = platform.pool.acquire().await?;
    let builds = platform.settings.quotas.get(Quota::Builds);
    store::queue::claim(&mut conn, worker, LEASE.as_secs_f64(), builds).await
}

/// Puts back what workers that are gone left behind.
async fn recover(platform: &Platform) -> sqlx::Result<()> {
    let mut tx = platform.pool.begin().await?;
    for (id, team, site, state) in store::queue::recover(&mut tx).await? {
        tracing::warn!(deployment = %id, state, "a worker was lost; its deployment was put back");
        if let Some(status) = Status::from_word(&state) {
            deployments::announce(&mut tx, team, site, id, status, None).await?;
        }
    }
    tx.commit().await
}

async fn work(platform: &Arc<Platform>, lease: Lease, row: DeploymentRow, news: &Arc<Notify>, stop: CancellationToken) {
    let (deployment, attempt) = (lease.deployment, lease.attempt);
    tracing::info!(%deployment, site = %row.site_id, attempt, "deployment taken");
    let cancel = stop.child_token();
    let beat = tokio::spawn(heartbeat(Arc::clone(platform), lease, Arc::clone(news), cancel.clone()));
    let outcome = match Run::open(Arc::clone(platform), lease, row.clone(), cancel.clone()).await {
        Ok(run) => {
            if attempt > 1 {
                run.log.say(format!("Attempt {attempt}: the one before did not come to an end.")).await;
            }
            let outcome = run.go().await;
            let concluded = conclude(&run, outcome, &stop).await;
            beat.abort();
            concluded
        }
        Err(outcome) => {
            beat.abort();
            close(platform, lease, &row, outcome, None, &stop).await
        }
    };
    // It removes what the run left to it: the old release once that had its time, the database of a site that never
    // was live.
    platform.removals.notify_one();
    if let Err(error) = outcome {
        // The lease runs out, and the deployment is taken again.
        tracing::error!(%deployment, ?error, "how a deployment ended could not be written down");
    }
}

/// Keeps the lease; ends the run when the lease is lost or its end is asked for.
async fn heartbeat(platform: Arc<Platform>, lease: Lease, news: Arc<Notify>, cancel: CancellationToken) {
    let mut last = tokio::time::Instant::now();
    loop {
        tokio::select! {
            () = tokio::time::sleep(HEARTBEAT) => {}
            () = news.notified() => {}
        }
        let beat = async {
            let mut conn = platform.pool.acquire().await?;
            store::queue::heartbeat(&mut conn, lease, LEASE.as_secs_f64()).await
        };
        match tokio::time::timeout(LEASE, beat).await {
            Ok(Ok(false)) => last = tokio::time::Instant::now(),
            Ok(Err(WriteError::Database(_))) | Err(_) if last.elapsed() < LEASE => {}
            Ok(Ok(true) | Err(_)) | Err(_) => return cancel.cancel(),
        }
    }
}

async fn conclude(run: &Run, outcome: Result<(), Stop>, stop: &CancellationToken) -> Result<(), Stop> {
    match outcome {
        Ok(()) => {
            run.remove_folder().await;
            run.log.flush().await;
            Ok(())
        }
        Err(why) => {
            // Without that certainty nothing is touched: it may serve by now, or belong to the next attempt. That one, or
            // the reconciler, clears up.
            if run.still_ours().await.is_ok() {
                run.undo().await;
            }
            close(&run.platform, run.lease, &run.row, why, Some(run), stop).await
        }
    }
}

/// Writes down how an attempt ended that did not go live.
async fn close(
    platform: &Platform,
    lease: Lease,
    row: &DeploymentRow,
    why: Stop,
    run: Option<&Run>,
    stop: &CancellationToken,
) -> Result<(), Stop> {
    let say = async |text: String| {
        if let Some(run) = run {
            run.log.say(text).await;
            run.log.flush().await;
        }
    };
    let mut conn = platform.pool.acquire().await?;
    let current = store::deployments::by_id(&mut conn, &[row.team_id], row.id).await?;
    let Some(current) = current.filter(|c| c.attempt == lease.attempt && c.status().is_running()) else {
        return Ok(());
    };
    let begun = store::queue::steps(&mut conn, row.team_id, row.id)
        .await?
        .into_iter()
        .find(|s| s.status == StepStatus::Running)
        .map(|s| s.name);
    drop(conn);

    let (status, failure) = match why {
        // Whatever went wrong meanwhile: it is neither tried again nor a failure.
        _ if current.cancel_requested_at.is_some() && current.status().is_cancellable() => {
            say("Cancelled. What served before still serves.".into()).await;
            (Status::Cancelled, None)
        }
        Stop::Interrupted if stop.is_cancelled() => {
            say("The platform shuts down; this goes on when it is back.".into()).await;
            return give_back(platform, lease, row, Duration::ZERO).await;
        }
        Stop::Interrupted => return Ok(()),
        Stop::Later(reason) if lease.attempt < ATTEMPTS => {
            let delay = Duration::from_secs(1 << lease.attempt.clamp(0, 5));
            let words = reason.message.trim_end_matches('.');
            say(format!("{words}. Next try, {} of {ATTEMPTS}, in {} s.", lease.attempt + 1, delay.as_secs())).await;
            return give_back(platform, lease, row, delay).await;
        }
        Stop::Later(failure) | Stop::Failed(failure) => (Status::Failed, Some(failure)),
    };
    if let Some(failure) = &failure {
        let service = failure.service.as_deref().map(|s| format!("{s}: ")).unwrap_or_default();
        say(format!("Failed: {service}{}", failure.message)).await;
        say(failure.code.remedy().to_owned()).await;
        if run.is_some_and(|run| run.previous.is_some()) {
            say("What served before still serves.".to_owned()).await;
        }
    }
    let mut tx = platform.pool.begin().await?;
    if let Some(step) = begun {
        store::queue::set_step(&mut tx, row.id, step, StepStatus::Failed).await?;
    }
    match failure {
        Some(failure) => {
            let message = run.map_or_else(|| failure.message.clone(), |run| run.log.redact(&failure.message));
            store::queue::fail(&mut tx, lease, failure.code, begun, failure.service.as_deref(), &message).await?;
        }
        None => store::queue::advance(&mut tx, lease, current.status(), Status::Cancelled).await?,
    }
    let event = Event::Deployment { id: row.id, site_id: row.site_id, status, step: begun };
    store::events::insert(&mut tx, row.team_id, &event).await?;
    tx.commit().await?;
    tracing::info!(deployment = %row.id, %status, "deployment ended");
    Ok(())
}

async fn give_back(platform: &Platform, lease: Lease, row: &DeploymentRow, delay: Duration) -> Result<(), Stop> {
    let mut tx = platform.pool.begin().await?;
    let status = store::queue::give_back(&mut tx, lease, delay.as_secs_f64()).await?;
    let event = Event::Deployment { id: row.id, site_id: row.site_id, status, step: None::<Step> };
    store::events::insert(&mut tx, row.team_id, &event).await?;
    tx.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        accounts,
        deployments::NewDeployment,
        testing::{self, World, registration},
    };
    use model::deployment::FailureCode;
    use sqlx::PgPool;

    #[sqlx::test(migrations = "../../migrations")]
    async fn what_is_cancelled_is_neither_tried_again_nor_a_failure(pool: PgPool) {
        let World { platform, actor, site, .. } = World::new(pool).await;
        let never = CancellationToken::new();
        for why in [
            Stop::later(FailureCode::EngineUnavailable, "it is away"),
            Stop::failed(FailureCode::BuildFailed, "exit 1"),
            Stop::Interrupted,
        ] {
            let told = format!("{why:?}");
            deployments::create(&platform, &actor, site, NewDeployment::default()).await.unwrap();
            let (lease, row) = claim(&platform, Uuid::now_v7()).await.unwrap().unwrap();
            deployments::cancel(&platform, &actor, row.id).await.unwrap();
            close(&platform, lease, &row, why, None, &never).await.unwrap();
            let shown = deployments::get(&platform, &actor, row.id).await.unwrap();
            assert_eq!((shown.summary.status, shown.error), (Status::Cancelled, None), "{told}");
        }
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn the_reconciler_is_told_of_a_deployments_end_whatever_that_is(pool: PgPool) {
        let folder = tempfile::tempdir().unwrap();
        let World { mut platform, actor, site, .. } = World::new(pool).await;
        platform.settings.data_dir = folder.path().to_owned();
        let platform = Arc::new(platform);
        deployments::create(&platform, &actor, site, NewDeployment::default()).await.unwrap();
        let (lease, row) = claim(&platform, Uuid::now_v7()).await.unwrap().unwrap();
        let id = row.id;
        work(&platform, lease, row, &Arc::default(), CancellationToken::new()).await;
        let shown = deployments::get(&platform, &actor, id).await.unwrap().summary;
        assert_eq!(shown.status, Status::Failed, "there is no repository");
        let told = tokio::time::timeout(Duration::from_secs(5), platform.removals.notified()).await;
        assert!(told.is_ok());
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn two_hundred_deployments_of_one_team_do_not_delay_another_teams_one(pool: PgPool) {
        let folder = tempfile::tempdir().unwrap();
        let World { mut platform, actor, team, .. } = World::new(pool).await;
        platform.settings.data_dir = folder.path().to_owned();
        platform.settings.build_concurrency = 2;
        for number in 0..200 {
            let (site, _) = testing::site(&platform, team, &format!("busy{number}")).await;
            deployments::create(&platform, &actor, site, NewDeployment::default()).await.unwrap();
        }
        let bob = accounts::register(&platform, registration("Bob")).await.unwrap();
        let calm = accounts::actor(&platform, bob.user.id).await.unwrap().unwrap();
        let (site, _) = testing::site(&platform, bob.team.id, "calm").await;

        let (platform, stop) = (Arc::new(platform), CancellationToken::new());
        let worker = tokio::spawn(run(Arc::clone(&platform), stop.clone()));
        let open = async || {
            let mut conn = platform.pool.acquire().await.unwrap();
            store::queue::open_of_all_teams(&mut conn, None).await.unwrap().len()
        };
        while open().await > 195 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let asked = deployments::create(&platform, &calm, site, NewDeployment::default()).await.unwrap().summary;
        // Only now others can see it: it says of itself when its transaction began.
        let waits_since: time::OffsetDateTime =
            sqlx::query_scalar("select clock_timestamp()").fetch_one(&platform.pool).await.unwrap();
        let ended = loop {
            let shown = deployments::get(&platform, &calm, asked.id).await.unwrap().summary;
            if shown.status.is_final() {
                break shown;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        assert!(open().await > 0, "the others still wait");
        stop.cancel();
        worker.await.unwrap();
        let before: i64 =
            sqlx::query_scalar("select count(*) from deployments where team_id = $1 and started_at between $2 and $3")
                .bind(team)
                .bind(waits_since)
                .bind(ended.started_at.unwrap())
                .fetch_one(&platform.pool)
                .await
                .unwrap();
        // One may have been taken in the same instant.
        assert!(before <= 1, "{before} of the others began first");
    }
}

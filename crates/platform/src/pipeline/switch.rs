//! Moves the route to the new release and makes it the current one.

use super::{Run, Stop};
use crate::{routes, watch};
use model::{
    ReleaseId,
    deployment::{FailureCode, Status, Step, StepStatus},
    event::Event,
    plan::ReleasePlan,
};
use proxy::Counts;
use std::time::{Duration, Instant};

pub(super) async fn run(run: &Run, plan: &ReleasePlan) -> Result<(), Stop> {
    let begun = Instant::now();
    let domains = domains(run).await?;
    let new = routes::of(plan, &domains);
    let (ours, before) = tokio::join!(run.still_ours(), watch::counts(&run.platform, run.environment.id));
    if let Err(error) = confirmed(run, &new, ours?).await {
        // A worker that slept through its lease must not touch the route of the one that has it now.
        let until = run.still_ours().await?;
        // Nothing is lost yet: the old containers still run, so the old route is put back.
        back(run, until).await.map_err(Stop::internal)?;
        return Err(Stop::failed(FailureCode::SwitchFailed, format!("The proxy did not take the new route: {error}")));
    }
    run.log.say(format!("Switched in {:.0} ms", begun.elapsed().as_secs_f64() * 1000.0)).await;
    routes::write_folder(&run.platform, &run.environment, &run.secrets, plan, &domains).await?;
    let url = run.platform.settings.site_url(plan.told_host());
    run.log.say(format!("Live: {url}")).await;
    run.log.flush().await;
    live(run, plan, before).await
}

/// Leads the route back to what serves according to the database, and tells how long what it led to before may still have
/// requests to finish, whoever led it back.
/// `until` the lease holds: no route is written later, not even by a process that was stopped on its way to it.
pub(super) async fn back(run: &Run, until: Instant) -> crate::Result<Duration> {
    let (proxy, drain) = (&run.platform.proxy, run.platform.settings.drain);
    let key = routes::key(run.environment.id);
    let Some(previous) = &run.previous else {
        let is_there = proxy.read().await?.contains_key(&key);
        if Instant::now() < until {
            proxy.remove(&key).await?;
        }
        return Ok(if is_there { drain } else { Duration::ZERO });
    };
    let old = routes::of(previous, &domains(run).await?);
    proxy.put_before(&old, until).await?;
    let written = proxy.read().await?.get(&key).map(|file| file.written);
    let rest = written.map_or(drain, |at| drain.saturating_sub(at.elapsed().unwrap_or_default()));
    if !rest.is_zero()
        && let Err(error) = proxy.confirm(&old, run.platform.settings.deadlines.switch).await
    {
        // It answers nobody then; when it is back it reads what is on disk.
        tracing::warn!(deployment = %run.row.id, %error, "the proxy does not follow");
    }
    Ok(rest)
}

/// The domains that lead to the environment just now.
async fn domains(run: &Run) -> crate::Result<Vec<String>> {
    let mut conn = run.platform.pool.acquire().await?;
    Ok(store::domains::leading(&mut conn, run.row.team_id, run.environment.id).await?)
}

async fn confirmed(run: &Run, new: &proxy::SiteRoutes, until: Instant) -> proxy::Result<()> {
    run.platform.proxy.put_before(new, until).await?;
    run.platform.proxy.confirm(new, run.platform.settings.deadlines.switch).await?;
    Ok(())
}

/// One transaction: the release, that it is the current one, and that the deployment is live.
async fn live(run: &Run, plan: &ReleasePlan, before: Option<Counts>) -> Result<(), Stop> {
    let release = ReleaseId::new();
    let mut tx = run.platform.pool.begin().await?;
    store::queue::advance(&mut tx, run.lease, Status::Switching, Status::Live).await?;
    let (environment, variables) = (run.environment.id, run.secrets.version);
    store::releases::insert(&mut tx, run.row.team_id, release, environment, run.row.id, plan, variables).await?;
    store::environments::set_current(&mut tx, run.row.team_id, run.environment.id, release).await?;
    store::queue::set_step(&mut tx, run.row.id, Step::Switch, StepStatus::Done).await?;
    store::queue::set_step(&mut tx, run.row.id, Step::Drain, StepStatus::Running).await?;
    watch::begin(&mut tx, &run.platform, &run.row, run.environment.current_release, before).await?;
    run.announce(&mut tx, Status::Live, None).await?;
    let event = Event::Site { id: run.row.site_id, status: "live".into() };
    store::events::insert(&mut tx, run.row.team_id, &event).await?;
    tx.commit().await?;
    tracing::info!(deployment = %run.row.id, site = %run.row.site_id, "live");
    Ok(())
}

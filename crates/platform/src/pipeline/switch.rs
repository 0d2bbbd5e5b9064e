//! Moves the route to the new release and makes it the current one.

use super::{Run, Stop};
use crate::routes;
use model::{
    ReleaseId,
    deployment::{FailureCode, Status, Step, StepStatus},
    event::Event,
    plan::ReleasePlan,
};
use std::time::{Duration, Instant};

/// The proxy may take so long to follow.
const PATIENCE: Duration = Duration::from_secs(15);

pub(super) async fn run(run: &Run, plan: &ReleasePlan) -> Result<(), Stop> {
    let begun = Instant::now();
    let new = routes::of(plan);
    if let Err(error) = confirmed(run, &new).await {
        // Nothing is lost yet: the old containers still run, so the old route is put back.
        match &run.previous {
            Some(previous) => run.platform.proxy.put(&routes::of(previous)).await.map(|_| ()),
            None => run.platform.proxy.remove(&new.key).await,
        }
        .map_err(Stop::internal)?;
        return Err(Stop::failed(FailureCode::SwitchFailed, format!("The proxy did not take the new route: {error}")));
    }
    run.log.say(format!("Switched in {:.0} ms", begun.elapsed().as_secs_f64() * 1000.0)).await;
    routes::write_folder(&run.platform, &run.environment, &run.secrets, plan).await?;
    let url = run.platform.settings.site_url(plan.hosts.first().map(String::as_str).unwrap_or_default());
    run.log.say(format!("Live: {url}")).await;
    run.log.flush().await;
    live(run, plan).await
}

async fn confirmed(run: &Run, new: &proxy::SiteRoutes) -> proxy::Result<()> {
    run.platform.proxy.put(new).await?;
    run.platform.proxy.confirm(new, PATIENCE).await?;
    Ok(())
}

/// One transaction: the release, that it is the current one, and that the deployment is live.
async fn live(run: &Run, plan: &ReleasePlan) -> Result<(), Stop> {
    let release = ReleaseId::new();
    let mut tx = run.platform.pool.begin().await?;
    store::queue::advance(&mut tx, run.lease, Status::Switching, Status::Live).await?;
    store::releases::insert(&mut tx, run.row.team_id, release, run.environment.id, run.row.id, plan).await?;
    store::environments::set_current(&mut tx, run.row.team_id, run.environment.id, release).await?;
    store::queue::set_step(&mut tx, run.row.id, Step::Switch, StepStatus::Done).await?;
    store::queue::set_step(&mut tx, run.row.id, Step::Drain, StepStatus::Running).await?;
    run.announce(&mut tx, Status::Live, Some(Step::Drain)).await?;
    let event = Event::Site { id: run.row.site_id, status: "live".into() };
    store::events::insert(&mut tx, run.row.team_id, &event).await?;
    tx.commit().await?;
    tracing::info!(deployment = %run.row.id, site = %run.row.site_id, "live");
    Ok(())
}

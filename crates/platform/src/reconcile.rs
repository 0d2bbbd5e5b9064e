//! Makes the machine match what the database says should run: at start, on the engine's events, and now and then.
//!
//! It touches only what carries this installation's labels, and says in the log what it did and why.

use crate::{Platform, Result, labels, machine, plan, proxy_container, remove, routes, secrets::EnvironmentSecrets};
use docker::{ContainerSummary, EventKind};
use futures::StreamExt;
use model::{
    EnvironmentId, TeamId,
    deployment::{Status, Step, StepStatus},
    event::Event,
};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use store::{environments::EnvironmentRow, releases::ReleaseRow};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

/// Without any event everything is looked at this often.
const LOOK: Duration = Duration::from_secs(10);
/// Several events at once (a restart of the engine) lead to one look.
const SETTLE: Duration = Duration::from_millis(300);
/// Releases that can be gone back to, the one that serves included.
const KEPT_RELEASES: usize = 5;

/// Reconciles until it is told to stop.
pub async fn run(platform: Arc<Platform>, stop: CancellationToken) {
    loop {
        let mut events = platform.engine.events(&labels::of_instance(&platform)).await.ok();
        once(&platform).await;
        let wait = async {
            let Some(events) = &mut events else { return futures::future::pending().await };
            // Our own starting and stopping raises events too; only ends and removals need a look.
            while let Some(Ok(event)) = events.next().await {
                if matches!(event.kind, EventKind::Died(_) | EventKind::Destroyed) {
                    return;
                }
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = wait => tokio::time::sleep(SETTLE).await,
            () = platform.removals.notified() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// One look at everything.
pub async fn once(platform: &Platform) {
    if let Err(error) = proxy_container::ensure(platform).await {
        tracing::warn!(%error, "the proxy's container is not as it should be");
    }
    if let Err(error) = all(platform).await {
        tracing::warn!(%error, "reconciling did not come to its end");
    }
}

async fn all(platform: &Platform) -> Result<()> {
    let mut conn = platform.pool.acquire().await?;
    let environments = store::environments::all(&mut conn).await?;
    let gone = store::sites::to_remove(&mut conn).await?;
    store::events::prune(&mut conn).await?;
    drop(conn);
    for site in gone {
        if let Err(error) = remove::site(platform, &site).await {
            tracing::warn!(site = %site.id, %error, "a site could not be removed yet");
        }
    }
    for environment in &environments {
        if let Err(error) = restore(platform, environment).await {
            tracing::warn!(environment = %environment.id, %error, "an environment is not as it should be yet");
        }
        settle(platform, environment.team_id, environment.id).await;
    }
    remove::strangers(platform, &environments).await
}

/// Makes sure that what should serve does: network, containers, route.
async fn restore(platform: &Platform, environment: &EnvironmentRow) -> Result<()> {
    let Some(current) = environment.current_release else { return Ok(()) };
    let mut conn = platform.pool.acquire().await?;
    // A deployment that runs moves the route itself.
    let switching = store::queue::running_in(&mut conn, environment.id).await?.is_some();
    let Some(release) = store::releases::by_id(&mut conn, environment.team_id, current).await? else { return Ok(()) };
    drop(conn);
    let release = release.plan.0;
    let labels = labels::of_environment(platform, release.team, release.site, release.environment);
    let mut missing = vec![];
    for container in &release.containers {
        match machine::find(platform, &release, container).await? {
            Some(there) if there.running || there.restarting => {}
            Some(there) => {
                tracing::warn!(container = %there.name, "a container had ended; started again");
                platform.engine.start(&there.name).await?;
            }
            None => missing.push(container),
        }
    }
    if !missing.is_empty() {
        machine::ensure_network(platform, &release.network, &labels).await?;
        for volume in release.volumes.keys() {
            platform.engine.ensure_volume(volume, &labels).await?;
        }
        let secrets = EnvironmentSecrets::open(platform, environment)?;
        for container in missing {
            let name = plan::overlap_name(container, release.deployment);
            let spec = machine::site_container(platform, environment, &secrets, &release, container, &name);
            platform.engine.start_site_container(&spec).await?;
            tracing::warn!(container = %name, "a container was missing; made again");
        }
    }
    if !switching && platform.proxy.put(&routes::of(&release)).await? {
        tracing::warn!(environment = %environment.id, "a route was missing or changed; written again");
    }
    Ok(())
}

/// After a switch: ends the containers of releases that no longer serve, once they had time to finish their
/// requests, gives the new ones their plain names, and forgets what is no longer kept.
pub async fn settle(platform: &Platform, team: TeamId, environment: EnvironmentId) {
    if let Err(error) = try_settle(platform, team, environment).await {
        tracing::warn!(%environment, %error, "an old release is not removed yet");
    }
}

async fn try_settle(platform: &Platform, team: TeamId, environment: EnvironmentId) -> Result<()> {
    let mut conn = platform.pool.acquire().await?;
    let Some(row) = store::environments::by_id(&mut conn, team, environment).await? else { return Ok(()) };
    let filter = labels::of_environment(platform, team, row.site_id, environment);
    // First what is there, then what should be: what a deployment makes meanwhile is not in the list.
    drop(conn);
    let there = platform.engine.list_containers(&filter).await?;
    let mut conn = platform.pool.acquire().await?;
    let Some(row) = store::environments::by_id(&mut conn, team, environment).await? else { return Ok(()) };
    let running = store::queue::running_in(&mut conn, environment).await?;
    let releases = store::releases::of_environment(&mut conn, team, environment).await?;
    drop(conn);
    let current = releases.iter().find(|r| Some(r.id) == row.current_release);

    let mut mine: BTreeSet<String> = running.iter().map(ToString::to_string).collect();
    mine.extend(current.map(|r| r.deployment_id.to_string()));
    let stays = |c: &&ContainerSummary| {
        machine::is_stateful(&c.labels) || c.labels.get(labels::DEPLOYMENT).is_some_and(|id| mine.contains(id))
    };
    let old: Vec<&ContainerSummary> = there.iter().filter(|c| !stays(c)).collect();
    if let Some(current) = current
        && !old.is_empty()
        && OffsetDateTime::now_utc() < current.created_at + platform.settings.drain
    {
        return Ok(());
    }
    futures::future::try_join_all(old.iter().map(|c| async {
        platform.engine.stop(&c.id, machine::STOP_GRACE).await?;
        platform.engine.remove(&c.id, true).await
    }))
    .await?;
    for container in &old {
        tracing::info!(container = %container.name, "removed: it no longer serves");
    }
    if let Some(current) = current {
        take_plain_names(platform, current, &there).await?;
        if OffsetDateTime::now_utc() >= current.created_at + platform.settings.drain {
            end_drain(platform, &row, current).await?;
        }
    }
    forget(platform, &row, &releases, running).await
}

async fn take_plain_names(platform: &Platform, current: &ReleaseRow, there: &[ContainerSummary]) -> Result<()> {
    let release = &current.plan.0;
    for container in release.containers.iter().filter(|c| !c.stateful) {
        let name = plan::overlap_name(container, release.deployment);
        if there.iter().any(|c| c.name == name) {
            match platform.engine.rename(&name, &container.name).await {
                // Somebody else's container has the name, or it was renamed in the same instant.
                Ok(()) | Err(docker::Error::Conflict(_) | docker::Error::NotFound(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

async fn end_drain(platform: &Platform, row: &EnvironmentRow, current: &ReleaseRow) -> Result<()> {
    let mut tx = platform.pool.begin().await?;
    let draining = store::queue::steps(&mut tx, current.deployment_id)
        .await?
        .iter()
        .any(|s| s.name == Step::Drain && s.status == StepStatus::Running);
    if draining {
        store::queue::set_step(&mut tx, current.deployment_id, Step::Drain, StepStatus::Done).await?;
        let event = Event::Deployment {
            id: current.deployment_id,
            site_id: row.site_id,
            status: Status::Live,
            step: Some(Step::Drain),
        };
        store::events::insert(&mut tx, row.team_id, &event).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Removes releases beyond those kept, and images that no kept release uses.
async fn forget(
    platform: &Platform,
    row: &EnvironmentRow,
    releases: &[ReleaseRow],
    running: Option<model::DeploymentId>,
) -> Result<()> {
    let (kept, rest): (Vec<_>, Vec<_>) =
        releases.iter().enumerate().partition(|(index, r)| *index < KEPT_RELEASES || Some(r.id) == row.current_release);
    let used: BTreeSet<&str> = kept.iter().flat_map(|(_, r)| &r.plan.containers).map(|c| c.image.as_str()).collect();
    let filter = labels::of_environment(platform, row.team_id, row.site_id, row.id);
    for image in platform.engine.list_images(&filter).await? {
        let being_built = image
            .labels
            .get(labels::DEPLOYMENT)
            .is_some_and(|id| running.is_some_and(|running| running.to_string() == *id));
        for tag in image.tags.iter().filter(|tag| !being_built && !used.contains(tag.as_str())) {
            match platform.engine.remove_image(tag).await {
                Ok(()) => tracing::info!(%tag, "removed: no kept release uses it"),
                // A container of it is still about to end; the next look finds it again.
                Err(docker::Error::Conflict(_) | docker::Error::NotFound(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    if !rest.is_empty() {
        let mut conn = platform.pool.acquire().await?;
        for (_, release) in rest {
            store::releases::remove(&mut conn, row.team_id, release.id).await?;
        }
    }
    Ok(())
}

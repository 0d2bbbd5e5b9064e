//! Does what the comparison found to be done. Everything here may be done twice.

use super::diff::{Act, Action, Wanted};
use crate::{Platform, Result, labels, machine, plan, proxy_container, remove, secrets::EnvironmentSecrets};
use anyhow::Context;
use model::{
    DeploymentId, EnvironmentId, TeamId,
    deployment::{Status, Step, StepStatus},
    event::Event,
};
use std::time::Duration;
use store::reconcile::StateRow;

/// The proxy may take so long to follow a route that was written again.
const PATIENCE: Duration = Duration::from_secs(5);

/// Does the actions of one environment, or those of none, one after the other. One that fails ends the rest: they may
/// need it; the next look finds them again.
pub(super) async fn all(platform: &Platform, wanted: &Wanted, actions: &[Action]) {
    for Action { environment, act, reason } in actions {
        let state = environment.and_then(|id| wanted.environments.iter().find(|s| s.environment.id == id));
        match one(platform, state, act).await {
            Ok(true) => tracing::info!(environment = ?environment.map(|id| id.to_string()), "{act}: {reason}"),
            Ok(false) => tracing::debug!("not now: {act}: {reason}"),
            Err(error) => {
                tracing::warn!(%error, "could not {act} ({reason}); tried again soon");
                return;
            }
        }
    }
}

/// `false`: it was not to be done any more, or not yet.
async fn one(platform: &Platform, state: Option<&StateRow>, act: &Act) -> Result<bool> {
    let engine = &platform.engine;
    match (act, state) {
        (Act::MakeProxy, _) => proxy_container::make(platform).await?,
        (Act::ReplaceProxy, _) => proxy_container::replace(platform).await?,
        (Act::StartProxy, _) => engine.start(&proxy_container::name(&platform.settings.instance)).await?,
        (Act::MakeNetwork(network), Some(state)) => {
            machine::ensure_network(platform, network, &labels_of(platform, state)).await?;
        }
        (Act::MakeContainer(index, name), Some(state)) => make(platform, state, *index, name).await?,
        (Act::StartContainer(id, index, name), Some(state)) => match engine.start(id).await {
            Err(error) if !error.is_temporary() => {
                tracing::info!(container = %name, %error, "it cannot be started; made again");
                engine.remove(id, true).await?;
                make(platform, state, *index, name).await?;
            }
            other => other?,
        },
        (Act::WriteRoute(routes), Some(state)) => {
            let current = state.plan.as_ref().map(|plan| plan.deployment);
            if !holding_route(platform, state, current, platform.proxy.put(routes)).await? {
                return Ok(false);
            }
            platform.proxy.confirm(routes, PATIENCE).await?;
        }
        (Act::RemoveRoute(key), Some(state)) => {
            return holding_route(platform, state, None, async { platform.proxy.remove(key).await.map(|()| true) })
                .await;
        }
        (Act::EndDrain(deployment), Some(state)) => end_drain(platform, state, *deployment).await?,
        (Act::RemoveContainer { id, grace, .. }, _) => {
            engine.stop(id, *grace).await?;
            engine.remove(id, true).await?;
        }
        // Somebody else's container may have the name.
        (Act::RenameContainer(from, to), _) => return unless_in_use(engine.rename(from, to).await),
        (Act::RemoveNetwork(name), _) => engine.remove_network(name).await?,
        // A container of it may still be about to end, or other images stand on it.
        (Act::RemoveImage(tag), _) => return unless_in_use(engine.remove_image(tag).await),
        (Act::RemoveRoute(key), None) => {
            if !is_unknown(platform, key).await? {
                return Ok(false);
            }
            platform.proxy.remove(key).await?;
        }
        (Act::ForgetRelease(team, release), _) => {
            store::releases::remove(&mut *platform.pool.acquire().await?, *team, *release).await?;
        }
        (Act::RemoveCheckout(name), _) => remove::folder(&platform.checkouts().join(name)).await?,
        // Its environment went in the meantime.
        (
            Act::MakeNetwork(_)
            | Act::MakeContainer(..)
            | Act::StartContainer(..)
            | Act::WriteRoute(_)
            | Act::EndDrain(_),
            None,
        ) => return Ok(false),
    }
    Ok(true)
}

fn unless_in_use(done: docker::Result<()>) -> Result<bool> {
    match done {
        Ok(()) => Ok(true),
        Err(docker::Error::Conflict(_) | docker::Error::NotFound(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn labels_of(platform: &Platform, state: &StateRow) -> docker::Labels {
    let row = &state.environment;
    let home = state.plan.as_ref().map_or(row.team_id, |plan| plan.team);
    labels::of_environment(platform, home, row.site_id, row.id)
}

async fn make(platform: &Platform, state: &StateRow, index: usize, name: &str) -> Result<()> {
    let Some(release) = &state.plan else { return Ok(()) };
    let Some(container) = release.containers.get(index) else { return Ok(()) };
    let version = state.release_variables.unwrap_or_default();
    let mut conn = platform.pool.acquire().await?;
    let secrets = EnvironmentSecrets::open(platform, &mut conn, &state.environment, version).await?;
    drop(conn);
    for (volume, _) in machine::volumes(release, container) {
        platform.engine.ensure_volume(&volume, &labels_of(platform, state)).await?;
    }
    let spec = machine::site_container(platform, &state.environment, &secrets, release, container, name);
    match platform.engine.start_site_container(&spec).await {
        // Somebody else's container has the plain name.
        Err(docker::Error::Conflict(_)) if !container.stateful => {
            let name = plan::overlap_name(container, release.deployment);
            platform.engine.start_site_container(&docker::SiteContainer { name, ..spec }).await?;
        }
        other => {
            other?;
        }
    }
    Ok(())
}

/// Does something to the route file while nobody moves the route: a switch and this wait for each other. `false`: a
/// deployment moves it just now, or did since it was looked at, or the environment has other domains since.
async fn holding_route(
    platform: &Platform,
    state: &StateRow,
    serves: Option<DeploymentId>,
    work: impl Future<Output = proxy::Result<bool>>,
) -> Result<bool> {
    let (team, environment): (TeamId, EnvironmentId) = (state.environment.team_id, state.environment.id);
    let mut tx = platform.pool.begin().await?;
    let held = store::reconcile::hold_route(&mut tx, team, environment).await?;
    let is_as_seen = matches!(held, Some((current, false))
        if current == state.environment.current_release && serves.is_some() == current.is_some());
    if !is_as_seen || store::domains::leading(&mut tx, team, environment).await? != state.domains {
        return Ok(false);
    }
    work.await?;
    tx.commit().await?;
    Ok(true)
}

/// The database is asked again right before something of a stranger's is removed.
async fn is_unknown(platform: &Platform, key: &str) -> Result<bool> {
    let Ok(id) = key.parse::<EnvironmentId>() else { return Ok(false) };
    Ok(!store::environments::exists(&mut *platform.pool.acquire().await?, id).await?)
}

async fn end_drain(platform: &Platform, state: &StateRow, deployment: DeploymentId) -> Result<()> {
    let row = &state.environment;
    let mut tx = platform.pool.begin().await.context("ending a drain")?;
    store::queue::set_step(&mut tx, deployment, Step::Drain, StepStatus::Done).await?;
    let event =
        Event::Deployment { id: deployment, site_id: row.site_id, status: Status::Live, step: Some(Step::Drain) };
    store::events::insert(&mut tx, row.team_id, &event).await?;
    tx.commit().await?;
    Ok(())
}

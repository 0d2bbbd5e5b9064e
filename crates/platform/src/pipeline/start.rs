//! Plans the release and starts its containers beside those that serve.

use super::{Run, Stop, names, switch};
use crate::{firewall, labels, machine, plan, quotas};
use futures::future::{join_all, try_join_all};
use model::{
    ReleaseId,
    deployment::{FailureCode, Trigger},
    plan::{ContainerPlan, ReleasePlan},
    site::{Manifest, ServiceSource},
};
use std::{collections::BTreeSet, net::Ipv4Addr};

/// Plans a new release.
pub(super) async fn plan(run: &Run, manifest: &Manifest) -> Result<ReleasePlan, Stop> {
    let taken = taken(run).await?;
    let host = crate::sites::host(&run.platform, &run.site.slug, &run.environment.name);
    let domain = domain(run).await?;
    plan::make(&plan::PlanInput {
        team: run.site.home_team_id,
        team_slug: &run.site.home_slug,
        site: run.site.id,
        site_slug: &run.site.slug,
        environment: run.environment.id,
        environment_name: &run.environment.name,
        deployment: run.row.id,
        hosts: vec![host],
        domain,
        subnet: plan::subnet(&run.platform.settings, run.environment.subnet_index),
        manifest,
        previous: run.previous.as_ref(),
        taken: &taken,
    })
    .map_err(|e| Stop::failed(FailureCode::ManifestInvalid, e.to_string()))
}

/// Plans an earlier release again.
pub(super) async fn plan_again(run: &Run, release: ReleaseId) -> Result<ReleasePlan, Stop> {
    let mut conn = run.platform.pool.acquire().await?;
    let earlier = store::releases::by_id(&mut conn, run.row.team_id, release)
        .await?
        .ok_or_else(|| Stop::failed(FailureCode::ReleaseGone, "The release is no longer kept."))?;
    drop(conn);
    let whose = if earlier.environment_id == run.environment.id {
        "an earlier release"
    } else {
        "another environment's release"
    };
    run.log.say(format!("Applying {whose}; nothing is built.")).await;
    for container in &earlier.plan.containers {
        let is_built = matches!(container.spec.source, ServiceSource::Build { .. });
        if is_built && !run.platform.engine.image_exists(&container.image).await? {
            let words = format!("Its image {} is no longer on this machine.", container.image);
            return Err(Stop::service(FailureCode::ReleaseGone, &container.service, words));
        }
    }
    let taken = taken(run).await?;
    let place = plan::Place {
        environment: run.environment.id,
        project: plan::project(&run.site.home_slug, &run.site.slug, &run.environment.name),
        hosts: vec![crate::sites::host(&run.platform, &run.site.slug, &run.environment.name)],
        domain: domain(run).await?,
        subnet: plan::subnet(&run.platform.settings, run.environment.subnet_index),
    };
    plan::again(&earlier.plan.0, &place, run.row.id, run.previous.as_ref(), &taken)
        .map_err(|e| Stop::failed(FailureCode::StartFailed, e.to_string()))
}

/// The domain that the environment's services are told they answer at, if it has one.
async fn domain(run: &Run) -> Result<Option<String>, Stop> {
    let mut conn = run.platform.pool.acquire().await?;
    let primary = store::domains::primary(&mut conn, run.row.team_id, &[run.environment.id]).await?;
    Ok(primary.into_iter().next().map(|(_, host)| host))
}

/// Addresses that must not be given out: of containers that are there, and of the release that should be.
async fn taken(run: &Run) -> Result<BTreeSet<Ipv4Addr>, Stop> {
    let there = machine::containers(&run.platform, &run.environment_labels()).await?;
    let mut taken: BTreeSet<Ipv4Addr> = there.iter().filter_map(|c| c.address).collect();
    taken.extend(run.previous.iter().flat_map(|p| &p.containers).map(|c| c.address));
    Ok(taken)
}

/// Makes the network and the volumes and starts the containers.
pub(super) async fn run(run: &Run, plan: &ReleasePlan) -> Result<(), Stop> {
    if !matches!(run.row.trigger(), Trigger::Rollback | Trigger::AutoRollback) {
        quotas::reserve(&run.platform, &run.row, plan).await.map_err(|error| match error {
            crate::Error::Problem(problem) => Stop::failed(FailureCode::QuotaExceeded, problem.detail),
            other => other.into(),
        })?;
    }
    let (are_own, ()) = tokio::join!(names::are_own(run, plan), firewall::keep_apart(&run.platform));
    are_own?;
    let environment = run.environment_labels();
    machine::ensure_network(&run.platform, &plan.network, &environment).await?;
    for volume in plan.volumes.keys() {
        run.platform.engine.ensure_volume(volume, &environment).await?;
    }
    // Their order means nothing: a service that needs another one waits for it, as it must when that one restarts.
    try_join_all(plan.containers.iter().map(|container| one(run, plan, container))).await?;
    Ok(())
}

async fn one(run: &Run, plan: &ReleasePlan, container: &ContainerPlan) -> Result<(), Stop> {
    let name = plan::overlap_name(container, plan.deployment);
    let spec = machine::site_container(&run.platform, &run.environment, &run.secrets, plan, container, &name);
    let service = &container.service;
    if container.stateful {
        if let machine::Stateful::Started = machine::ensure_stateful(&run.platform, &spec).await? {
            run.log.say(format!("{service}: started {}", spec.name)).await;
        }
        return Ok(());
    }
    run.platform.engine.start_site_container(&spec).await.map_err(|error| match error {
        e if e.is_temporary() => e.into(),
        e => Stop::service(FailureCode::StartFailed, service, e.to_string()),
    })?;
    run.log.say(format!("{service}: started {} at {}", spec.name, spec.address)).await;
    Ok(())
}

/// Removes the containers of this deployment, but never those that keep data. An attempt that was cut off in its switch
/// may have led the route to them: first it leads back to what serves, and they have the time to finish their requests.
pub(super) async fn remove_containers(run: &Run) {
    let mut filter = run.environment_labels();
    filter.insert(labels::DEPLOYMENT.into(), run.row.id.to_string());
    let there = match run.platform.engine.list_containers(&filter).await {
        Ok(there) => there,
        Err(error) => {
            tracing::warn!(deployment = %run.row.id, %error, "containers could not be listed");
            return;
        }
    };
    let there: Vec<_> = there.iter().filter(|c| !machine::is_stateful(&c.labels)).collect();
    if there.is_empty() {
        return;
    }
    // Somebody else's by now: that one clears up.
    let Ok(until) = run.still_ours().await else { return };
    match switch::back(run, until).await {
        Ok(rest) => tokio::time::sleep(rest).await,
        Err(error) => {
            tracing::warn!(deployment = %run.row.id, %error, "the route could not be led back; what it leads to stays");
            return;
        }
    }
    let removals = there.into_iter().map(async |container| {
        if let Err(error) = run.platform.engine.remove(&container.id, true).await {
            tracing::warn!(container = %container.name, %error, "a container could not be removed");
        }
    });
    join_all(removals).await;
}

//! Containers that are there: looked at, listed, renamed, stopped, removed, measured.

use super::{CALL, checked, convert, done, if_there, within};
use crate::{ContainerState, ContainerSummary, Error, Labels, Result, Stats};
use bollard::{
    Docker,
    models::ContainerStatsResponse,
    query_parameters::{
        ListContainersOptionsBuilder, RemoveContainerOptionsBuilder, RenameContainerOptionsBuilder,
        StartContainerOptions, StatsOptionsBuilder, StopContainerOptionsBuilder,
    },
};
use futures::StreamExt;
use std::{collections::HashMap, time::Duration};

pub(super) async fn start(docker: &Docker, name: &str) -> Result<()> {
    match within(CALL, docker.start_container(checked(name)?, None::<StartContainerOptions>)).await {
        Err(error) if error.to_string().contains("paused") => {
            within(CALL, docker.unpause_container(checked(name)?)).await
        }
        other => other,
    }
}

pub(super) async fn inspect(docker: &Docker, name: &str) -> Result<Option<ContainerState>> {
    let found = within(CALL, docker.inspect_container(checked(name)?, None)).await;
    Ok(if_there(found)?.map(convert::container))
}

pub(super) async fn list(docker: &Docker, labels: &Labels) -> Result<Vec<ContainerSummary>> {
    let options = ListContainersOptionsBuilder::new().all(true).filters(&convert::label_filter(labels)).build();
    let found = within(CALL, docker.list_containers(Some(options))).await?;
    Ok(found.into_iter().map(convert::summary).collect())
}

pub(super) async fn on(docker: &Docker, network: &str) -> Result<Vec<String>> {
    let filter = HashMap::from([("network", vec![checked(network)?])]);
    let options = ListContainersOptionsBuilder::new().all(true).filters(&filter).build();
    let found = within(CALL, docker.list_containers(Some(options))).await?;
    Ok(found.into_iter().filter_map(|container| container.id).collect())
}

pub(super) async fn rename(docker: &Docker, name: &str, new_name: &str) -> Result<()> {
    let options = RenameContainerOptionsBuilder::new().name(checked(new_name)?).build();
    within(CALL, docker.rename_container(checked(name)?, options)).await
}

pub(super) async fn stop(docker: &Docker, name: &str, grace: Duration) -> Result<()> {
    let seconds = i32::try_from(grace.as_secs()).unwrap_or(i32::MAX);
    let options = StopContainerOptionsBuilder::new().t(seconds).build();
    let patient = docker.clone().with_timeout(grace + CALL);
    done(within(grace + CALL, patient.stop_container(checked(name)?, Some(options))).await)
}

pub(super) async fn remove(docker: &Docker, name: &str, force: bool) -> Result<()> {
    // `v` removes anonymous volumes only; named ones stay.
    let options = RemoveContainerOptionsBuilder::new().force(force).v(true).build();
    match done(within(CALL, docker.remove_container(checked(name)?, Some(options))).await) {
        Err(Error::Conflict(message)) if message.contains("is already in progress") => gone(docker, name).await,
        other => other,
    }
}

/// Waits until a container whose removal another call has begun is gone.
async fn gone(docker: &Docker, name: &str) -> Result<()> {
    let wait = async {
        while inspect(docker, name).await?.is_some() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    };
    tokio::time::timeout(CALL, wait)
        .await
        .unwrap_or_else(|_| Err(Error::Unavailable(format!("{name} is still being removed"))))
}

pub(super) async fn stats(docker: &Docker, name: &str) -> Result<Stats> {
    let options = StatsOptionsBuilder::new().stream(false).build();
    let mut answers = docker.stats(checked(name)?, Some(options));
    let first = async { answers.next().await.unwrap_or(Err(bollard::errors::Error::RequestTimeoutError)) };
    Ok(measured(&within(CALL, first).await?))
}

fn measured(found: &ContainerStatsResponse) -> Stats {
    let memory = found.memory_stats.as_ref();
    // Control groups of version 1 and 2 name the cache that can be given back differently.
    let cache = memory
        .and_then(|memory| memory.stats.as_ref())
        .and_then(|stats| stats.get("total_inactive_file").or_else(|| stats.get("inactive_file")))
        .copied()
        .unwrap_or(0);
    let networks = || found.networks.iter().flat_map(|networks| networks.values());
    Stats {
        cpu_millis: cpu_millis(found).unwrap_or(0),
        memory_bytes: memory.and_then(|memory| memory.usage).unwrap_or(0).saturating_sub(cache),
        memory_limit_bytes: memory.and_then(|memory| memory.limit).unwrap_or(0),
        pids: found.pids_stats.as_ref().and_then(|pids| pids.current).unwrap_or(0),
        received_bytes: networks().filter_map(|network| network.rx_bytes).sum(),
        sent_bytes: networks().filter_map(|network| network.tx_bytes).sum(),
    }
}

/// The container's share of all CPU time between the two measurements of one answer.
fn cpu_millis(found: &ContainerStatsResponse) -> Option<u32> {
    let (now, before) = (found.cpu_stats.as_ref()?, found.precpu_stats.as_ref()?);
    let used = now.cpu_usage.as_ref()?.total_usage?.checked_sub(before.cpu_usage.as_ref()?.total_usage.unwrap_or(0))?;
    let all = now.system_cpu_usage?.checked_sub(before.system_cpu_usage?)?;
    let cpus = u64::from(now.online_cpus.unwrap_or(1));
    u32::try_from((used * cpus * 1000).checked_div(all)?).ok()
}

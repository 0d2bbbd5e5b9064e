//! Containers that are made.

use super::{CALL, checked, containers, convert, within};
use crate::{Error, HealthCommand, Labels, PlatformContainer, Result, SiteContainer};
use bollard::{
    Docker,
    models::{
        ContainerCreateBody, EndpointIpamConfig, EndpointSettings, HealthConfig, HostConfig, HostConfigLogConfig,
        Mount, MountBindOptions, MountType, NetworkingConfig, RestartPolicy, RestartPolicyNameEnum,
    },
    query_parameters::{CreateContainerOptionsBuilder, StartContainerOptions},
};
use model::hardening;
use std::{collections::HashMap, time::Duration};
use tokio::sync::oneshot;

/// The engine makes what it was asked for, whether or not the caller still waits; what nobody waits for is removed.
pub(super) async fn create_and_start(docker: &Docker, name: &str, body: ContainerCreateBody) -> Result<String> {
    let options = CreateContainerOptionsBuilder::new().name(checked(name)?).build();
    let docker = docker.clone();
    let (answer, waits) = oneshot::channel();
    tokio::spawn(async move {
        let created = within(CALL, docker.create_container(Some(options), body)).await;
        let done = match created {
            Ok(created) if !answer.is_closed() => start(&docker, created.id).await,
            created => created.map(|created| created.id),
        };
        if let Err(Ok(id)) = answer.send(done) {
            remove(&docker, &id).await;
        }
    });
    waits.await.unwrap_or_else(|_| Err(Error::Unavailable("the call came to no end".into())))
}

async fn start(docker: &Docker, id: String) -> Result<String> {
    let started = within(CALL, docker.start_container(&id, None::<StartContainerOptions>)).await;
    if let Err(error) = started {
        // The reason why it did not start is worth more than one why it could not be removed.
        remove(docker, &id).await;
        return Err(error);
    }
    Ok(id)
}

async fn remove(docker: &Docker, id: &str) {
    if let Err(error) = containers::remove(docker, id, true).await {
        tracing::warn!(%id, %error, "a container that does not serve could not be removed");
    }
}

pub(super) fn site(spec: &SiteContainer) -> ContainerCreateBody {
    let endpoint = EndpointSettings {
        aliases: Some(spec.aliases.clone()),
        ipam_config: Some(EndpointIpamConfig {
            ipv4_address: Some(spec.address.to_string()),
            ..EndpointIpamConfig::default()
        }),
        ..EndpointSettings::default()
    };
    ContainerCreateBody {
        image: Some(spec.image.clone()),
        cmd: spec.command.clone(),
        user: spec.user.clone(),
        env: Some(env(&spec.env)),
        labels: Some(labels(&spec.labels)),
        stop_signal: spec.stop_signal.clone(),
        stop_timeout: Some(seconds(spec.stop_timeout)),
        healthcheck: spec.health.as_ref().map(health),
        host_config: Some(HostConfig {
            network_mode: Some(spec.network.clone()),
            memory: Some(convert::bytes(spec.memory_bytes)),
            memory_swap: Some(convert::bytes(spec.memory_bytes)),
            nano_cpus: Some(i64::from(spec.cpu_millis) * 1_000_000),
            pids_limit: Some(i64::from(spec.pids_limit)),
            // Mounts, not binds: a source with a slash is refused there instead of becoming a folder of the host.
            mounts: Some(spec.volumes.iter().map(|(volume, path)| named(volume, path)).collect()),
            cap_add: Some(hardening::CAPABILITIES.map(String::from).to_vec()),
            ..hardened()
        }),
        networking_config: Some(NetworkingConfig {
            endpoints_config: Some(HashMap::from([(spec.network.clone(), endpoint)])),
        }),
        ..ContainerCreateBody::default()
    }
}

pub(super) fn platform(spec: &PlatformContainer) -> ContainerCreateBody {
    let memory = spec.memory_bytes.map(convert::bytes);
    let mounts = spec.binds.iter().map(|bind| Mount {
        typ: Some(MountType::BIND),
        source: Some(bind.host.to_string_lossy().into_owned()),
        target: Some(bind.container.clone()),
        read_only: Some(bind.read_only),
        bind_options: Some(MountBindOptions::default()),
        ..Mount::default()
    });
    ContainerCreateBody {
        image: Some(spec.image.clone()),
        cmd: Some(spec.args.clone()),
        env: Some(env(&spec.env)),
        labels: Some(labels(&spec.labels)),
        stop_timeout: Some(seconds(spec.stop_timeout)),
        host_config: Some(HostConfig {
            network_mode: Some("host".into()),
            memory,
            memory_swap: memory,
            mounts: Some(mounts.collect()),
            cap_add: Some(vec!["NET_BIND_SERVICE".into(), "DAC_OVERRIDE".into()]),
            ..hardened()
        }),
        ..ContainerCreateBody::default()
    }
}

/// What every container has in common.
fn hardened() -> HostConfig {
    HostConfig {
        privileged: Some(false),
        init: Some(true),
        cap_drop: Some(vec!["ALL".into()]),
        security_opt: Some(vec!["no-new-privileges:true".into()]),
        restart_policy: Some(RestartPolicy {
            name: Some(RestartPolicyNameEnum::UNLESS_STOPPED),
            maximum_retry_count: None,
        }),
        log_config: Some(HostConfigLogConfig {
            typ: Some("json-file".into()),
            config: Some(HashMap::from([
                ("max-size".to_owned(), hardening::LOG_MAX_SIZE.to_owned()),
                ("max-file".to_owned(), hardening::LOG_MAX_FILES.to_owned()),
            ])),
        }),
        ..HostConfig::default()
    }
}

fn named(volume: &str, path: &str) -> Mount {
    Mount {
        typ: Some(MountType::VOLUME),
        source: Some(volume.to_owned()),
        target: Some(path.to_owned()),
        ..Mount::default()
    }
}

fn health(command: &HealthCommand) -> HealthConfig {
    let test = std::iter::once("CMD".to_owned()).chain(command.argv.iter().cloned()).collect();
    HealthConfig {
        test: Some(test),
        interval: Some(nanoseconds(command.interval)),
        timeout: Some(nanoseconds(command.timeout)),
        retries: Some(i64::from(command.retries)),
        start_period: Some(nanoseconds(command.start_period)),
        start_interval: None,
    }
}

fn env(pairs: &[(String, String)]) -> Vec<String> {
    pairs.iter().map(|(key, value)| format!("{key}={value}")).collect()
}

fn labels(labels: &Labels) -> HashMap<String, String> {
    labels.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

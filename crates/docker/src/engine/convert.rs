//! From the engine's loose answers to plain data.

use crate::{Cgroups, ContainerState, ContainerSummary, Health, ImageId, Labels};
use bollard::models::{
    self, ContainerSummaryStateEnum, EndpointSettings, HealthStatusEnum, SystemInfoCgroupDriverEnum,
    SystemInfoCgroupVersionEnum,
};
use std::collections::HashMap;
use std::net::Ipv4Addr;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// How the engine begins what it says of a check that it ended; the exit code is that of one that could not be run.
const CHECK_TIMED_OUT: &str = "Health check exceeded timeout";

/// Filters of a list call: every label, with its value unless that is empty.
pub(super) fn label_filter(labels: &Labels) -> HashMap<String, Vec<String>> {
    let wanted: Vec<String> = labels
        .iter()
        .map(|(key, value)| if value.is_empty() { key.clone() } else { format!("{key}={value}") })
        .collect();
    if wanted.is_empty() { HashMap::new() } else { HashMap::from([("label".to_owned(), wanted)]) }
}

/// A count, which the engine gives with a sign.
pub(super) fn count(raw: Option<i64>) -> u64 {
    raw.and_then(|n| u64::try_from(n).ok()).unwrap_or(0)
}

/// A number of bytes as the engine takes it.
pub(super) fn bytes(raw: u64) -> i64 {
    i64::try_from(raw).unwrap_or(i64::MAX)
}

/// Reads a time; the engine says “never” with the year 1.
pub(super) fn moment(raw: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(raw, &Rfc3339).ok().filter(|at| at.year() > 1)
}

fn address(networks: Option<&HashMap<String, EndpointSettings>>) -> Option<Ipv4Addr> {
    // Of a stopped container only what was asked for is known.
    networks?.values().find_map(|endpoint| {
        let asked = endpoint.ipam_config.as_ref().and_then(|config| config.ipv4_address.as_deref());
        [asked, endpoint.ip_address.as_deref()].into_iter().flatten().find_map(|text| text.parse().ok())
    })
}

/// While a container starts the engine keeps quiet about checks that failed; its log of them tells.
fn health(found: &models::Health) -> Option<Health> {
    let last = found.log.as_ref().and_then(|checks| checks.last());
    match (found.status?, last) {
        (HealthStatusEnum::EMPTY | HealthStatusEnum::NONE, _) => None,
        (HealthStatusEnum::HEALTHY, _) => Some(Health::Healthy),
        (_, Some(last)) if last.output.as_ref().is_some_and(|words| words.starts_with(CHECK_TIMED_OUT)) => {
            Some(Health::Slow)
        }
        (HealthStatusEnum::STARTING, None) => Some(Health::Starting),
        _ => Some(Health::Unhealthy),
    }
}

pub(super) fn cgroups(
    driver: Option<SystemInfoCgroupDriverEnum>,
    version: Option<SystemInfoCgroupVersionEnum>,
) -> Cgroups {
    match (driver, version) {
        (Some(SystemInfoCgroupDriverEnum::CGROUPFS), Some(SystemInfoCgroupVersionEnum::_2)) => Cgroups::FilesV2,
        (Some(SystemInfoCgroupDriverEnum::CGROUPFS), _) => Cgroups::FilesV1,
        (Some(SystemInfoCgroupDriverEnum::SYSTEMD), _) => Cgroups::Systemd,
        _ => Cgroups::None,
    }
}

fn bare(name: &str) -> String {
    name.trim_start_matches('/').to_owned()
}

pub(super) fn container(found: models::ContainerInspectResponse) -> ContainerState {
    let state = found.state.unwrap_or_default();
    let config = found.config.unwrap_or_default();
    let running = state.running.unwrap_or(false);
    let restarting = state.restarting.unwrap_or(false);
    let started_at = state.started_at.as_deref().and_then(moment);
    ContainerState {
        id: found.id.unwrap_or_default(),
        name: bare(&found.name.unwrap_or_default()),
        image: config.image.unwrap_or_default(),
        image_id: ImageId(found.image.unwrap_or_default()),
        // The engine calls a container that waits for its restart running too.
        running: running && !restarting,
        restarting,
        exit_code: if (running && !restarting) || started_at.is_none() { None } else { state.exit_code },
        oom_killed: state.oom_killed.unwrap_or(false),
        restart_count: u32::try_from(found.restart_count.unwrap_or(0)).unwrap_or(0),
        started_at,
        address: address(found.network_settings.and_then(|settings| settings.networks).as_ref()),
        labels: config.labels.unwrap_or_default().into_iter().collect(),
        health: state.health.as_ref().and_then(health),
    }
}

pub(super) fn summary(found: models::ContainerSummary) -> ContainerSummary {
    let networks = found.network_settings.and_then(|settings| settings.networks);
    ContainerSummary {
        id: found.id.unwrap_or_default(),
        name: found.names.and_then(|names| names.first().map(|name| bare(name))).unwrap_or_default(),
        image: found.image.unwrap_or_default(),
        image_id: ImageId(found.image_id.unwrap_or_default()),
        running: found.state == Some(ContainerSummaryStateEnum::RUNNING),
        restarting: found.state == Some(ContainerSummaryStateEnum::RESTARTING),
        address: address(networks.as_ref()),
        network: networks.and_then(|networks| networks.into_keys().next()),
        labels: found.labels.unwrap_or_default().into_iter().collect(),
    }
}

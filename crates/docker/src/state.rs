//! What the engine answers, as plain data.

use crate::Labels;
use model::deployment::Stream;
use std::{fmt, net::Ipv4Addr, path::PathBuf};
use time::OffsetDateTime;

/// An image's id: `sha256:` and 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ImageId(pub String);

impl ImageId {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first 12 hexadecimal digits, by which builds name it.
    pub fn short(&self) -> &str {
        let digits = self.0.strip_prefix("sha256:").unwrap_or(&self.0);
        digits.get(..12).unwrap_or(digits)
    }
}

impl fmt::Display for ImageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its id.
    pub id: ImageId,
    /// Its tags; none for one that a newer build took the tag from.
    pub tags: Vec<String>,
    /// Labels.
    pub labels: Labels,
    /// The image that it was built upon, known in a list; `None` also where the engine does not know, as of pulled
    /// ones.
    pub parent: Option<ImageId>,
    /// When it was made.
    pub created_at: Option<OffsetDateTime>,
    /// Bytes, those of its parent included.
    pub size_bytes: u64,
    /// TCP ports that it says it listens on; known of a single image, not in a list.
    pub exposed_ports: Vec<u16>,
}

/// The engine's version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Of the engine, such as `20.10.24`.
    pub engine: String,
    /// Of its API, such as `1.41`.
    pub api: String,
}

/// Who manages the control groups of containers, which limits hang on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cgroups {
    /// The engine itself, by files, version 1: a hierarchy for each resource.
    FilesV1,
    /// The engine itself, by files, version 2: one hierarchy.
    FilesV2,
    /// systemd: groups are its slices.
    Systemd,
    /// Nobody, as without root.
    None,
}

/// Room on the engine's disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskUsage {
    /// Where the engine keeps everything.
    pub root: PathBuf,
    /// Free bytes there; `None` where the folder is not on this machine.
    pub free_bytes: Option<u64>,
    /// Bytes of the whole file system.
    pub total_bytes: Option<u64>,
}

/// What a health check of the engine found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// No check, or no result yet.
    Starting,
    /// Well.
    Healthy,
    /// The last check failed; one that had been well, as often in a row as it may.
    Unhealthy,
    /// The last check did not end within its time.
    Slow,
}

/// Everything known about one container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerState {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The image as it was named when the container was made.
    pub image: String,
    /// The image itself.
    pub image_id: ImageId,
    /// It runs.
    pub running: bool,
    /// It ended by itself and waits to be started again.
    pub restarting: bool,
    /// How it ended; `None` while it runs or before it first ran.
    pub exit_code: Option<i64>,
    /// The kernel ended it (or a program in it) for want of memory.
    pub oom_killed: bool,
    /// How often the engine started it again.
    pub restart_count: u32,
    /// When it was last started.
    pub started_at: Option<OffsetDateTime>,
    /// Its static address, also while it does not run.
    pub address: Option<Ipv4Addr>,
    /// Labels.
    pub labels: Labels,
    /// `None`: it has no health check.
    pub health: Option<Health>,
}

/// One container in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerSummary {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The image as it was named when the container was made.
    pub image: String,
    /// The image itself.
    pub image_id: ImageId,
    /// It runs.
    pub running: bool,
    /// It ended by itself and waits to be started again.
    pub restarting: bool,
    /// The network it is on.
    pub network: Option<String>,
    /// Its static address.
    pub address: Option<Ipv4Addr>,
    /// Labels.
    pub labels: Labels,
}

/// One network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkState {
    /// Its name.
    pub name: String,
    /// Its subnet, such as `10.64.0.0/27`.
    pub subnet: Option<String>,
    /// Labels.
    pub labels: Labels,
}

/// One volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeState {
    /// Its name.
    pub name: String,
    /// Where its files are on the engine's machine.
    pub mountpoint: PathBuf,
    /// Labels.
    pub labels: Labels,
}

/// One line of a build or a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// When the engine wrote it down; `None` for builds.
    pub at: Option<OffsetDateTime>,
    /// Which pipe.
    pub stream: Stream,
    /// Without its line end; ANSI colours are kept.
    pub text: String,
}

/// What a command in a container left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecOutput {
    /// How it ended.
    pub exit_code: i64,
    /// Standard output, at most 1 MiB.
    pub stdout: String,
    /// Standard error, at most 1 MiB.
    pub stderr: String,
}

/// What a container uses now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Thousandths of a CPU over the last second.
    pub cpu_millis: u32,
    /// Bytes of memory, without the file cache that can be given back.
    pub memory_bytes: u64,
    /// Bytes it may use.
    pub memory_limit_bytes: u64,
    /// Processes and threads.
    pub pids: u64,
    /// Bytes received since its start.
    pub received_bytes: u64,
    /// Bytes sent since its start.
    pub sent_bytes: u64,
}

/// What happened to a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// Made.
    Created,
    /// Started.
    Started,
    /// Ended, with this exit code.
    Died(Option<i64>),
    /// Ran out of memory.
    OutOfMemory,
    /// Paused.
    Paused,
    /// Its health check changed its mind.
    Health(Health),
    /// Removed.
    Destroyed,
}

/// Something happened to a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerEvent {
    /// What.
    pub kind: EventKind,
    /// The container's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: Labels,
}

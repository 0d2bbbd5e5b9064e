//! A control group for one build, below one for all builds of the installation.
//!
//! The engine's API has no limit on a build's processes and none for several builds together; both are the kernel's:
//! <https://docs.kernel.org/admin-guide/cgroup-v2.html>, <https://docs.kernel.org/admin-guide/cgroup-v1/>

use crate::Settings;
use docker::Cgroups;
use model::DeploymentId;
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::process::Command;

const ROOT: &str = "/sys/fs/cgroup";
const CONTROLLERS: [&str; 3] = ["memory", "cpu", "pids"];
/// Where sites and builds both want the processor, sites get ten times as much (version 1 counts from 1,024).
const WEIGHT: u64 = 10;
const SHARES: u64 = 102;
/// All builds together leave a quarter of the machine's memory alone.
const MEMORY_SHARE: (u64, u64) = (3, 4);
/// The period that a share of CPU time is measured over, in microseconds.
const PERIOD: u64 = 100_000;

/// A group younger than this may be of a build that has just begun.
const YOUNG: Duration = Duration::from_mins(1);

/// What is put on a group; `None` leaves it as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Put {
    memory: u64,
    processes: u64,
    cpu_millis: Option<u32>,
    is_light: bool,
}

/// The control group of one build; goes when this is dropped.
#[derive(Debug)]
pub(super) struct Group {
    parent: String,
    kind: Cgroups,
    /// Where its number of processes stands.
    folder: PathBuf,
}

impl Group {
    /// Makes the group of all builds, and in it one for this build.
    pub(super) async fn make(kind: Cgroups, settings: &Settings, deployment: DeploymentId) -> io::Result<Self> {
        let (all, one) = limits(settings, machine_memory()?);
        let (instance, build) = (&settings.instance, deployment.to_string().replace('-', ""));
        match kind {
            Cgroups::FilesV1 | Cgroups::FilesV2 => {
                let (outer, inner) = (outer(instance), format!("{}/{build}", outer(instance)));
                let put = if kind == Cgroups::FilesV1 { put_v1 } else { put_v2 };
                put(&outer, all)?;
                put(&inner, one)?;
                let below = if kind == Cgroups::FilesV1 { "pids" } else { "" };
                let folder = Path::new(ROOT).join(below).join(&inner);
                Ok(Self { parent: format!("/{inner}"), kind, folder })
            }
            Cgroups::Systemd => {
                // A slice's parents are the parts of its name.
                let (outer, inner) =
                    (format!("webmeteor-{instance}.slice"), format!("webmeteor-{instance}-{build}.slice"));
                set_property(&outer, all).await?;
                set_property(&inner, one).await?;
                let folder = Path::new(ROOT).join("webmeteor.slice").join(outer).join(&inner);
                Ok(Self { parent: inner, kind, folder })
            }
            Cgroups::None => Err(io::Error::new(io::ErrorKind::Unsupported, "the engine has no control groups")),
        }
    }

    /// As the engine wants it named.
    pub(super) fn parent(&self) -> &str {
        &self.parent
    }

    /// Processes and threads now.
    pub(super) fn processes(&self) -> Option<u64> {
        read_number(&self.folder.join("pids.current"))
    }

    /// The most there ever were; Linux 6.1 and later know it.
    pub(super) fn most_processes(&self) -> Option<u64> {
        read_number(&self.folder.join("pids.peak"))
    }
}

impl Drop for Group {
    /// The engine may take a moment to end the last step's container; a group that is still there is swept later.
    fn drop(&mut self) {
        let (parent, kind) = (self.parent.clone(), self.kind);
        tokio::spawn(async move {
            for _ in 0..20 {
                if kind == Cgroups::Systemd {
                    let _ = systemctl(&["stop", "--", &parent]).await;
                    return;
                }
                if remove(parent.trim_start_matches('/')) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(250)).await;
            }
        });
    }
}

/// Removes the groups of builds that came to no end; only for when none of the installation's builds runs. Young ones
/// stay: a build may have begun since that was asked.
pub(super) async fn sweep(instance: &str) {
    let outer = outer(instance);
    let sweep = move || {
        let mut names: Vec<String> = hierarchies().iter().flat_map(|root| folders(&root.join(&outer))).collect();
        names.sort_unstable();
        names.dedup();
        for group in names.iter().map(|name| format!("{outer}/{name}")) {
            if hierarchies().iter().all(|root| is_old(&root.join(&group))) {
                remove(&group);
            }
        }
    };
    let _ = tokio::task::spawn_blocking(sweep).await;
}

/// It is not there, or has not changed for a while.
fn is_old(folder: &Path) -> bool {
    let changed = folder.metadata().and_then(|meta| meta.modified());
    changed.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > YOUNG)) || !folder.exists()
}

fn outer(instance: &str) -> String {
    format!("webmeteor-{instance}")
}

/// For all builds together, and for one.
fn limits(settings: &Settings, machine_memory: u64) -> (Put, Put) {
    let limits = &settings.limits;
    let builds = settings.build_concurrency.max(1) as u64;
    let most = machine_memory / MEMORY_SHARE.1 * MEMORY_SHARE.0;
    let one = Put {
        memory: limits.build_memory.min(most),
        processes: u64::from(limits.build_processes),
        cpu_millis: limits.build_cpu_millis,
        is_light: false,
    };
    let memory = limits.build_memory.saturating_mul(builds).min(most);
    let all = Put { memory, processes: one.processes.saturating_mul(builds), cpu_millis: None, is_light: true };
    (all, one)
}

/// Each resource has a hierarchy of its own.
fn put_v1(group: &str, put: Put) -> io::Result<()> {
    let folder = |controller: &str| Path::new(ROOT).join(controller).join(group);
    for controller in CONTROLLERS {
        make(&folder(controller))?;
    }
    write(&folder("memory").join("memory.limit_in_bytes"), &put.memory.to_string())?;
    write(&folder("pids").join("pids.max"), &put.processes.to_string())?;
    if put.is_light {
        write(&folder("cpu").join("cpu.shares"), &SHARES.to_string())?;
    }
    if let Some(millis) = put.cpu_millis {
        write(&folder("cpu").join("cpu.cfs_period_us"), &PERIOD.to_string())?;
        write(&folder("cpu").join("cpu.cfs_quota_us"), &(u64::from(millis) * PERIOD / 1000).to_string())?;
    }
    Ok(())
}

/// A controller is there for a group once its parent hands it on.
fn put_v2(group: &str, put: Put) -> io::Result<()> {
    let folder = Path::new(ROOT).join(group);
    let parent = folder.parent().unwrap_or(Path::new(ROOT));
    let handed_on: Vec<String> = CONTROLLERS.iter().map(|controller| format!("+{controller}")).collect();
    write(&parent.join("cgroup.subtree_control"), &handed_on.join(" "))?;
    make(&folder)?;
    write(&folder.join("memory.max"), &put.memory.to_string())?;
    write(&folder.join("pids.max"), &put.processes.to_string())?;
    if put.is_light {
        write(&folder.join("cpu.weight"), &WEIGHT.to_string())?;
    }
    if let Some(millis) = put.cpu_millis {
        write(&folder.join("cpu.max"), &format!("{} {PERIOD}", u64::from(millis) * PERIOD / 1000))?;
    }
    Ok(())
}

/// <https://www.freedesktop.org/software/systemd/man/latest/systemd.resource-control.html>
fn properties(put: Put) -> Vec<String> {
    let mut out = vec![format!("MemoryMax={}", put.memory), format!("TasksMax={}", put.processes)];
    if put.is_light {
        out.push(format!("CPUWeight={WEIGHT}"));
    }
    if let Some(millis) = put.cpu_millis {
        out.push(format!("CPUQuota={}%", (millis / 10).max(1)));
    }
    out
}

async fn set_property(slice: &str, put: Put) -> io::Result<()> {
    let properties = properties(put);
    let mut arguments = vec!["set-property", "--runtime", "--", slice];
    arguments.extend(properties.iter().map(String::as_str));
    systemctl(&arguments).await
}

async fn systemctl(arguments: &[&str]) -> io::Result<()> {
    let mut command = Command::new("systemctl");
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let ended = command.status().await?;
    if ended.success() { Ok(()) } else { Err(io::Error::other(format!("systemctl {}: {ended}", arguments[0]))) }
}

fn make(folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => Err(named(folder, &e)),
        _ => Ok(()),
    }
}

fn write(file: &Path, value: &str) -> io::Result<()> {
    fs::write(file, value).map_err(|e| named(file, &e))
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

fn read_number(file: &Path) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// Removes a group wherever the engine made one of its name; the kernel keeps one that is in use. `true`: it is gone.
fn remove(group: &str) -> bool {
    let folders = hierarchies().into_iter().map(|root| root.join(group));
    folders.filter(|folder| fs::remove_dir(folder).is_err() && folder.exists()).count() == 0
}

/// The root, and with version 1 the hierarchies below it.
fn hierarchies() -> Vec<PathBuf> {
    let root = Path::new(ROOT);
    let below = folders(root).into_iter().map(|name| root.join(name));
    std::iter::once(root.to_owned()).chain(below).collect()
}

fn folders(parent: &Path) -> Vec<String> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// Bytes, from `/proc/meminfo`: `MemTotal:  24683048 kB`.
fn machine_memory() -> io::Result<u64> {
    let text = fs::read_to_string("/proc/meminfo")?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kilobytes = line.and_then(|rest| rest.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kilobytes.map(|n| n * 1024).ok_or_else(|| io::Error::other("/proc/meminfo does not tell the memory"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use sqlx::PgPool;

    #[sqlx::test(migrations = "../../migrations")]
    async fn builds_together_leave_memory_for_the_sites(pool: PgPool) {
        let mut settings = testing::platform(pool, crate::Signup::Open).settings;
        settings.build_concurrency = 3;
        settings.limits.build_memory = 2 << 30;
        let (all, one) = limits(&settings, 24 << 30);
        assert_eq!((one.memory, all.memory), (2 << 30, 6 << 30));
        assert_eq!(all.processes, 3 * one.processes);
        let (all, one) = limits(&settings, 4 << 30);
        assert_eq!((one.memory, all.memory), (2 << 30, 3 << 30), "three quarters of the machine");
        assert!(all.is_light && !one.is_light);
    }

    #[test]
    fn systemd_is_told_in_its_own_words() {
        let put = Put { memory: 1024, processes: 50, cpu_millis: Some(1_500), is_light: true };
        assert_eq!(properties(put), ["MemoryMax=1024", "TasksMax=50", "CPUWeight=10", "CPUQuota=150%"]);
    }
}

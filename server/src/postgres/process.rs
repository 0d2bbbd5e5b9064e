//! The server's process: one that we started, or one that an earlier platform left running.

use super::{
    Error, io_error,
    place::{PORT, Place},
    programs::Programs,
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    fs::{self, OpenOptions},
    os::unix::ffi::OsStrExt,
    path::Path,
    process::Stdio,
    time::Duration,
};
use tokio::process::{Child, Command};

/// How long a fast shutdown may take before it is made an immediate one.
const STOP_LIMIT: Duration = Duration::from_secs(30);
/// Between two looks at a process that is not our child.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Memory for a small machine, no TCP, and a socket that only the owner of its folder reaches.
const SETTINGS: &[&str] = &[
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "shared_buffers=64MB",
    "max_connections=60",
    "wal_level=replica",
    "max_wal_size=512MB",
    "log_timezone=UTC",
    "timezone=UTC",
];

/// A running server.
pub enum Process {
    /// Ours.
    Child(Child, u32),
    /// Of an earlier platform.
    Adopted(u32),
}

/// A command that runs as the database's user, in no folder of ours, with nothing of our environment, and out of
/// reach of the terminal's Ctrl-C.
pub fn as_account(program: &Path, place: &Place) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("LC_ALL", "C").env("PATH", "/usr/bin:/bin").current_dir("/");
    command.stdin(Stdio::null()).process_group(0);
    if let Some(account) = place.account {
        command.gid(account.gid).uid(account.uid);
    }
    command
}

impl Process {
    /// Starts the server; it does not answer yet.
    pub fn spawn(place: &Place, programs: &Programs) -> Result<Self, Error> {
        remove_stale_pid_file(place);
        let log = OpenOptions::new().create(true).append(true).open(&place.log).map_err(io_error(&place.log))?;
        let errors = log.try_clone().map_err(io_error(&place.log))?;
        let mut command = as_account(&programs.postgres, place);
        command.arg("-D").arg(&place.cluster).arg("-k").arg(&place.socket).stdout(log).stderr(errors);
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        let child = command.spawn().map_err(io_error(&programs.postgres))?;
        let pid = child.id().unwrap_or_default();
        Ok(Self::Child(child, pid))
    }

    /// The server of this place that runs already, if one does.
    pub fn running(place: &Place) -> Option<Self> {
        recorded_pid(place).filter(|pid| serves(*pid, place)).map(Self::Adopted)
    }

    /// Its id.
    pub fn pid(&self) -> u32 {
        match self {
            Self::Child(_, pid) | Self::Adopted(pid) => *pid,
        }
    }

    /// It is gone.
    pub fn has_ended(&mut self) -> bool {
        match self {
            Self::Child(child, _) => !matches!(child.try_wait(), Ok(None)),
            Self::Adopted(pid) => !is_alive(*pid),
        }
    }

    /// Waits until it is gone.
    pub async fn wait(&mut self) {
        match self {
            Self::Child(child, _) => {
                if let Ok(status) = child.wait().await {
                    tracing::debug!(%status, "PostgreSQL ended");
                }
            }
            Self::Adopted(pid) => {
                while is_alive(*pid) {
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
            }
        }
    }

    /// Asks for a fast shutdown (SIGINT), and for an immediate one (SIGQUIT) where that takes too long.
    pub async fn stop(mut self) {
        for (signal, limit) in [(Signal::SIGINT, STOP_LIMIT), (Signal::SIGQUIT, Duration::from_secs(5))] {
            if self.has_ended() {
                return;
            }
            let Ok(pid) = i32::try_from(self.pid()) else { return };
            let _ = kill(Pid::from_raw(pid), signal);
            if tokio::time::timeout(limit, self.wait()).await.is_ok() {
                tracing::info!("PostgreSQL stopped");
                return;
            }
        }
        tracing::error!(pid = self.pid(), "PostgreSQL does not stop");
    }
}

/// The first line of `postmaster.pid`.
fn recorded_pid(place: &Place) -> Option<u32> {
    fs::read_to_string(place.cluster.join("postmaster.pid")).ok()?.lines().next()?.trim().parse().ok()
}

/// The process works on this cluster: a number alone may belong to somebody else after a reboot.
fn serves(pid: u32, place: &Place) -> bool {
    let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let cluster = place.cluster.as_os_str().as_bytes();
    is_alive(pid) && arguments.split(|byte| *byte == 0).any(|argument| argument == cluster)
}

/// There is such a process and it has not ended (a zombie has).
fn is_alive(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = status.rsplit_once(") ").map(|(_, rest)| rest.chars().next());
    matches!(state, Some(Some(state)) if !matches!(state, 'Z' | 'X'))
}

/// PostgreSQL removes stale files itself, unless the number in them belongs to another process by now, or to one that
/// was killed and that nobody has taken note of yet.
fn remove_stale_pid_file(place: &Place) {
    if recorded_pid(place).is_some_and(|pid| !serves(pid, place)) {
        let socket_lock = place.socket.join(format!(".s.PGSQL.{PORT}.lock"));
        for stale in [place.cluster.join("postmaster.pid"), socket_lock] {
            let _ = fs::remove_file(stale);
        }
    }
}

//! What every site's container has, whoever makes it: the platform, or `docker compose` in the site's folder.

/// The only capabilities that are kept: what it takes to change owners and users while starting, and to listen on
/// ports below 1024.
pub const CAPABILITIES: [&str; 7] = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID"];
/// Processes and threads of one service.
pub const PIDS: u32 = 256;
/// One file of a container's log may grow so long.
pub const LOG_MAX_SIZE: &str = "10m";
/// So many of them are kept.
pub const LOG_MAX_FILES: &str = "3";
/// Seconds that a container may take to end before it is killed.
pub const STOP_GRACE_SECONDS: u64 = 10;
/// The same for one that keeps data: a database writes everything to disk first.
pub const STATEFUL_STOP_GRACE_SECONDS: u64 = 60;

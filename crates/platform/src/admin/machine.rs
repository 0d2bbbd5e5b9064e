//! The machine that all of it runs on, and whether what the platform stands on answers.

use super::only;
use crate::{Platform, Result};
use model::{
    Actor,
    views::{MachineView, PartView},
};
use std::time::Duration;

/// A part that takes longer to answer does not answer.
const LIMIT: Duration = Duration::from_secs(3);

/// The machine as it is now.
///
/// # Errors
/// 404 for everybody but administrators.
pub async fn machine(platform: &Platform, actor: &Actor) -> Result<MachineView> {
    only(actor)?;
    let database = async {
        let asked = sqlx::query_scalar::<_, String>("select current_setting('server_version')");
        let version = asked.fetch_one(&platform.pool).await;
        version.map(|version| format!("PostgreSQL {version}")).map_err(|e| e.to_string())
    };
    let engine = async {
        let version = platform.engine.version().await;
        version.map(|it| format!("Docker Engine {}, API {}", it.engine, it.api)).map_err(|e| e.to_string())
    };
    let proxy = async { platform.proxy.ping().await.map(|()| "answers".to_owned()).map_err(|e| e.to_string()) };
    let (database, engine, proxy) =
        tokio::join!(part("database", database), part("engine", engine), part("proxy", proxy));
    let disk = rustix::fs::statvfs(&platform.settings.data_dir).ok();
    let memory = tokio::fs::read_to_string("/proc/meminfo").await.unwrap_or_default();
    let load = tokio::fs::read_to_string("/proc/loadavg").await.unwrap_or_default();
    Ok(MachineView {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        disk_total: disk.as_ref().map(|disk| disk.f_blocks * disk.f_frsize),
        disk_free: disk.as_ref().map(|disk| disk.f_bavail * disk.f_frsize),
        memory_total: kilobytes(&memory, "MemTotal:"),
        memory_available: kilobytes(&memory, "MemAvailable:"),
        cpus: std::thread::available_parallelism().map_or(1, usize::from),
        load: averages(&load),
        parts: vec![database, engine, proxy],
    })
}

async fn part(name: &str, answer: impl Future<Output = Result<String, String>>) -> PartView {
    let answer = tokio::time::timeout(LIMIT, answer).await;
    let answer = answer.unwrap_or_else(|_| Err(format!("no answer within {} s", LIMIT.as_secs())));
    let is_well = answer.is_ok();
    let (Ok(detail) | Err(detail)) = answer;
    PartView { name: name.to_owned(), is_well, detail }
}

/// A line of `/proc/meminfo` in bytes; `proc_meminfo(5)` says that its kB are 1,024 bytes.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

/// The three averages of `/proc/loadavg` (`proc_loadavg(5)`).
fn averages(text: &str) -> Option<[f64; 3]> {
    let mut numbers = text.split_whitespace().map(|word| word.parse().ok());
    Some([numbers.next()??, numbers.next()??, numbers.next()??])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_words_are_read() {
        let text = "MemTotal:       16384000 kB\nMemFree:  1 kB\nMemAvailable:    8192000 kB\n";
        assert_eq!(kilobytes(text, "MemTotal:"), Some(16_384_000 * 1024));
        assert_eq!(kilobytes(text, "MemAvailable:"), Some(8_192_000 * 1024));
        assert_eq!(kilobytes("", "MemTotal:"), None);
        assert_eq!(averages("0.50 1.25 2.00 1/234 5678\n"), Some([0.5, 1.25, 2.0]));
        assert_eq!(averages("0.50"), None);
    }
}

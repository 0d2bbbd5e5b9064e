//! `webmeteor doctor`: each part is ok, or what to do about it.

use super::say;
use crate::{
    config::{Config, overlap_with_host},
    database::Database,
    lock::{self, LockError, Share},
    ports, postgres, state,
};
use docker::{Engine, Runtime};
use nix::sys::statvfs::statvfs;
use platform::{reconcile, vault::Vault};
use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
    process::ExitCode,
};
use time::{OffsetDateTime, macros::datetime};

/// Less free disk than this makes builds fail soon.
const DISK_MIN: u64 = 2 * 1024 * 1024 * 1024;

/// What is right, or what to do.
type Finding = Result<String, String>;

/// Checks everything and prints a line for each; exit code 1 if something is to be done.
pub async fn run(config: &Config) -> ExitCode {
    let running = matches!(lock::take(&config.data_dir, Share::Alone), Err(LockError::Held { .. }));
    let findings = [
        ("docker", docker().await),
        ("git", git(config).await),
        ("ssh", forge::git::ssh_version().await.map_err(|e| e.to_string())),
        ("postgresql", database(config, running).await),
        ("proxy", proxy(config).await),
        ("sites", sites(config, running).await),
        ("dashboard", port("WEBMETEOR_LISTEN", config.listen, running)),
        ("subnets", overlap_with_host(config.subnets).map_or(Ok("the pool is free".into()), |o| Err(o.to_string()))),
        ("disk", disk(&config.data_dir)),
        ("clock", clock()),
        ("templates", folder("WEBMETEOR_TEMPLATES_DIR", &config.templates_dir)),
        ("pages", folder("WEBMETEOR_SITE_ROOT", &config.site_root)),
    ];
    let mut code = ExitCode::SUCCESS;
    for (name, finding) in findings {
        match finding {
            Ok(words) => say(&format!("ok    {name:<11} {words}")),
            Err(words) => {
                code = ExitCode::FAILURE;
                say(&format!("FAIL  {name:<11} {words}"));
            }
        }
    }
    code
}

async fn docker() -> Finding {
    let engine = Engine::from_env();
    let remedy = |error: docker::Error| format!("{error}; start Docker, or name it in DOCKER_HOST");
    let found = engine.version().await.map_err(remedy)?;
    let restart = if engine.live_restore().await.map_err(remedy)? {
        "sites run on while it restarts"
    } else {
        "sites end while it restarts, unless /etc/docker/daemon.json says \"live-restore\": true"
    };
    Ok(format!("Engine {}, API {}; {restart}", found.engine, found.api))
}

async fn git(config: &Config) -> Finding {
    let version = forge::git::version().await.map_err(|e| e.to_string())?;
    match version.remedy() {
        Some(remedy) if !config.allow_private_repositories => Err(remedy),
        _ => Ok(version.to_string()),
    }
}

async fn database(config: &Config, running: bool) -> Finding {
    if config.database_url.is_none() && !running {
        let found = postgres::programs(config).map_err(|e| e.to_string())?;
        return Ok(format!("not running; {found} is started by `webmeteor serve`"));
    }
    let instance = std::fs::read_to_string(config.data_dir.join("instance")).unwrap_or_default();
    match Database::join(config, instance.trim()).await {
        Ok(_) => Ok("answers".into()),
        Err(error) => Err(error.to_string()),
    }
}

async fn proxy(config: &Config) -> Finding {
    let proxy = state::proxy(config).map_err(|e| e.to_string())?;
    if proxy.ping().await.is_ok() {
        return Ok(format!("answers on its API port {}", config.proxy_api_port));
    }
    match ports::taken(config) {
        Some(taken) => Err(taken.to_string()),
        None => Ok("not running; its ports are free, and `webmeteor serve` starts it".into()),
    }
}

/// What the reconciler would do; it is only told.
async fn sites(config: &Config, running: bool) -> Finding {
    if config.database_url.is_none() && !running {
        return Ok("not looked at: the database does not run".into());
    }
    let instance = std::fs::read_to_string(config.data_dir.join("instance")).unwrap_or_default();
    let database = Database::join(config, instance.trim()).await.map_err(|e| e.to_string())?;
    // Nothing is sealed or opened here, so the master key is left alone.
    let vault = Vault::new([0; 32]);
    let platform = state::platform(config, instance.trim(), database.pool(), vault).map_err(|e| e.to_string())?;
    let found = reconcile::differences(&platform).await.map_err(|e| e.to_string())?;
    if found.actions.is_empty() {
        return Ok("everything runs as the database says".into());
    }
    let lines = found.actions.iter().map(|action| format!("\n      {}, because {}", action.act, action.reason));
    Err(format!(
        "{} differences from what the database says; a platform that runs puts them right within seconds:{}",
        found.actions.len(),
        lines.collect::<String>()
    ))
}

fn port(setting: &str, address: SocketAddr, is_ours: bool) -> Finding {
    match TcpListener::bind(address) {
        Ok(_) => Ok(format!("{address} is free")),
        Err(_) if is_ours => Ok(format!("{address} is used by the platform that runs")),
        Err(error) => Err(format!("{address}: {error}; stop the program that has it, or set {setting}")),
    }
}

fn disk(folder: &Path) -> Finding {
    let there = folder.ancestors().find(|path| path.exists()).unwrap_or(folder);
    let found = statvfs(there).map_err(|e| format!("{}: {e}", there.display()))?;
    let free = found.blocks_available().saturating_mul(found.fragment_size());
    let shown = format!("{} GB free at {}", free / 1_000_000_000, folder.display());
    if free < DISK_MIN {
        Err(format!("{shown}; make room (docker system df shows what Docker uses)"))
    } else {
        Ok(shown)
    }
}

/// Certificates and tokens are judged by the clock; one that stands before this program was written is wrong.
fn clock() -> Finding {
    let now = OffsetDateTime::now_utc();
    if now < datetime!(2026-01-01 0:00 UTC) {
        return Err(format!("it says {}; set it (timedatectl set-ntp true)", now.date()));
    }
    Ok(format!("{} UTC", now.date()))
}

fn folder(setting: &str, path: &Path) -> Finding {
    if path.is_dir() {
        return Ok(path.display().to_string());
    }
    Err(format!("{} is not there; build the project, or set {setting}", path.display()))
}

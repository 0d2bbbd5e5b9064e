//! `webmeteor doctor`: each part is ok, or what to do about it.

use super::say;
use crate::{
    config::{Config, overlap_with_host},
    database::Database,
    ground,
    lock::Share,
    state,
};
use docker::{Engine, Runtime};
use nix::sys::statvfs::statvfs;
use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
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
    let running = ground::claim(config, Share::Alone).is_err();
    let findings = [
        ("docker", docker().await),
        ("postgresql", database(config, running).await),
        ("proxy", proxy(config).await),
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
    match engine.version().await {
        Ok(found) => Ok(format!("Engine {}, API {}", found.engine, found.api)),
        Err(error) => Err(format!("{error}; start Docker, or name it in DOCKER_HOST")),
    }
}

async fn database(config: &Config, running: bool) -> Finding {
    let ok = |kind: &str| Ok(format!("{kind} answers"));
    if config.database_url.is_some() {
        return Database::join(config, "").await.map_or_else(|e| Err(e.to_string()), |_| ok("the one of the setting"));
    }
    if running {
        return Ok("managed by the platform that runs".into());
    }
    let ground = ground::Ground::beside(config).await.map_err(|e| e.to_string())?;
    ground.leave().await;
    ok("the managed one")
}

async fn proxy(config: &Config) -> Finding {
    let proxy = state::proxy(config).map_err(|e| e.to_string())?;
    if proxy.ping().await.is_ok() {
        return Ok(format!("answers on its API port {}", config.proxy_api_port));
    }
    for (name, number) in [
        ("WEBMETEOR_PROXY_HTTP_PORT", config.proxy_http_port),
        ("WEBMETEOR_PROXY_HTTPS_PORT", config.proxy_https_port),
        ("WEBMETEOR_PROXY_API_PORT", config.proxy_api_port),
    ] {
        port(name, SocketAddr::from((Ipv4Addr::UNSPECIFIED, number)), false)?;
    }
    Ok("not running; its ports are free, and `webmeteor serve` starts it".into())
}

fn port(setting: &str, address: SocketAddr, is_ours: bool) -> Finding {
    match TcpListener::bind(address) {
        Ok(_) => Ok(format!("{address} is free")),
        Err(_) if is_ours => Ok(format!("{address} is used by the platform that runs")),
        Err(error) => Err(format!("{address}: {error}; stop the program that has it, or set {setting}")),
    }
}

fn disk(folder: &Path) -> Finding {
    let found = statvfs(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
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

//! Which services a repository holds: looks at a folder, changes nothing, and the first match wins.
//!
//! `webmeteor.toml`; folders `www/`, `api/`, `alert/` with a Dockerfile each; a root Dockerfile; a known project; a root
//! `index.html`.

mod dockerfile;
mod known;
mod manifest;
mod recipes;
mod tree;
mod values;

use model::{
    deployment::FailureCode,
    names::ServiceName,
    site::{HealthCheck, Manifest, ServiceSource, ServiceSpec},
};
use std::{collections::BTreeMap, path::Path};
use tree::Tree;

/// Half a gigabyte, unless the repository says otherwise.
const MEMORY_BYTES: u64 = 512 * 1024 * 1024;
/// Half a CPU, unless the repository says otherwise.
const CPU_MILLIS: u32 = 500;
/// Where a program listens that names no port; it is told so in `PORT`.
const DEFAULT_PORT: u16 = 8080;
/// The services that are known by their name, with the port that each listens on by custom.
const CUSTOMARY: [(&str, u16); 3] = [("www", 4200), ("api", 80), ("alert", 3001)];
/// The path of Socket.IO, which its clients put before everything: never cut off.
const SOCKET_IO: &str = "/socket.io";

/// Why no services were found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DiscoverError {
    /// `manifest_invalid`, `nothing_to_deploy` or `repository_refused`; brings its remedy along.
    pub code: FailureCode,
    /// What is wrong, with file, line and key where there are such.
    pub message: String,
}

impl DiscoverError {
    fn new(code: FailureCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
    fn invalid(message: impl Into<String>) -> Self {
        Self::new(FailureCode::ManifestInvalid, message)
    }
    fn nothing(message: impl Into<String>) -> Self {
        Self::new(FailureCode::NothingToDeploy, message)
    }
}

/// The services of the repository whose files are in `root`, with all defaults filled in.
///
/// # Errors
/// A [`DiscoverError`] that a person can act on.
pub fn discover(root: &Path) -> Result<Manifest, DiscoverError> {
    let tree = Tree::open(root)?;
    let declared = tree.file(manifest::FILE)?.map(|text| manifest::read(&tree, &text)).transpose()?;
    let postgres = match declared {
        Some(whole) if !whole.services.is_empty() => return Ok(whole),
        Some(rest) => rest.postgres,
        None => false,
    };
    if let Some(found) = folders(&tree)? {
        return Ok(Manifest { postgres, ..found });
    }
    let (found_by, draft) = whole(&tree)?;
    Ok(Manifest { services: finish(BTreeMap::from([(name("www")?, draft)]))?, postgres, found_by })
}

/// `www/`, `api/` and `alert/`, those that have a Dockerfile.
fn folders(tree: &Tree) -> Result<Option<Manifest>, DiscoverError> {
    let mut drafts = BTreeMap::new();
    for (folder, port) in CUSTOMARY {
        if let Some(text) = tree.file(&format!("{folder}/Dockerfile"))? {
            let port = dockerfile::exposed_port(&text).unwrap_or(port);
            drafts.insert(name(folder)?, Draft::build(folder, None, port));
        }
    }
    if drafts.is_empty() {
        return Ok(None);
    }
    Ok(Some(Manifest { services: finish(drafts)?, postgres: false, found_by: "folders".into() }))
}

/// The repository as one service.
fn whole(tree: &Tree) -> Result<(String, Draft), DiscoverError> {
    match tree.file("Dockerfile")? {
        Some(text) => {
            let port = dockerfile::exposed_port(&text).unwrap_or(DEFAULT_PORT);
            Ok(("Dockerfile".into(), Draft::build(".", None, port)))
        }
        None => match known::recognise(tree, ".")? {
            Some(project) => {
                let draft = Draft::build(".", Some(project.dockerfile), known::PORT);
                Ok((project.kind.into(), draft))
            }
            None => Err(DiscoverError::nothing(
                "Nothing that can be deployed was found: no webmeteor.toml, no folder www, api or alert with a Dockerfile, \
                 no Dockerfile, no project of Node, PHP, Python, Rust or Go, and no index.html in the root.",
            )),
        },
    }
}

fn name(raw: &str) -> Result<ServiceName, DiscoverError> {
    ServiceName::parse(raw).map_err(|e| DiscoverError::invalid(e.message))
}

/// A service before the defaults that depend on the others.
struct Draft {
    source: ServiceSource,
    port: u16,
    command: Option<Vec<String>>,
    route: Option<String>,
    health: DraftHealth,
    memory_bytes: u64,
    cpu_millis: u32,
    volumes: BTreeMap<String, String>,
}

/// A health check whose path may still depend on the route.
#[derive(Default)]
struct DraftHealth {
    path: Option<String>,
    command: Option<Vec<String>>,
    interval_ms: Option<u64>,
    timeout_ms: Option<u64>,
    retries: Option<u32>,
    start_period_ms: Option<u64>,
}

impl Draft {
    fn of(source: ServiceSource, port: u16) -> Self {
        Self {
            source,
            port,
            command: None,
            route: None,
            health: DraftHealth::default(),
            memory_bytes: MEMORY_BYTES,
            cpu_millis: CPU_MILLIS,
            volumes: BTreeMap::new(),
        }
    }
    fn build(folder: &str, generated: Option<String>, port: u16) -> Self {
        Self::of(ServiceSource::Build { folder: folder.into(), generated }, port)
    }
}

/// Fills in what depends on the whole: a single service gets everything, several get the routes of their names.
fn finish(drafts: BTreeMap<ServiceName, Draft>) -> Result<Vec<ServiceSpec>, DiscoverError> {
    let alone = drafts.len() == 1;
    let services: Vec<ServiceSpec> = drafts.into_iter().map(|(name, draft)| spec(name, draft, alone)).collect();
    let mut owners = BTreeMap::new();
    for service in &services {
        if let Some(route) = &service.route
            && let Some(other) = owners.insert(route.as_str(), &service.name)
        {
            return Err(DiscoverError::invalid(format!(
                "The services “{other}” and “{}” both have the route “{route}”; give each a route of its own.",
                service.name
            )));
        }
    }
    if owners.is_empty() {
        return Err(DiscoverError::invalid(
            "No service can be reached: give one of them route = \"/\" in webmeteor.toml.",
        ));
    }
    Ok(services)
}

fn spec(name: ServiceName, draft: Draft, alone: bool) -> ServiceSpec {
    let route = draft.route.or_else(|| {
        let customary = match name.as_str() {
            _ if alone => "/",
            "www" => "/",
            "api" => "/api",
            "alert" => SOCKET_IO,
            _ => return None,
        };
        Some(customary.to_owned())
    });
    let strip_prefix = route.as_deref().is_some_and(|route| route != "/" && route != SOCKET_IO);
    // Socket.IO answers nothing but its own protocol, and a service without a route need not speak HTTP.
    let speaks_http = route.as_deref().is_some_and(|route| route != SOCKET_IO);
    let usual = HealthCheck::default();
    let DraftHealth { path, command, interval_ms, timeout_ms, retries, start_period_ms } = draft.health;
    let usual_path = usual.path.filter(|_| speaks_http && command.is_none());
    ServiceSpec {
        health: HealthCheck {
            path: path.or(usual_path),
            command,
            interval_ms: interval_ms.unwrap_or(usual.interval_ms),
            timeout_ms: timeout_ms.unwrap_or(usual.timeout_ms),
            retries: retries.unwrap_or(usual.retries),
            start_period_ms: start_period_ms.unwrap_or(usual.start_period_ms),
        },
        name,
        source: draft.source,
        port: draft.port,
        command: draft.command,
        route,
        strip_prefix,
        memory_bytes: draft.memory_bytes,
        cpu_millis: draft.cpu_millis,
        volumes: draft.volumes,
    }
}

#[cfg(test)]
mod tests;

//! `webmeteor.toml`: what a repository says about itself.

use super::{
    CUSTOMARY, DEFAULT_PORT, DiscoverError, Draft, DraftHealth, dockerfile, finish, known,
    tree::{Tree, below},
    values::{
        Cpus, Duration, Folder, HealthPath, Image, Memory, MountPath, Name, Port, Replicas, Retries, Route, VolumeName,
        Words,
    },
};
use model::{
    deployment::FailureCode,
    names::ServiceName,
    site::{Manifest, ServiceSource},
};
use serde::Deserialize;
use std::{collections::BTreeMap, ops::Range};
use toml::Spanned;

/// Its name, in the repository's root.
pub(super) const FILE: &str = "webmeteor.toml";
/// The name of the database beside the services.
const DATABASE: &str = "db";
const MAX_SERVICES: usize = 12;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    services: BTreeMap<Name, Spanned<Service>>,
    #[serde(default)]
    database: Database,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Database {
    #[serde(default)]
    postgres: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Service {
    build: Option<Folder>,
    image: Option<Image>,
    port: Option<Port>,
    command: Option<Words>,
    healthcheck: Option<Health>,
    route: Option<Route>,
    #[serde(rename = "replicas")]
    _replicas: Option<Replicas>,
    memory: Option<Memory>,
    cpus: Option<Cpus>,
    #[serde(default)]
    volumes: BTreeMap<VolumeName, MountPath>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Health {
    path: Option<HealthPath>,
    command: Option<Words>,
    interval: Option<Duration>,
    timeout: Option<Duration>,
    retries: Option<Retries>,
    start_period: Option<Duration>,
}

/// Reads the file and looks at the folders it names. A file without services leaves finding them to the other rules:
/// its `services` are empty then.
pub(super) fn read(tree: &Tree, text: &str) -> Result<Manifest, DiscoverError> {
    let file: File = toml::from_str(text).map_err(|e| at(text, e.span(), e.message()))?;
    if file.services.len() > MAX_SERVICES {
        return Err(DiscoverError::invalid(format!("{FILE} names more than {MAX_SERVICES} services.")));
    }
    let mut drafts = BTreeMap::new();
    for (Name(name), service) in file.services {
        let span = service.span();
        let draft = draft(tree, &name, service.into_inner(), file.database.postgres)
            .map_err(|e| if e.is_about_service { at(text, Some(span), &e.error.message) } else { e.error })?;
        drafts.insert(name, draft);
    }
    let services = if drafts.is_empty() { Vec::new() } else { finish(drafts)? };
    Ok(Manifest { services, postgres: file.database.postgres, found_by: FILE.into() })
}

/// An error, and whether it is about the service's lines or about a file elsewhere.
struct Mistake {
    error: DiscoverError,
    is_about_service: bool,
}

impl From<DiscoverError> for Mistake {
    fn from(error: DiscoverError) -> Self {
        Self { error, is_about_service: false }
    }
}

fn draft(tree: &Tree, name: &ServiceName, service: Service, postgres: bool) -> Result<Draft, Mistake> {
    let wrong = |message: String| Mistake {
        error: DiscoverError::invalid(format!("service “{name}”: {message}")),
        is_about_service: true,
    };
    if postgres && name.as_str() == DATABASE {
        return Err(wrong("the site's database has this name; choose another".into()));
    }
    let customary = CUSTOMARY.iter().find(|(known, _)| *known == name.as_str()).map(|(_, port)| *port);
    let (source, usual_port) = match (service.build, service.image) {
        (Some(Folder(folder)), None) => built(tree, folder, customary).map_err(|e| match e {
            Built::Wrong(message) => wrong(message),
            Built::Refused(error) => error.into(),
        })?,
        (None, Some(Image(image))) => (ServiceSource::Image(image), customary),
        (Some(_), Some(_)) => return Err(wrong("it has both build and image; keep one".into())),
        (None, None) => return Err(wrong("it has neither build = \"FOLDER\" nor image = \"NAME\"".into())),
    };
    let port = service.port.map(|Port(port)| port).or(usual_port);
    let port = port.ok_or_else(|| wrong("say which port the image listens on, such as port = 8080".into()))?;
    let mounts: Vec<&MountPath> = service.volumes.values().collect();
    if (1..mounts.len()).any(|i| mounts[..i].contains(&mounts[i])) {
        return Err(wrong("two volumes stand at the same path".into()));
    }
    let health = service.healthcheck.unwrap_or_default();
    if health.path.is_some() && health.command.is_some() {
        return Err(wrong("its healthcheck has both path and command; keep one".into()));
    }
    let usual = Draft::of(source, port);
    Ok(Draft {
        command: service.command.map(|Words(words)| words),
        route: service.route.map(|Route(route)| route),
        health: DraftHealth {
            path: health.path.map(|HealthPath(path)| path),
            command: health.command.map(|Words(words)| words),
            interval_ms: health.interval.map(|Duration(ms)| ms),
            timeout_ms: health.timeout.map(|Duration(ms)| ms),
            retries: health.retries.map(|Retries(retries)| retries),
            start_period_ms: health.start_period.map(|Duration(ms)| ms),
        },
        memory_bytes: service.memory.map_or(usual.memory_bytes, |Memory(bytes)| bytes),
        cpu_millis: service.cpus.map_or(usual.cpu_millis, |Cpus(millis)| millis),
        volumes: service.volumes.into_iter().map(|(VolumeName(name), MountPath(path))| (name, path)).collect(),
        ..usual
    })
}

enum Built {
    Wrong(String),
    Refused(DiscoverError),
}

impl From<DiscoverError> for Built {
    fn from(error: DiscoverError) -> Self {
        Self::Refused(error)
    }
}

/// A service built from a folder, and the port that is known without being told.
fn built(tree: &Tree, folder: String, customary: Option<u16>) -> Result<(ServiceSource, Option<u16>), Built> {
    if !tree.has_folder(&folder) {
        return Err(Built::Wrong(format!("build names the folder “{folder}”, which is not in the repository")));
    }
    if let Some(text) = tree.file(&below(&folder, "Dockerfile"))? {
        let port = dockerfile::exposed_port(&text).or(customary).unwrap_or(DEFAULT_PORT);
        return Ok((ServiceSource::Build { folder, generated: None }, Some(port)));
    }
    match known::recognise(tree, &folder)? {
        Some(project) => Ok((ServiceSource::Build { folder, generated: Some(project.dockerfile) }, Some(known::PORT))),
        None => Err(Built::Refused(DiscoverError::new(
            FailureCode::DockerfileMissing,
            format!("{FILE} builds the folder “{folder}”, which has neither a Dockerfile nor a project that is known."),
        ))),
    }
}

/// An error with the line it is on, and the line's own words, which name the key.
fn at(text: &str, span: Option<Range<usize>>, message: &str) -> DiscoverError {
    let message = message.trim_end_matches('.').replace('\n', "; ");
    let Some(start) = span.map(|span| span.start.min(text.len())) else {
        return DiscoverError::invalid(format!("{FILE}: {message}."));
    };
    let before = text.as_bytes().iter().take(start).filter(|b| **b == b'\n').count();
    let line: String = text.lines().nth(before).unwrap_or_default().trim().chars().take(80).collect();
    let quoted = if line.is_empty() { String::new() } else { format!(" (`{line}`)") };
    DiscoverError::invalid(format!("{FILE}, line {}{quoted}: {message}.", before + 1))
}

//! Builds by the engine's classic builder, which is in every engine and needs nothing on this machine.

use super::{images, logs};
use crate::{
    BuildError, BuildRequest, ContainerEvent, Error, EventKind, ImageId, Labels, LogLine, Result,
    context::{Folder, SENT_DOCKERFILE},
    lines::Lines,
};
use bollard::{Docker, query_parameters::BuildImageOptionsBuilder};
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use http::Uri;
use model::deployment::Stream;
use std::{
    collections::HashMap,
    fmt::Write,
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How long events of a failed step are waited for.
const EVENTS: Duration = Duration::from_millis(500);
/// The period that a share of CPU time is measured over; the engine's own default.
const CPU_PERIOD_US: u64 = 100_000;

pub(super) async fn build(
    docker: &Docker,
    request: BuildRequest,
    log: mpsc::Sender<LogLine>,
    cancel: CancellationToken,
) -> Result<ImageId, BuildError> {
    let limit = request.time_limit;
    // Dropping the answer closes its connection, by which the engine ends the build and removes the step's container.
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(BuildError::Cancelled),
        () = tokio::time::sleep(limit) => Err(BuildError::TimeLimit(limit)),
        built = run(docker, request, log) => built,
    }
}

async fn run(docker: &Docker, request: BuildRequest, log: mpsc::Sender<LogLine>) -> Result<ImageId, BuildError> {
    let BuildRequest { tag, args, network, no_cache, .. } = &request;
    images::checked(tag)?;
    let asked = request.clone();
    let folder = tokio::task::spawn_blocking(move || Folder::open(&asked))
        .await
        .map_err(|e| Error::Unavailable(e.to_string()))??;
    let folder = Arc::new(folder);
    let mut kills = Kills::watch(docker);

    let mut options = BuildImageOptionsBuilder::new()
        .dockerfile(SENT_DOCKERFILE)
        .t(tag)
        .nocache(*no_cache)
        .rm(true)
        .forcerm(true)
        .buildargs(&args.clone().into_iter().collect::<HashMap<_, _>>());
    if let Some(network) = network {
        options = options.networkmode(network);
    }
    let limits = limits(&request);
    let docker = docker
        .clone()
        // The head of the answer comes only once all files were sent; the whole build has a limit of its own.
        .with_timeout(request.time_limit + Duration::from_mins(1))
        .with_request_modifier(move |mut call| {
            if let Some(uri) = with_query(call.uri(), &limits) {
                *call.uri_mut() = uri;
            }
            call
        });

    let unreadable = Arc::new(OnceLock::new());
    let noted = Arc::clone(&unreadable);
    let files = Arc::clone(&folder).stream().inspect_err(move |error| {
        let _ = noted.set(error.to_string());
    });
    let mut answer = docker.build_image(options.build(), None, Some(bollard::body_try_stream(files)));
    let (mut stdout, mut stderr) = (Lines::default(), Lines::default());
    let (mut id, mut disk_full) = (None, false);
    let mut failed = None;
    while let Some(info) = answer.next().await {
        let info = match info {
            Ok(info) => info,
            Err(error) => {
                failed = Some(match unreadable.get() {
                    Some(message) => {
                        let path = request.context.root.clone();
                        BuildError::Engine(Error::Folder { path, message: message.clone() })
                    }
                    None => failure(error, disk_full, |message| folder.translate(message)),
                });
                break;
            }
        };
        id = info.aux.and_then(|aux| aux.id).or(id);
        let (stream, piece) = pipe(info.stream.as_deref().unwrap_or_default());
        let lines = if stream == Stream::Stderr { &mut stderr } else { &mut stdout };
        for text in lines.push(piece) {
            disk_full |= text.contains("No space left on device");
            kills.note(&text);
            say(&log, stream, text).await;
        }
        // A pull of the base image: one line per state, not one per progress.
        if let (Some(status), None) = (info.status, info.progress_detail) {
            let text = match info.id {
                Some(id) => format!("{id}: {status}"),
                None => status,
            };
            say(&log, Stream::Stdout, text).await;
        }
    }
    for (stream, mut lines) in [(Stream::Stdout, stdout), (Stream::Stderr, stderr)] {
        if let Some(text) = lines.finish() {
            say(&log, stream, text).await;
        }
    }
    match (failed, id) {
        (Some(BuildError::Failed { message }), _) if kills.any().await => Err(BuildError::OutOfMemory(message)),
        (Some(error), _) => Err(error),
        (None, Some(id)) => Ok(ImageId(id)),
        (None, None) => Err(Error::Unavailable("it broke off the build".into()).into()),
    }
}

async fn say(log: &mpsc::Sender<LogLine>, stream: Stream, text: String) {
    // Nobody listening is no reason to end the build.
    let _ = log.send(LogLine { at: None, stream, text }).await;
}

/// Notices when the kernel ends a program of the build for want of memory: the engine tells it as an event of the
/// step's container, and of the step itself only its exit code, which may be any.
struct Kills {
    events: BoxStream<'static, Result<ContainerEvent>>,
    /// The last step's container, by the first digits of its id. A step that prints such a line misleads its own build
    /// only.
    step: Option<String>,
}

impl Kills {
    fn watch(docker: &Docker) -> Self {
        Self { events: logs::events(docker, &Labels::new()), step: None }
    }

    fn note(&mut self, line: &str) {
        if let Some(id) = line.strip_prefix(" ---> Running in ") {
            self.step = Some(id.trim().to_owned()).filter(|id| id.len() == 12);
        }
    }

    /// The events come a little after the step's end.
    async fn any(&mut self) -> bool {
        let Some(step) = &self.step else { return false };
        let killed = async {
            while let Some(Ok(event)) = self.events.next().await {
                if event.kind == EventKind::OutOfMemory && event.id.starts_with(step) {
                    return true;
                }
            }
            false
        };
        tokio::time::timeout(EVENTS, killed).await.unwrap_or(false)
    }
}

/// The classic builder has one pipe, and puts what a step wrote to standard error between two colour codes.
fn pipe(piece: &str) -> (Stream, &str) {
    match piece.strip_prefix("\u{1b}[91m").and_then(|rest| rest.strip_suffix("\u{1b}[0m")) {
        Some(written) => (Stream::Stderr, written),
        None => (Stream::Stdout, piece),
    }
}

/// The limits as the engine's API names them; bollard's options have no control group and cap memory at 2 GiB.
/// <https://docs.docker.com/reference/api/engine/version/v1.41/#operation/ImageBuild>
fn limits(request: &BuildRequest) -> String {
    let mut query = String::new();
    if let Some(bytes) = request.memory_bytes {
        let _ = write!(query, "&memory={bytes}&memswap={bytes}");
    }
    if let Some(millis) = request.cpu_millis {
        let quota = u64::from(millis) * CPU_PERIOD_US / 1000;
        let _ = write!(query, "&cpuperiod={CPU_PERIOD_US}&cpuquota={quota}");
    }
    if let Some(parent) = &request.cgroup_parent {
        query.push_str("&cgroupparent=");
        for byte in parent.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'/') {
                query.push(char::from(byte));
            } else {
                let _ = write!(query, "%{byte:02X}");
            }
        }
    }
    query
}

fn with_query(uri: &Uri, more: &str) -> Option<Uri> {
    if more.is_empty() {
        return None;
    }
    let separator = if uri.query().is_some() { "" } else { "?" };
    format!("{uri}{separator}{more}").parse().ok()
}

/// `disk_full`: a program in a step said so; the engine itself then knows of its exit code only.
fn failure(error: bollard::errors::Error, disk_full: bool, translate: impl Fn(&str) -> String) -> BuildError {
    match Error::from(error) {
        Error::DiskFull(message) => BuildError::DiskFull(message),
        Error::Refused { message, .. } if disk_full => BuildError::DiskFull(message),
        Error::Refused { message, .. }
        | Error::NotFound(message)
        | Error::Conflict(message)
        | Error::AddressInUse(message)
        | Error::SubnetTaken(message) => BuildError::Failed { message: translate(&message) },
        other => BuildError::Engine(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BuildContext;

    fn request() -> BuildRequest {
        BuildRequest::new(BuildContext { root: "/x".into(), folder: ".".into() }, "t")
    }

    #[test]
    fn limits_of_any_size_reach_the_engine() {
        let limits = limits(&BuildRequest {
            memory_bytes: Some(4 << 30),
            cpu_millis: Some(1500),
            cgroup_parent: Some("/webmeteor/build&x".into()),
            ..request()
        });
        let uri = with_query(&"http://x/v1.41/build?t=a".parse().unwrap(), &limits).unwrap();
        assert_eq!(
            uri.query().unwrap(),
            "t=a&memory=4294967296&memswap=4294967296&cpuperiod=100000&cpuquota=150000\
             &cgroupparent=/webmeteor/build%26x"
        );
    }

    #[test]
    fn a_full_disk_is_told_from_a_failed_step() {
        let stream = |error: &str| bollard::errors::Error::DockerStreamError { error: error.into() };
        assert!(matches!(
            failure(stream("write /x: no space left on device"), false, str::to_owned),
            BuildError::DiskFull(_)
        ));
        let words = "The command '/bin/sh -c false' returned a non-zero code: 1";
        assert_eq!(failure(stream(words), false, str::to_owned), BuildError::Failed { message: words.into() });
        assert_eq!(failure(stream(words), true, str::to_owned), BuildError::DiskFull(words.into()));
        assert!(matches!(
            failure(bollard::errors::Error::RequestTimeoutError, false, str::to_owned),
            BuildError::Engine(_)
        ));
    }
}

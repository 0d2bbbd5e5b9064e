//! What containers print, and what happens to them.

use super::{CALL, checked, convert};
use crate::{ContainerEvent, Error, EventKind, Health, Labels, LogLine, Result, lines};
use bollard::{
    Docker,
    container::LogOutput,
    models::EventMessage,
    query_parameters::{EventsOptionsBuilder, LogsOptions, LogsOptionsBuilder},
};
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use model::deployment::Stream;
use time::OffsetDateTime;

fn options(lines: usize, follow: bool) -> LogsOptions {
    LogsOptionsBuilder::new().follow(follow).stdout(true).stderr(true).timestamps(true).tail(&lines.to_string()).build()
}

pub(super) async fn tail(docker: &Docker, name: &str, lines: usize) -> Result<Vec<LogLine>> {
    let read = docker.logs(checked(name)?, Some(options(lines, false))).map_err(Error::from).try_collect::<Vec<_>>();
    let read =
        tokio::time::timeout(CALL, read).await.map_err(|_| Error::Unavailable("the log did not end".into()))??;
    Ok(joined(read))
}

/// The engine stores a line of more than 16 kB in pieces; only the last one ends the line.
fn joined(pieces: Vec<LogOutput>) -> Vec<LogLine> {
    let mut lines: Vec<LogLine> = Vec::with_capacity(pieces.len());
    let mut open = [false; 2];
    for piece in pieces {
        let is_whole = piece.as_ref().ends_with(b"\n");
        let next = line(piece);
        let pipe = usize::from(next.stream == Stream::Stderr);
        match lines.iter_mut().rev().find(|line| open[pipe] && line.stream == next.stream) {
            Some(begun) => begun.text.push_str(&next.text),
            None => lines.push(next),
        }
        open[pipe] = !is_whole;
    }
    lines
}

pub(super) fn follow(docker: &Docker, name: &str, lines: usize) -> Result<BoxStream<'static, Result<LogLine>>> {
    Ok(docker.logs(checked(name)?, Some(options(lines, true))).map_err(Error::from).map_ok(line).boxed())
}

/// The engine puts the time before each line.
fn line(output: LogOutput) -> LogLine {
    let stream = if matches!(output, LogOutput::StdErr { .. }) { Stream::Stderr } else { Stream::Stdout };
    let bytes = output.into_bytes();
    let text = String::from_utf8_lossy(&bytes);
    let (at, rest) = match text.split_once(' ') {
        Some((time, rest)) => match convert::moment(time) {
            Some(at) => (Some(at), rest),
            None => (None, text.as_ref()),
        },
        None => (None, text.as_ref()),
    };
    LogLine { at, stream, text: lines::clean(rest) }
}

pub(super) fn events(docker: &Docker, labels: &Labels) -> BoxStream<'static, Result<ContainerEvent>> {
    let mut filters = convert::label_filter(labels);
    filters.insert("type".into(), vec!["container".into()]);
    // The call goes out with the stream's first poll; what happens before that is asked for too.
    let now = OffsetDateTime::now_utc();
    let since = format!("{}.{:09}", now.unix_timestamp(), now.nanosecond());
    let options = EventsOptionsBuilder::new().filters(&filters).since(&since).build();
    docker
        .events(Some(options))
        .map_err(Error::from)
        .try_filter_map(|message| std::future::ready(Ok(event(message))))
        .boxed()
}

/// `None` for what nobody asks about, such as a command run in a container.
fn event(message: EventMessage) -> Option<ContainerEvent> {
    let actor = message.actor?;
    let mut attributes = actor.attributes.unwrap_or_default();
    let kind = match message.action?.as_str() {
        "create" => EventKind::Created,
        "start" => EventKind::Started,
        "die" => EventKind::Died(attributes.remove("exitCode").and_then(|code| code.parse().ok())),
        "oom" => EventKind::OutOfMemory,
        "pause" => EventKind::Paused,
        "destroy" => EventKind::Destroyed,
        "health_status: healthy" => EventKind::Health(Health::Healthy),
        "health_status: unhealthy" => EventKind::Health(Health::Unhealthy),
        _ => return None,
    };
    let name = attributes.remove("name").unwrap_or_default();
    Some(ContainerEvent { kind, id: actor.id?, name, labels: attributes.into_iter().collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_that_is_stored_in_pieces_is_one_line() {
        let out = |text: &str| LogOutput::StdOut { message: format!("2026-11-23T03:27:41.25Z {text}").into() };
        let err = |text: &str| LogOutput::StdErr { message: format!("2026-11-23T03:27:41.25Z {text}").into() };
        let lines = joined(vec![out("a se"), err("other\n"), out("cre"), out("t\n"), out("next\n"), err("open")]);
        let texts: Vec<_> = lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, ["a secret", "other", "next", "open"]);
    }
}

//! A deployment told to the terminal of whoever pushed it.

use super::pipe::ToClient;
use crate::state::AppState;
use forge::push::{keep_alive, progress};
use model::{
    Actor,
    deployment::{Status, Step, StepStatus, Stream},
    views::{DeploymentView, LogItem},
};
use platform::{deployments, members, repositories::Started};
use std::{collections::VecDeque, time::Duration};
use time::OffsetDateTime;
use tokio::time::Instant;

/// How often a deployment is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// Proxies take a connection for dead that is silent for much longer.
const SILENCE: Duration = Duration::from_secs(5);
/// A terminal is kept waiting no longer than this.
const LIMIT: Duration = Duration::from_mins(15);
/// Lines of the log in one look.
const LINES: i64 = 1_000;
/// What a program printed last tells why it failed.
const LAST_LINES: usize = 15;

/// Tells how a deployment goes until it ends. It goes on whoever watches.
pub async fn follow(state: &AppState, actor: &Actor, started: &Started, client: &ToClient) {
    let mut story = Story::default();
    let watch = async {
        let (mut last_word, mut looks) = (Instant::now(), tokio::time::interval(LOOK));
        loop {
            looks.tick().await;
            let (lines, is_over) = match look(state, actor, started, &mut story).await {
                Ok(found) => found,
                Err(error) => {
                    tracing::debug!(%error, "a deployment cannot be followed any more");
                    return;
                }
            };
            for line in &lines {
                if !client.send(progress(line)).await {
                    return;
                }
            }
            if is_over {
                return;
            }
            if !lines.is_empty() {
                last_word = Instant::now();
            } else if last_word.elapsed() >= SILENCE {
                last_word = Instant::now();
                if !client.send(keep_alive()).await {
                    return;
                }
            }
        }
    };
    let address = address(state, started);
    let farewell = tokio::select! {
        () = watch => return,
        () = client.gone() => return,
        () = state.stopping.cancelled() => format!("The platform restarts; the deployment goes on: {address}"),
        () = tokio::time::sleep(LIMIT) => format!("The deployment goes on; follow it at {address}"),
    };
    client.send(progress(&farewell)).await;
}

/// Where the dashboard shows a deployment.
fn address(state: &AppState, started: &Started) -> String {
    format!("{}/deployments/{}", state.config.public_url, started.deployment)
}

/// What is new to tell, and whether that was all.
async fn look(
    state: &AppState,
    actor: &Actor,
    started: &Started,
    story: &mut Story,
) -> platform::Result<(Vec<String>, bool)> {
    // First how it stands, then its log: what stands at the end has a whole log.
    let actor = &members::still(&state.platform, actor).await?;
    let view = deployments::get(&state.platform, actor, started.deployment).await?;
    let log = deployments::log(&state.platform, actor, started.deployment, story.seen, LINES).await?;
    let mut lines = story.go_on(&view, log.items, &address(state, started));
    let is_over = view.summary.status.is_final() && log.complete;
    if is_over {
        lines.extend(story.end(&view));
    }
    Ok((lines, is_over))
}

/// What was told so far.
#[derive(Default)]
struct Story {
    has_begun: bool,
    queue_position: Option<i64>,
    steps: Vec<Step>,
    seen: i64,
    /// What programs printed last.
    printed: Recent,
    /// What the platform said last.
    said: Recent,
}

/// The last few lines.
#[derive(Default)]
struct Recent(VecDeque<String>);

impl Recent {
    fn push(&mut self, line: String) {
        if self.0.len() == LAST_LINES {
            self.0.pop_front();
        }
        self.0.push_back(line);
    }
}

impl Story {
    /// The steps that began and what the platform said since the last look, in order.
    fn go_on(&mut self, view: &DeploymentView, log: Vec<LogItem>, address: &str) -> Vec<String> {
        let mut told: Vec<(OffsetDateTime, String)> = Vec::new();
        for step in &view.steps {
            let Some(at) = step.started_at.filter(|_| step.status != StepStatus::Skipped) else { continue };
            if !self.steps.contains(&step.name) {
                self.steps.push(step.name);
                told.push((at, heading(step.name).to_owned()));
            }
        }
        for line in log {
            self.seen = line.seq;
            if line.stream == Stream::Platform {
                // What is indented is a file shown whole, and the address stands at the end.
                if !line.text.starts_with(' ') && !line.text.ends_with(&view.url) {
                    told.push((line.at, format!("  {}", line.text)));
                }
                self.said.push(line.text);
            } else {
                self.printed.push(line.text);
            }
        }
        told.sort_by_key(|(at, _)| *at);
        let mut lines = Vec::new();
        if !std::mem::replace(&mut self.has_begun, true) {
            let summary = &view.summary;
            lines.push(String::new());
            lines.push(format!("Deployment {} of {} to {}", summary.number, view.site_name, summary.environment));
            lines.push(address.to_owned());
        }
        if let Some(before) = view.queue_position.filter(|before| self.queue_position.replace(*before) != Some(*before))
            && before > 0
        {
            lines.push(format!("Waiting; {before} before it"));
        }
        lines.extend(told.into_iter().map(|(_, line)| line));
        lines
    }

    /// How it ended.
    fn end(&self, view: &DeploymentView) -> Vec<String> {
        let mut lines = Vec::new();
        match (&view.error, view.summary.status) {
            (_, Status::Live) => lines.push(format!("Live: {}", view.url)),
            (_, Status::Superseded) => lines.push("A newer deployment took its place.".into()),
            (_, Status::Cancelled) => lines.push("It was cancelled; what served before still serves.".into()),
            (Some(error), _) => {
                if !self.printed.0.is_empty() {
                    lines.push("The last lines of the log:".into());
                    lines.extend(self.printed.0.iter().map(|line| format!("  | {line}")));
                }
                let step = error.step.map(|step| format!(" in step {step}")).unwrap_or_default();
                let service = error.service.as_ref().map(|name| format!(", service {name}")).unwrap_or_default();
                lines.push(format!("error: The deployment failed{step}{service}: {}", error.message));
                let is_told = self.said.0.iter().any(|line| *line == error.remedy);
                lines.extend((!is_told).then(|| format!("hint: {}", error.remedy)));
            }
            (None, status) => lines.push(format!("It ended: {status}.")),
        }
        lines.push(String::new());
        lines
    }
}

fn heading(step: Step) -> &'static str {
    match step {
        Step::Fetch => "Fetching",
        Step::Build => "Building",
        Step::Start => "Starting beside the old release",
        Step::Verify => "Waiting until it is well",
        Step::Switch => "Switching",
        Step::Drain => "Letting the old release finish",
    }
}

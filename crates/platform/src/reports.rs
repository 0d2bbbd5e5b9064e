//! Tells forges how the deployments of their commits stand. What is to be told is written by the database with each
//! change of a state; it is sent here, beside everything else, and no deployment waits for it.

use crate::{Platform, Result, github, sites};
use forge::{
    report::{Failed, Report, State, Target, send},
    webhook::Provider,
};
use model::{
    deployment::Status,
    names::{CommitSha, EnvironmentName, RepoUrl},
    site::Source,
};
use secrecy::SecretString;
use std::{sync::Arc, time::Duration};
use store::{
    reports::{Outcome, ReportRow},
    sites::SiteRow,
};
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Nobody else sends it in this time; longer than the longest request.
const LEASE: Duration = Duration::from_mins(1);
/// So many are sent at once, each of another site.
const AT_ONCE: usize = 4;
/// A state is tried so often: the last time about an hour after the first.
const ATTEMPTS: i32 = 12;
/// The pauses between tries double up to this one.
const LONGEST_PAUSE: Duration = Duration::from_mins(15);
/// Without any wake-up it is looked this often: a notification may be lost.
const LOOK: Duration = Duration::from_secs(30);
/// After trouble with the database.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Sends until it is told to stop. What is not sent then is sent after the next start.
pub async fn run(platform: Arc<Platform>, stop: CancellationToken) {
    let tasks = TaskTracker::new();
    let room = Arc::new(Semaphore::new(AT_ONCE));
    while !stop.is_cancelled() {
        let pause = match begin(&platform, &room, &tasks).await {
            Ok(pause) => pause,
            Err(error) => {
                tracing::warn!(%error, "reports to forges cannot be looked at");
                LOOK_AGAIN
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = platform.reports.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
    tasks.close();
    tasks.wait().await;
}

/// Begins to send all that is due and has room; how long until it is worth to look again.
async fn begin(platform: &Arc<Platform>, room: &Arc<Semaphore>, tasks: &TaskTracker) -> Result<Duration> {
    while let Ok(place) = Arc::clone(room).try_acquire_owned() {
        let mut conn = platform.pool.acquire().await?;
        let Some(row) = store::reports::claim(&mut conn, LEASE.as_secs_f64()).await? else {
            let due = store::reports::next_due(&mut conn).await?;
            let due = due.and_then(|seconds| Duration::try_from_secs_f64(seconds.max(0.1)).ok());
            return Ok(due.unwrap_or(LOOK).min(LOOK));
        };
        drop(conn);
        let platform = Arc::clone(platform);
        tasks.spawn(async move {
            if let Err(error) = one(&platform, &row).await {
                // Its lease runs out, and it is sent again.
                tracing::warn!(deployment = %row.deployment_id, %error, "a report to a forge could not be settled");
            }
            drop(place);
            platform.reports.notify_one();
        });
    }
    // Whoever ends next wakes this.
    Ok(LOOK)
}

/// Sends one and writes down what came of it.
pub(crate) async fn one(platform: &Platform, row: &ReportRow) -> Result<()> {
    let sent = match prepare(platform, row).await? {
        None => None,
        Some(Err(failed)) => Some(Err(failed)),
        Some(Ok(ready)) => Some(ready.send(platform, row).await?),
    };
    let (deployment, site) = (row.deployment_id, row.site_id);
    let outcome = match &sent {
        None => Outcome::Dropped,
        Some(Ok(())) => Outcome::Sent,
        Some(Err(Failed::Later(reason, after))) if row.attempts < ATTEMPTS => {
            tracing::info!(%deployment, %site, reason, attempt = row.attempts, "a forge did not take a report; tried again");
            Outcome::Later(pause(row.attempts, *after).as_secs_f64(), reason)
        }
        Some(Err(Failed::Later(reason, _) | Failed::Never(reason))) => {
            tracing::warn!(%deployment, %site, reason, "a forge does not take a report; given up");
            Outcome::GivenUp(reason)
        }
    };
    let mut conn = platform.pool.acquire().await?;
    store::reports::settle(&mut conn, row.team_id, deployment, row.change, outcome).await?;
    Ok(())
}

/// How long to wait after this try: what the forge asks for, at least twice as long as the time before.
fn pause(attempt: i32, asked: Option<Duration>) -> Duration {
    let doubled = Duration::from_secs(1 << attempt.clamp(1, 10)).min(LONGEST_PAUSE);
    asked.map_or(doubled, |asked| asked.max(Duration::from_secs(1)))
}

/// Whom to tell what, with which token.
struct Ready {
    site: SiteRow,
    repository: RepoUrl,
    target: Target,
    report: Report,
    token: SecretString,
}

impl Ready {
    /// The commit's status, and for a site that comes through the GitHub App what else GitHub shows of a deployment.
    async fn send(&self, platform: &Platform, row: &ReportRow) -> Result<Result<(), Failed>> {
        let allow_private = platform.settings.allow_private_repositories;
        let sent = send(&self.target, &self.report, &self.token, allow_private).await;
        if sent.is_err() || self.site.github_installation.is_none() {
            return Ok(sent);
        }
        let url = address(platform, row);
        github::tell(platform, row, &self.site, &self.repository, &self.report, &self.token, &url).await
    }
}

/// What is to be sent; `None` where there is nobody to be told any more.
async fn prepare(platform: &Platform, row: &ReportRow) -> Result<Option<Result<Ready, Failed>>> {
    let mut conn = platform.pool.acquire().await?;
    let Some(site) = store::sites::by_id(&mut conn, &[row.team_id], row.site_id).await? else { return Ok(None) };
    let Source::Git { url, .. } = &site.source.0 else { return Ok(None) };
    let sender = store::deliveries::newest_provider(&mut conn, row.team_id, row.site_id).await?;
    drop(conn);
    let sender = sender.as_deref().and_then(Provider::from_word);
    let Some(target) = Target::of(url, sender, &platform.settings.github) else { return Ok(None) };
    let token = match github::token_to_tell(platform, &site).await? {
        Some(Ok(token)) => Some(token),
        Some(Err(failed)) => return Ok(Some(Err(failed))),
        None => sites::open_repository_token(platform, &site)?.map(Into::into),
    };
    let repository = url.clone();
    let ready = report(platform, row).zip(token);
    Ok(ready.map(|(report, token)| Ok(Ready { site, repository, target, report, token })))
}

/// What is told; `None` for words that are not known.
fn report(platform: &Platform, row: &ReportRow) -> Option<Report> {
    let state = match row.state.as_str() {
        "running" => State::Running,
        word => match Status::from_word(word)? {
            Status::Live => State::Success,
            Status::Failed => State::Failure,
            Status::Cancelled => State::Cancelled,
            Status::Superseded => State::Superseded,
            _ => State::Queued,
        },
    };
    let description = match state {
        State::Queued => "Waits for its turn.".to_owned(),
        State::Running => format!("Being deployed to {}.", row.environment),
        State::Success => format!("Live at {}", address(platform, row)),
        State::Failure => failure(row),
        State::Cancelled => "Cancelled; what served before still serves.".to_owned(),
        State::Superseded => "Passed over: a newer deployment took its place.".to_owned(),
    };
    Some(Report {
        commit: CommitSha::parse(&row.commit_sha).ok()?,
        state,
        environment: EnvironmentName::parse(&row.environment).ok()?,
        description,
        link: format!("{}/deployments/{}", platform.settings.public_url, row.deployment_id),
    })
}

/// Where the environment answers.
fn address(platform: &Platform, row: &ReportRow) -> String {
    platform.settings.site_url(&format!("{}.{}", row.host, platform.settings.sites_domain))
}

/// The step that failed, and why.
fn failure(row: &ReportRow) -> String {
    let why = row.error_message.as_deref().unwrap_or("It failed.");
    row.error_step.as_deref().map_or_else(|| why.to_owned(), |step| format!("{step}: {why}"))
}

#[cfg(test)]
mod tests;

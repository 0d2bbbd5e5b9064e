//! The first while after a switch: requests that failed in it are counted, and a release that turns out to be unwell
//! gives way to the one before.

use crate::{
    Platform, Result,
    deployments::{self, Queued},
    log_sink::LogSink,
    machine,
    redact::Redactor,
    routes, secrets,
};
use anyhow::Context;
use model::{
    EnvironmentId, ReleaseId,
    deployment::{Status, Stream, Trigger},
    event::Event,
    plan::ReleasePlan,
    views::{Verdict, WatchView},
};
use proxy::Counts;
use sqlx::PgConnection;
use std::{sync::Arc, time::Duration};
use store::{
    deployments::DeploymentRow,
    releases::ReleaseRow,
    watches::{NewWatch, WatchRow},
};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

/// Between two looks at what is watched …
const LOOK: Duration = Duration::from_secs(1);
/// … and where nothing is.
const IDLE: Duration = Duration::from_secs(3);
/// Requests are counted so long after the drain, until the last of them has ended.
const AFTER_DRAIN: Duration = Duration::from_secs(3);
/// So many ends by itself are a crash loop.
const CRASHES: u32 = 3;
/// No share is made of fewer answers.
const FEWEST_ANSWERS: u64 = 20;
/// Such a share of server errors is too much …
const ERRORS: f64 = 0.25;
/// … unless the release before had nearly as many: it is no better.
const TIMES_BEFORE: f64 = 3.0;
/// Lines kept of a service that ended by itself.
const TAIL: usize = 40;

/// What the proxy has counted for an environment; `None` where it does not answer: counting is no reason to fail.
pub(crate) async fn counts(platform: &Platform, environment: EnvironmentId) -> Option<Counts> {
    platform.proxy.counts(&routes::key(environment)).await.ok()
}

/// Begins to watch what a deployment brought live, within the transaction that does so. Without what was counted
/// before, requests are not judged: all there ever were would seem to belong to this release.
pub(crate) async fn begin(
    conn: &mut PgConnection,
    platform: &Platform,
    deployment: &DeploymentRow,
    previous_release: Option<ReleaseId>,
    before: Option<Counts>,
) -> sqlx::Result<()> {
    let new = NewWatch {
        deployment: deployment.id,
        team: deployment.team_id,
        environment: deployment.environment_id,
        previous_release,
        baseline: &serde_json::to_value(before).unwrap_or_default(),
        seconds: platform.settings.watch.as_secs_f64(),
    };
    store::watches::insert(conn, &new).await
}

/// Watches until it is told to stop.
pub async fn run(platform: Arc<Platform>, stop: CancellationToken) {
    loop {
        let pause = match once(&platform).await {
            Ok(0) => IDLE,
            Ok(_) => LOOK,
            Err(error) => {
                tracing::warn!(%error, "new releases could not be looked at");
                IDLE
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// One look at everything that is watched; how many there are.
async fn once(platform: &Platform) -> Result<usize> {
    let mut conn = platform.pool.acquire().await?;
    let open = store::watches::open(&mut conn).await?;
    drop(conn);
    for watch in &open {
        if let Err(error) = look(platform, watch).await {
            tracing::warn!(deployment = %watch.deployment_id, %error, "a new release could not be looked at");
        }
    }
    Ok(open.len())
}

async fn look(platform: &Platform, watch: &WatchRow) -> Result<()> {
    let now = OffsetDateTime::now_utc();
    let mut conn = platform.pool.acquire().await?;
    let Some(environment) = store::environments::by_id(&mut conn, watch.team_id, watch.environment_id).await? else {
        return Ok(());
    };
    let release = store::releases::of_deployment(&mut conn, watch.team_id, watch.deployment_id).await?;
    let team = [watch.team_id];
    let Some(deployment) = store::deployments::by_id(&mut conn, &team, watch.deployment_id).await? else {
        return Ok(());
    };
    drop(conn);

    let baseline: Option<Counts> = serde_json::from_value(watch.baseline.clone()).unwrap_or_default();
    let counted = counts(platform, watch.environment_id).await;
    let since = counted.zip(baseline).map_or_else(Counts::default, |(counted, baseline)| counted - baseline);
    let baseline = baseline.unwrap_or_default();
    let current = release.filter(|release| environment.current_release == Some(release.id));
    let Some(current) = current else { return end(platform, &deployment, Some("replaced")).await };

    let drained = now >= watch.began_at + platform.settings.drain + AFTER_DRAIN;
    if !drained {
        let failed = i64::try_from(since.unanswered).unwrap_or(i64::MAX);
        let mut tx = platform.pool.begin().await?;
        if store::watches::set_failed(&mut tx, watch.deployment_id, failed).await? {
            tell(&mut tx, &deployment).await?;
        }
        tx.commit().await?;
    }
    if watch.verdict.is_none() {
        if now >= watch.until {
            return if drained { end(platform, &deployment, Some("well")).await } else { Ok(()) };
        }
        let seen = seen(platform, &current.plan.0).await?;
        if let Some(trouble) = trouble(&seen, since, baseline) {
            return give_way(platform, watch, &deployment, &current, &trouble).await;
        }
        Ok(())
    } else if drained {
        end(platform, &deployment, None).await
    } else {
        Ok(())
    }
}

/// A container that could end by itself.
struct Seen {
    service: String,
    name: String,
    restarts: u32,
    oom_killed: bool,
}

/// How the containers of a release are; one that is missing is the reconciler's matter.
async fn seen(platform: &Platform, release: &ReleasePlan) -> Result<Vec<Seen>> {
    let mut seen = vec![];
    for container in release.containers.iter().filter(|c| !c.stateful) {
        if let Some(state) = machine::find(platform, release, container).await? {
            seen.push(Seen {
                service: container.service.to_string(),
                name: state.name,
                restarts: state.restart_count,
                oom_killed: state.oom_killed,
            });
        }
    }
    Ok(seen)
}

/// What is wrong with a release.
struct Trouble {
    words: String,
    /// The container that ended by itself.
    container: Option<String>,
}

/// Judges a release by what was seen of it since its switch. Pure.
fn trouble(seen: &[Seen], since: Counts, before: Counts) -> Option<Trouble> {
    if let Some(ill) = seen.iter().find(|container| container.restarts >= CRASHES) {
        let how = if ill.oom_killed { "used more memory than allowed and was ended" } else { "ended by itself" };
        let words = format!("{} {how}, {} times since its start", ill.service, ill.restarts);
        return Some(Trouble { words, container: Some(ill.name.clone()) });
    }
    let (now, then) = (since.error_share(), before.error_share());
    if since.total >= FEWEST_ANSWERS && now >= ERRORS && now >= TIMES_BEFORE * then {
        let words = format!(
            "{:.0} % of {} answers since it went live were server errors, {:.0} % before",
            now * 100.0,
            since.total,
            then * 100.0
        );
        return Some(Trouble { words, container: None });
    }
    None
}

/// Puts the release before back in its place, where there is one and nothing else is under way already.
async fn give_way(
    platform: &Platform,
    watch: &WatchRow,
    deployment: &DeploymentRow,
    current: &ReleaseRow,
    trouble: &Trouble,
) -> Result<()> {
    // A rollback that is unwell too does not lead to another one: the two would take turns.
    let back = watch.previous_release.filter(|_| deployment.from_release.is_none());
    let mut tx = platform.pool.begin().await?;
    // In the order in which a transfer takes them.
    store::environments::lock_of_site(&mut tx, watch.team_id, deployment.site_id).await?;
    if store::watches::hold(&mut tx, deployment.id).await?.is_none() {
        return Ok(());
    }
    // Whatever was asked for meanwhile replaces this release anyway.
    if store::queue::is_busy(&mut tx, watch.team_id, watch.environment_id).await? {
        return Ok(());
    }
    let back = match back {
        Some(id) => store::releases::by_id(&mut tx, watch.team_id, id).await?,
        None => None,
    };
    let words = &trouble.words;
    let said = if let Some(back) = back {
        let reason = format!("Deployment #{} was rolled back by itself: {words}.", deployment.number);
        let earlier = store::deployments::by_id(&mut tx, &[watch.team_id], back.deployment_id).await?;
        let earlier = earlier.as_ref();
        deployments::enqueue(
            &mut tx,
            &Queued {
                team: watch.team_id,
                site: deployment.site_id,
                environment: watch.environment_id,
                trigger: Trigger::AutoRollback,
                triggered_by: None,
                branch: earlier.and_then(|d| d.branch.as_deref()),
                commit: earlier.and_then(|d| d.commit_sha.as_deref()),
                message: earlier.and_then(|d| d.commit_message.as_deref()),
                author: earlier.and_then(|d| d.commit_author.as_deref()),
                from_release: Some(back.id),
                // With those it was well with: new ones may be what is wrong.
                variables: Some(back.variables_version),
                reason: Some(&reason),
            },
        )
        .await?;
        store::watches::judge(&mut tx, deployment.id, "rolled_back", Some(words)).await?;
        format!("Not well after all: {words}. The release before is put back in its place.")
    } else {
        store::watches::judge(&mut tx, deployment.id, "unwell", Some(words)).await?;
        format!("Not well after all: {words}. There is no release to go back to.")
    };
    tell(&mut tx, deployment).await?;
    tx.commit().await?;
    platform.wake.notify_one();
    tracing::warn!(deployment = %deployment.id, reason = %words, "a new release is not well");
    write_down(platform, deployment, current, &said, trouble.container.as_deref()).await
}

/// Adds what was seen to the deployment's log, with the last lines of the container that ended.
async fn write_down(
    platform: &Platform,
    deployment: &DeploymentRow,
    current: &ReleaseRow,
    said: &str,
    container: Option<&str>,
) -> Result<()> {
    let mut conn = platform.pool.acquire().await?;
    let environment = store::environments::by_id(&mut conn, current.team_id, current.environment_id)
        .await?
        .context("an environment is gone")?;
    let secrets =
        secrets::EnvironmentSecrets::open(platform, &mut conn, &environment, current.variables_version).await?;
    let (team, site) = (deployment.team_id, deployment.site_id);
    let row = store::sites::by_id(&mut conn, &[team], site).await?.context("a site is gone")?;
    drop(conn);
    let redactor = Redactor::for_site(platform, &row, &secrets)?;
    let limits = &platform.settings.limits;
    let log = LogSink::open(platform.pool.clone(), team, site, deployment.id, redactor, limits);
    log.say(said).await;
    if let Some(name) = container {
        for line in platform.engine.logs_tail(name, TAIL).await.unwrap_or_default() {
            let stream = if line.stream == Stream::Stderr { Stream::Stderr } else { Stream::Stdout };
            log.line(stream, &line.text).await;
        }
    }
    log.flush().await;
    Ok(())
}

async fn end(platform: &Platform, deployment: &DeploymentRow, verdict: Option<&str>) -> Result<()> {
    let mut tx = platform.pool.begin().await?;
    if let Some(verdict) = verdict {
        store::watches::judge(&mut tx, deployment.id, verdict, None).await?;
    }
    store::watches::end(&mut tx, deployment.id).await?;
    tell(&mut tx, deployment).await?;
    tx.commit().await?;
    Ok(())
}

/// Those who look at the deployment read it again.
async fn tell(conn: &mut PgConnection, deployment: &DeploymentRow) -> sqlx::Result<()> {
    let event = Event::Deployment {
        id: deployment.id,
        site_id: deployment.site_id,
        status: Status::Live,
        step: Some(model::deployment::Step::Drain),
    };
    store::events::insert(conn, deployment.team_id, &event).await?;
    Ok(())
}

/// As people see it.
pub(crate) fn view(row: WatchRow) -> WatchView {
    WatchView {
        verdict: match row.verdict.as_deref() {
            None => Verdict::Watching,
            Some("well") => Verdict::Well,
            Some("rolled_back") => Verdict::RolledBack,
            Some("replaced") => Verdict::Replaced,
            Some(_) => Verdict::Unwell,
        },
        reason: row.reason,
        until: row.until,
        failed_requests: row.failed_requests,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn www(restarts: u32) -> [Seen; 1] {
        [Seen { service: "www".into(), name: "acme-shop-www".into(), restarts, oom_killed: false }]
    }
    fn counts(total: u64, server_errors: u64) -> Counts {
        Counts { total, server_errors, unanswered: 0 }
    }

    #[test]
    fn a_service_that_ends_again_and_again_is_trouble() {
        assert!(trouble(&www(2), Counts::default(), Counts::default()).is_none());
        let found = trouble(&www(3), Counts::default(), Counts::default()).unwrap();
        assert!(found.words.starts_with("www ended by itself, 3 times"), "{}", found.words);
    }

    #[test]
    fn server_errors_are_trouble_if_they_are_many_and_were_not_before() {
        let found = |since, before| trouble(&[], since, before).is_some();
        assert!(found(counts(100, 30), counts(1000, 10)));
        assert!(!found(counts(100, 20), counts(1000, 10)), "few");
        assert!(!found(counts(19, 19), counts(1000, 0)), "hardly any answers");
        assert!(!found(counts(100, 30), counts(1000, 200)), "it was as bad before");
        assert!(found(counts(100, 30), counts(0, 0)), "nothing known of before");
    }
}

//! Waits until every container of the new release is well, or tells why it is not.

use super::{Run, Stop};
use crate::plan;
use docker::{ContainerState, Health};
use model::{
    deployment::{FailureCode, Stream},
    plan::{ContainerPlan, ReleasePlan},
};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

/// So many restarts by the engine are a crash loop; a service may miss its database once.
const CRASHES: u32 = 3;
/// Lines shown of a service that failed.
const TAIL: usize = 40;
/// Between two looks; health checks have intervals of their own.
const LOOK: Duration = Duration::from_millis(100);

pub(super) async fn run(run: &Run, plan: &ReleasePlan) -> Result<(), Stop> {
    let host = plan.told_host();
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .map_err(Stop::internal)?;
    let end = Instant::now() + run.platform.settings.deadlines.verify;
    // What keeps data first: the others may need it to be well.
    let (stateful, others): (Vec<_>, Vec<_>) = plan.containers.iter().partition(|c| c.stateful);
    for container in stateful {
        one(run, plan, container, end, host, &client).await?;
    }
    let checks = others.into_iter().map(|container| one(run, plan, container, end, host, &client));
    futures::future::try_join_all(checks).await?;
    Ok(())
}

async fn one(
    run: &Run,
    plan: &ReleasePlan,
    container: &ContainerPlan,
    end: Instant,
    host: &str,
    client: &reqwest::Client,
) -> Result<(), Stop> {
    let health = &container.spec.health;
    let begun = Instant::now();
    let deadline = end.min(begun + Duration::from_millis(health.start_period_ms));
    let left = || deadline.saturating_duration_since(Instant::now());
    let name = plan::overlap_name(container, plan.deployment);
    let mut last;
    loop {
        let state = run.platform.engine.inspect(&name).await?;
        let Some(state) = state else {
            return Err(fault(
                run,
                container,
                &name,
                FailureCode::StartFailed,
                "Its container was removed by somebody.",
            )
            .await);
        };
        if let Some((code, words)) = crashed(container, &state) {
            return Err(fault(run, container, &name, code, &words).await);
        }
        if state.running {
            match check(container, &state, left(), host, client).await {
                Ok(()) => {
                    let took = begun.elapsed().as_secs_f64();
                    run.log.say(format!("{}: well after {took:.1} s", container.service)).await;
                    return Ok(());
                }
                Err(why) => last = why,
            }
        } else {
            last = (FailureCode::CrashLoop, "it does not run".to_owned());
        }
        if left().is_zero() {
            let (code, why) = last;
            let words = format!("Not well after {} s: {why}.", (deadline - begun).as_secs());
            return Err(fault(run, container, &name, code, &words).await);
        }
        tokio::time::sleep(LOOK.max(Duration::from_millis(health.interval_ms / 4)).min(left())).await;
    }
}

fn crashed(container: &ContainerPlan, state: &ContainerState) -> Option<(FailureCode, String)> {
    if state.oom_killed {
        let megabytes = container.spec.memory_bytes / (1024 * 1024);
        return Some((
            FailureCode::OutOfMemory,
            format!("It used more than its {megabytes} MB of memory and was ended."),
        ));
    }
    let ended = !state.running && !state.restarting && state.exit_code.is_some();
    if state.restart_count >= CRASHES || ended {
        let code = state.exit_code.map_or_else(String::new, |code| format!(" with exit code {code}"));
        return Some((
            FailureCode::CrashLoop,
            format!("It ended by itself{code}, {} times.", state.restart_count.max(1)),
        ));
    }
    None
}

type Ill = (FailureCode, String);

async fn check(
    container: &ContainerPlan,
    state: &ContainerState,
    left: Duration,
    host: &str,
    client: &reqwest::Client,
) -> Result<(), Ill> {
    let health = &container.spec.health;
    let patience = Duration::from_millis(health.timeout_ms).min(left.max(LOOK));
    let target = (container.address, container.spec.port);
    if health.command.is_some() {
        return match state.health {
            Some(Health::Healthy) => Ok(()),
            Some(Health::Slow) => {
                let most = Duration::from_millis(health.timeout_ms).as_secs_f64();
                Err((FailureCode::HealthCheckSlow, format!("its health command does not end within {most} s")))
            }
            Some(Health::Starting) => {
                Err((FailureCode::HealthCheckSlow, "its health command has not ended yet".into()))
            }
            Some(Health::Unhealthy) | None => {
                Err((FailureCode::HealthCheckFailed, "its health command does not succeed".into()))
            }
        };
    }
    match tokio::time::timeout(patience, TcpStream::connect(target)).await {
        Ok(Ok(_)) => {}
        Ok(Err(_)) | Err(_) => {
            return Err((FailureCode::NotListening, format!("nothing listens on port {}", container.spec.port)));
        }
    }
    let Some(path) = &health.path else { return Ok(()) };
    let url = format!("http://{}:{}{path}", container.address, container.spec.port);
    let request = client.get(&url).header(http::header::HOST, host).timeout(patience);
    match request.send().await {
        Ok(answer) if answer.status().as_u16() < 400 => Ok(()),
        Ok(answer) => Err((FailureCode::HealthCheckFailed, format!("{path} answers {}", answer.status()))),
        Err(e) if e.is_timeout() => Err((
            FailureCode::HealthCheckSlow,
            format!("{path} does not answer within {:.1} s", patience.as_secs_f64()),
        )),
        Err(_) => Err((FailureCode::HealthCheckFailed, format!("{path} gives no HTTP answer"))),
    }
}

/// The failure, with the service's last lines in the log.
async fn fault(run: &Run, container: &ContainerPlan, name: &str, code: FailureCode, words: &str) -> Stop {
    let service = &container.service;
    if let Ok(lines) = run.platform.engine.logs_tail(name, TAIL).await {
        if lines.is_empty() {
            run.log.say(format!("{service}: it printed nothing")).await;
        } else {
            run.log.say(format!("{service}: its last lines:")).await;
            for line in lines {
                let stream = if line.stream == Stream::Stderr { Stream::Stderr } else { Stream::Stdout };
                run.log.line(stream, &line.text).await;
            }
        }
    }
    Stop::service(code, service, words)
}

//! `/health`, `/ready` and `/metrics`.

use crate::{auth, problem::ApiProblem, state::AppState};
use axum::{
    Json,
    extract::{ConnectInfo, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use model::{FieldError, Problem};
use platform::{Platform, api_tokens};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

/// A part that takes longer to answer does not answer.
const LIMIT: Duration = Duration::from_secs(3);

/// The part that is started by another.
const PROXY: &str = "proxy";
/// What is being started answers within this …
const PATIENCE: Duration = Duration::from_secs(15);
/// … and is asked so often.
const PAUSE: Duration = Duration::from_millis(100);

/// The process lives.
pub async fn health() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

/// Database, Docker and proxy answer; else 503 with which of them does not.
pub async fn ready(State(state): State<AppState>) -> Result<Json<Value>, ApiProblem> {
    let missing = missing(&state.platform).await;
    if missing.is_empty() && !state.stopping.is_cancelled() {
        return Ok(Json(json!({"status": "ready"})));
    }
    let names: Vec<&str> = missing.iter().map(|part| part.field.as_str()).collect();
    let detail = if missing.is_empty() {
        "WebMeteor is stopping.".to_owned()
    } else {
        format!("No answer from: {}. Run `webmeteor doctor` on the machine.", names.join(", "))
    };
    let mut problem = Problem::new(503, "not_ready", detail);
    problem.errors = missing;
    Err(problem.into())
}

/// The parts that do not answer, by name: `database`, `docker`, `proxy`.
pub async fn missing(platform: &Platform) -> Vec<FieldError> {
    let database =
        async { sqlx::query("select 1").execute(&platform.pool).await.map(|_| ()).map_err(|e| e.to_string()) };
    let docker = async { platform.engine.ping().await.map_err(|e| e.to_string()) };
    let proxy = async { platform.proxy.ping().await.map_err(|e| e.to_string()) };
    let (database, docker, proxy) =
        tokio::join!(check("database", database), check("docker", docker), check(PROXY, proxy));
    [database, docker, proxy].into_iter().flatten().collect()
}

/// Waits a while for the proxy, which is being started by an engine that answers; what does not answer even then.
pub async fn wait(platform: &Platform) -> Vec<FieldError> {
    let begun = Instant::now();
    loop {
        let missing = missing(platform).await;
        let is_only_the_proxy = matches!(&missing[..], [part] if part.field == PROXY);
        if !is_only_the_proxy || begun.elapsed() >= PATIENCE {
            return missing;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn check(name: &str, answer: impl Future<Output = Result<(), String>>) -> Option<FieldError> {
    let answer = tokio::time::timeout(LIMIT, answer).await;
    let message = match answer {
        Ok(Ok(())) => return None,
        Ok(Err(message)) => message,
        Err(_) => format!("no answer within {} s", LIMIT.as_secs()),
    };
    tracing::debug!(part = name, message, "not ready");
    Some(FieldError { field: name.to_owned(), code: "unavailable".to_owned(), message })
}

/// Prometheus' text, for readers on this machine and those with a token that is for it.
pub async fn metrics(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Result<Response, ApiProblem> {
    // Behind a gateway on this machine every visitor comes from the loopback; a gateway says whom it speaks for.
    let forwarded = ["forwarded", "x-forwarded-for", "x-real-ip"].iter().any(|name| headers.contains_key(*name));
    let is_local = peer.ip().to_canonical().is_loopback() && !forwarded;
    let may_read = match auth::bearer(&headers) {
        _ if is_local => true,
        Some(token) => api_tokens::may_read_metrics(&state.platform, token).await?,
        None => false,
    };
    if !may_read {
        return Err(crate::problem::not_found().await);
    }
    crate::metrics::measure(&state.platform).await?;
    let text = state.metrics.render();
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}

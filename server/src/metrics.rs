//! What is measured: requests as they come, memory and deployments when somebody looks.

use axum::{
    extract::{MatchedPath, Request},
    middleware::Next,
    response::Response,
};
use metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use model::deployment::Status;
use platform::Platform;
use std::{collections::HashMap, time::Instant};

/// Seconds that tell a quick answer from a slow one.
const BUCKETS: &[f64] = &[0.005, 0.025, 0.1, 0.3, 1.0, 3.0, 10.0];

/// Begins to measure.
///
/// # Errors
/// Only if the buckets are none.
pub fn start() -> Result<PrometheusHandle, BuildError> {
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), BUCKETS)?
        .build_recorder();
    let handle = recorder.handle();
    // A second one in the same process (tests) measures nothing.
    let _ = metrics::set_global_recorder(recorder);
    Ok(handle)
}

/// Counts a request and its time, by the route's pattern and never by its path: a path may be anything.
pub async fn count(request: Request, next: Next) -> Response {
    let began = Instant::now();
    let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let method = request.method().as_str().to_owned();
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    histogram!("webmeteor_http_request_seconds", "route" => route.clone()).record(began.elapsed());
    counter!("webmeteor_http_requests_total", "method" => method, "route" => route, "status" => status).increment(1);
    response
}

/// Brings the gauges up to date.
///
/// # Errors
/// If the database does not answer.
pub async fn measure(platform: &Platform) -> platform::Result<()> {
    let mut conn = platform.pool.acquire().await?;
    let counts: HashMap<String, i64> = store::deployments::count_by_status(&mut conn).await?.into_iter().collect();
    for status in Status::ALL.iter().map(|status| status.as_str()) {
        // A state that nothing is in any more goes back to 0.
        gauge!("webmeteor_deployments", "status" => status)
            .set(as_f64(counts.get(status).copied().unwrap_or_default()));
    }
    gauge!("webmeteor_database_connections").set(f64::from(platform.pool.size()));
    gauge!("process_resident_memory_bytes").set(as_f64(resident_bytes().unwrap_or_default()));
    Ok(())
}

/// Resident memory of this process, from `/proc` (proc(5), `VmRSS`).
pub fn resident_bytes() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<i64>().ok().map(|kb| kb * 1024)
}

#[expect(clippy::cast_precision_loss, reason = "gauges are floating-point numbers")]
fn as_f64(number: i64) -> f64 {
    number as f64
}

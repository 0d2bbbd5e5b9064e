//! Health, readiness and metrics.

use crate::support::{App, json};
use reqwest::Method;

#[tokio::test]
async fn without_docker_it_lives_and_is_not_ready_and_says_why() {
    let app = App::start_without_docker().await;
    assert_eq!(app.get("/health", None).await.0, 200);
    let response = app.send(Method::GET, "/ready", None, None).await;
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    assert!(response.headers().contains_key("retry-after"));
    let (status, problem) = json(response).await;
    assert_eq!(status, 503);
    let missing: Vec<&str> =
        problem["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect();
    assert_eq!(missing, ["docker", "proxy"], "{problem}");
}

#[tokio::test]
async fn metrics_are_for_this_machine_alone() {
    let app = App::start_without_docker().await;
    let (status, text) = app.get("/metrics", None).await;
    let text = text.as_str().unwrap();
    assert_eq!(status, 200);
    for name in ["process_resident_memory_bytes", "webmeteor_http_requests_total"] {
        assert!(text.contains(name), "{text}");
    }
    let forwarded = app.client.get(format!("{}/metrics", app.url)).header("x-forwarded-for", "203.0.113.9");
    assert_eq!(forwarded.send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn every_answer_has_an_id_and_forbids_framing() {
    let app = App::start_without_docker().await;
    let response = app.send(Method::GET, "/health", None, None).await;
    let headers = response.headers();
    assert!(headers.contains_key("x-request-id"));
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert!(headers["content-security-policy"].to_str().unwrap().contains("frame-ancestors 'none'"));
}

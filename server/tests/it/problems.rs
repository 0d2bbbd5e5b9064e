//! Bad input: every error of the API is a problem that says what to do.

use crate::support::{App, json};
use reqwest::Method;
use serde_json::Value;

async fn raw(app: &App, path: &str, content_type: &str, body: Vec<u8>) -> (u16, Value) {
    let request = app.client.post(format!("{}{path}", app.url)).header("content-type", content_type).body(body);
    json(request.send().await.unwrap()).await
}

#[tokio::test]
async fn bad_bodies_are_told_apart() {
    let app = App::start_without_docker().await;
    let path = "/api/v1/auth/token";
    let (status, problem) = raw(&app, path, "application/json", b"{\"email\": oops".to_vec()).await;
    assert_eq!((status, problem["code"].as_str()), (400, Some("bad_json")), "{problem}");
    let (status, problem) = raw(&app, path, "application/json", b"{\"email\": 7, \"password\": \"x\"}".to_vec()).await;
    assert_eq!((status, problem["errors"][0]["field"].as_str()), (422, Some("email")), "{problem}");
    let (status, problem) = raw(&app, path, "text/plain", b"{}".to_vec()).await;
    assert_eq!((status, problem["code"].as_str()), (415, Some("unsupported_media_type")), "{problem}");
    let (status, problem) = raw(&app, path, "application/json", vec![b' '; 1_100_000]).await;
    assert_eq!((status, problem["code"].as_str()), (413, Some("too_large")), "{problem}");
}

#[tokio::test]
async fn whoever_sends_thirty_megabytes_gets_the_answer_that_it_is_too_much() {
    let app = App::start_without_docker().await;
    let body = vec![b'x'; 30 * 1024 * 1024];
    let (status, problem) = raw(&app, "/api/v1/auth/token", "application/json", body).await;
    assert_eq!((status, problem["code"].as_str()), (413, Some("too_large")), "{problem}");
    assert_eq!(app.get("/health", None).await.0, 200);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    let app = App::start_without_docker().await;
    let response = app.send(Method::GET, "/api/v1/nothing", None, None).await;
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    assert_eq!(json(response).await.1["code"], "not_found");
    let response = app.send(Method::DELETE, "/api/v1/auth/token", None, None).await;
    assert!(response.headers().contains_key("allow"));
    let (status, problem) = json(response).await;
    assert_eq!((status, problem["code"].as_str()), (405, Some("method_not_allowed")));
    assert_eq!(app.get("/api/v1/me", None).await.0, 401);
}

#[tokio::test]
async fn another_site_cannot_post_with_our_cookie() {
    let app = App::start_without_docker().await;
    for (name, value) in
        [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "http://evil.localhost")]
    {
        let request = app.client.post(format!("{}/sign-in", app.url)).header(name, value);
        let (status, problem) = json(request.send().await.unwrap()).await;
        assert_eq!((status, problem["code"].as_str()), (403, Some("cross_site_request")), "{name}: {value}");
    }
}

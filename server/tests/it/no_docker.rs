//! A Docker Engine that does not answer: what was asked for ends with a reason, and everybody is told what to do.

use crate::support::{App, until};
use serde_json::json;
use std::fs;

#[tokio::test]
async fn a_deployment_is_tried_again_and_then_says_that_the_engine_does_not_answer_and_what_to_do() {
    let app = App::start_without_docker().await;
    let (token, _) = app.register("ada@example.org").await;
    let new = json!({"name": "Shop", "slug": "shop", "source": {"template": "static"}});
    let (status, made) = app.post("/api/v1/sites", Some(&token), &new).await;
    assert_eq!(status, 201, "{made}");
    let path = format!("/api/v1/deployments/{}", made["deployment_id"].as_str().unwrap());
    let pool = app.pool();
    let ended = until("the deployment's end", async || {
        // Its next try is seconds away, and each one further; here none is waited for.
        store::queue::retry_now(&mut pool.acquire().await.unwrap()).await.unwrap();
        let (_, shown) = app.get(&path, Some(&token)).await;
        (shown["status"] == "failed").then_some(shown)
    })
    .await;
    let error = &ended["error"];
    assert_eq!((&error["code"], &error["step"]), (&json!("engine_unavailable"), &json!("build")), "{ended:#}");
    assert!(error["message"].as_str().unwrap().contains("container engine does not answer"), "{ended:#}");
    assert!(error["remedy"].as_str().unwrap().contains("webmeteor doctor"), "{ended:#}");
    let (_, log) = app.get(&format!("{path}/log"), Some(&token)).await;
    let lines: Vec<&str> = log["items"].as_array().unwrap().iter().map(|line| line["text"].as_str().unwrap()).collect();
    for words in ["Next try, 2 of", "Failed: the container engine does not answer", "webmeteor doctor"] {
        assert!(lines.iter().any(|line| line.contains(words)), "{words} is missing: {lines:#?}");
    }
    assert_eq!(fs::read_dir(app.data().join("builds")).unwrap().count(), 0, "no checkout is left");
}

#[tokio::test]
async fn doctor_names_docker_and_ends_with_exit_code_1() {
    let app = App::start_without_docker().await;
    let output = app.setup.beside(&["doctor"]).output();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stdout);
    let docker = told.lines().find(|line| line.starts_with("FAIL  docker")).unwrap_or_else(|| panic!("{told}"));
    assert!(docker.contains("start Docker, or name it in DOCKER_HOST"), "{docker}");
    assert!(told.lines().any(|line| line.starts_with("ok    postgresql")), "the rest is looked at too: {told}");
}

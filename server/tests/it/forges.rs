//! What a forge is told of a commit, by the whole platform, and who learns the token.

use crate::{
    pipeline::Site,
    remote::{Forge, Manners, commit},
    support::{Setup, until},
};
use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    routing::post,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use forge::hosted;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

const TOKEN: &str = "t0ken-of-ada-0123456789";

type Sent = Arc<Mutex<Vec<(String, Value)>>>;

/// GitHub's API for statuses of the repository `ada/site`: its address, and what it is sent for which commit.
async fn api() -> (String, Sent) {
    let sent = Sent::default();
    let take =
        async |State(sent): State<Sent>, Path(commit): Path<String>, headers: HeaderMap, Json(body): Json<Value>| {
            if headers["authorization"] != format!("Bearer {TOKEN}") {
                return (StatusCode::UNAUTHORIZED, Json(json!({"message": "Bad credentials"})));
            }
            sent.lock().unwrap().push((commit, body));
            (StatusCode::CREATED, Json(json!({})))
        };
    let router = Router::new().route("/api/v3/repos/ada/site/statuses/{commit}", post(take)).with_state(sent.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/api/v3", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (base, sent)
}

#[tokio::test]
async fn a_commit_is_pending_and_then_well_and_no_log_has_the_token() {
    let authorization = Some(format!("Basic {}", STANDARD.encode(format!("oauth2:{TOKEN}"))));
    let forge = Forge::start(Manners { authorization, ..Manners::default() }).await;
    let repository = forge.at("ada/site.git");
    hosted::create_empty(&repository).await.unwrap();
    let pushed = commit(&repository, "main", &[("index.html", "one")]).await;
    let (api, sent) = api().await;
    let setup = Setup::new().await.set("GITHUB_URL", &forge.base).set("GITHUB_API_URL", &api).set("LOG", "trace");
    let url = format!("{}/ada/site.git", forge.base);
    let (site, made) = Site::begin(setup, &json!({"git": {"url": url, "token": TOKEN}})).await;
    let id = made["deployment_id"].as_str().unwrap();
    assert_eq!(site.ended(id).await["status"], "live");
    let told = until("the forge is told that it is live", async || {
        let told = sent.lock().unwrap().clone();
        told.last().is_some_and(|(_, body)| body["state"] == "success").then_some(told)
    })
    .await;
    let link = format!("{}/deployments/{id}", site.app.url);
    for (commit, body) in &told {
        assert_eq!(*commit, pushed.to_string());
        assert_eq!((&body["context"], &body["target_url"]), (&json!("webmeteor/production"), &json!(link)));
    }
    assert_eq!(told[0].1["state"], "pending");
    assert!(site.app.log().contains("TRACE"), "the platform tells all it can");
    assert!(!site.app.log().contains(TOKEN));
}

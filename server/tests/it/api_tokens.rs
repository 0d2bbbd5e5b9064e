//! API tokens, over REST, at the metrics, and as the password of Git.

use crate::support::{App, Setup, json};
use reqwest::Method;
use serde_json::{Value, json};
use std::process::{Command, Output};

async fn start() -> App {
    Setup::new().await.without_docker().arguments(&["serve", "--roles", "web"]).start().await
}

async fn make(app: &App, caller: &str, body: Value) -> String {
    let (status, made) = app.post("/api/v1/tokens", Some(caller), &body).await;
    assert_eq!(status, 201, "{made}");
    made["token"].as_str().unwrap().to_owned()
}

async fn site(app: &App, caller: &str) -> Value {
    let body = json!({"name": "Shop", "slug": "shop", "source": {"template": "static"}});
    let (status, site) = app.post("/api/v1/sites", Some(caller), &body).await;
    assert_eq!(status, 201, "{site}");
    site
}

#[tokio::test]
async fn a_token_is_made_used_listed_and_removed() {
    let app = start().await;
    let (caller, _) = app.register("ada@example.org").await;
    let site = site(&app, &caller).await;
    let path = format!("/api/v1/sites/{}", site["id"].as_str().unwrap());
    let token = make(&app, &caller, json!({"name": "CI", "scopes": ["sites:read"]})).await;
    assert_eq!(app.get(&path, Some(&token)).await.0, 200);
    let (status, refused) = app.post(&format!("{path}/deployments"), Some(&token), &json!({})).await;
    assert_eq!((status, &refused["code"]), (403, &json!("insufficient_scope")), "{refused}");
    let (status, refused) = app.get("/api/v1/tokens", Some(&token)).await;
    assert_eq!((status, &refused["code"]), (403, &json!("token_not_allowed")), "{refused}");

    let (_, listed) = app.get("/api/v1/tokens", Some(&caller)).await;
    let [of_ci] = &listed["items"].as_array().unwrap()[..] else { panic!("{listed}") };
    assert_eq!((&of_ci["name"], &of_ci["scopes"]), (&json!("CI"), &json!(["sites:read"])));
    assert!(of_ci["last_used_at"].is_string() && !listed.to_string().contains(&token), "{listed}");
    let own = format!("/api/v1/tokens/{}", of_ci["id"].as_str().unwrap());
    assert_eq!(app.send(Method::DELETE, &own, Some(&caller), None).await.status(), 204);
    let (status, refused) = app.get(&path, Some(&token)).await;
    assert_eq!((status, &refused["code"]), (401, &json!("invalid_token")));
}

#[tokio::test]
async fn a_body_that_makes_no_sense_is_told_apart() {
    let app = start().await;
    let (caller, _) = app.register("ada@example.org").await;
    for body in [
        json!({}),
        json!({"name": 1, "scopes": ["deploy"]}),
        json!({"name": "x", "scopes": "deploy"}),
        json!({"name": "x", "scopes": ["deploy"], "expires_at": "soon"}),
        json!({"name": "x", "scopes": ["deploy"], "is_admin": true}),
        json!({"name": "<script>", "scopes": ["nothing"]}),
        json!({"name": "x", "scopes": ["deploy"], "expires_at": "2001-01-01T00:00:00Z"}),
    ] {
        let (status, refused) = app.post("/api/v1/tokens", Some(&caller), &body).await;
        assert!(matches!(status, 400 | 422) && refused["detail"].is_string(), "{body}: {status} {refused}");
    }
    assert_eq!(app.get("/api/v1/tokens", Some(&caller)).await.1["items"], json!([]));
    assert_eq!(app.post("/api/v1/tokens", None, &json!({"name": "x", "scopes": ["deploy"]})).await.0, 401);
}

#[tokio::test]
async fn metrics_are_read_from_elsewhere_with_a_token_for_them() {
    let app = start().await;
    let (caller, _) = app.register("ada@example.org").await;
    let read = async |token: &str| {
        let request = app.client.get(format!("{}/metrics", app.url)).header("x-forwarded-for", "203.0.113.9");
        request.bearer_auth(token).send().await.unwrap().status().as_u16()
    };
    sqlx::query("update users set is_admin = true").execute(&app.pool()).await.unwrap();
    let metrics = make(&app, &caller, json!({"name": "Prometheus", "scopes": ["metrics"]})).await;
    let other = make(&app, &caller, json!({"name": "CI", "scopes": ["deploy"]})).await;
    assert_eq!((read(&metrics).await, read(&other).await, read(&caller).await), (200, 404, 404));
    sqlx::query("update users set is_admin = false").execute(&app.pool()).await.unwrap();
    assert_eq!(read(&metrics).await, 404);
}

#[tokio::test]
async fn git_takes_a_token_for_a_password_and_keeps_to_its_scopes() {
    let app = start().await;
    let (caller, _) = app.register("ada@example.org").await;
    let site = site(&app, &caller).await;
    let folder = tempfile::tempdir().unwrap();
    let git = |arguments: &[&str]| -> Output {
        let who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"];
        let mut git = Command::new("git");
        git.args(who).args(arguments).current_dir(folder.path());
        git.envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_TERMINAL_PROMPT", "0")]).output().unwrap()
    };
    let address = |token: &str| {
        let url = site["repository"]["clone_url"].as_str().unwrap();
        url.replacen("://", &format!("://ada:{token}@"), 1)
    };
    let read = make(&app, &caller, json!({"name": "Reader", "scopes": ["sites:read"]})).await;
    let push = make(&app, &caller, json!({"name": "Pusher", "scopes": ["deploy"], "site_id": site["id"]})).await;
    assert!(git(&["clone", "--quiet", &address(&read), "."]).status.success());
    assert!(git(&["commit", "--quiet", "--allow-empty", "--message", "Change"]).status.success());
    let refused = git(&["push", &address(&read), "HEAD:main"]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && told.contains("scope “deploy”"), "{told}");
    // Nobody works here, so what it leads to is looked at and not waited for.
    assert!(git(&["push", &address(&push), "HEAD:refs/heads/other"]).status.success());
    let (_, deployments) = json(
        app.send(
            Method::GET,
            &format!("/api/v1/sites/{}/deployments", site["id"].as_str().unwrap()),
            Some(&push),
            None,
        )
        .await,
    )
    .await;
    assert_eq!(deployments["items"].as_array().unwrap().len(), 1, "{deployments}");
}

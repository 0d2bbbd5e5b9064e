//! A dump of a running platform's database opens nothing: no session, no token, no account.

use crate::{accounts::setup_token, support::Setup};
use serde_json::json;
use std::{path::PathBuf, process::Command};

#[path = "../../../crates/platform/src/dump/forms.rs"]
mod forms;

/// The newest `pg_dump` that is installed: one older than its server refuses.
fn pg_dump() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = versions.map(|it| it.path().join("bin/pg_dump")).filter(|it| it.is_file()).collect();
    found.sort();
    found.pop().unwrap_or_else(|| "pg_dump".into())
}

#[tokio::test]
async fn what_people_sign_in_with_is_in_no_dump() {
    let app = Setup::new().await.without_docker().arguments(&["serve", "--roles", "web"]).start().await;
    let setup = setup_token(&app).await;
    let (access, _) = app.register("ada@example.org").await;
    let body = json!({"email": "ada@example.org", "password": "tide lamp orbit 7"});
    let (_, pair) = app.post("/api/v1/auth/token", None, &body).await;
    let (_, next) = app.post("/api/v1/auth/refresh", None, &json!({"refresh_token": pair["refresh_token"]})).await;
    // By a form without scripts, which keeps the token until the next page has shown it.
    let form = [("email", "ada@example.org"), ("password", "tide lamp orbit 7")];
    let response = app.client.post(format!("{}/_fn/sign_in", app.url)).form(&form).send().await.unwrap();
    let cookie = response.headers()["set-cookie"].to_str().unwrap().to_owned();
    let cookie = cookie.split(';').next().unwrap().split_once('=').unwrap().1.to_owned();
    let form = [("name", "Pipeline"), ("scopes[0]", "deploy")];
    let made = app.client.post(format!("{}/_fn/create_token", app.url)).header("accept", "text/html").form(&form);
    assert!(made.send().await.unwrap().status().is_redirection());

    let output =
        Command::new(pg_dump()).args(["--inserts", "--dbname", app.setup.get("DATABASE_URL")]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let dump = String::from_utf8(output.stdout).unwrap();
    assert!(dump.contains("ada@example.org") && dump.contains("fresh_token"), "the dump is whole");
    let page =
        app.client.get(format!("{}/account/tokens", app.url)).header("accept", "text/html").send().await.unwrap();
    let page = page.text().await.unwrap();
    let at = page.find("wmt_").expect("the page shows the token");
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let key = std::fs::read_to_string(app.data().join("master.key")).unwrap();
    for (what, secret) in [
        ("set-up token", setup),
        ("password", "tide lamp orbit 7".to_owned()),
        ("session", cookie),
        ("access token", access),
        ("spent refresh token", text(&pair["refresh_token"])),
        ("refresh token", text(&next["refresh_token"])),
        ("API token", page[at..at + 68].to_owned()),
        ("master key", key),
    ] {
        assert_eq!(forms::found(&dump, &secret), None, "{what}");
    }
}

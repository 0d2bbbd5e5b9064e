//! `serve --demo`: what the person at the terminal is told, and that it stays true.

use crate::support::{App, Setup, json, until};
use serde_json::json;
use std::{fs, os::unix::fs::PermissionsExt};

const EMAIL: &str = "demo@webmeteor.localhost";

async fn start() -> App {
    Setup::new().await.without_docker().arguments(&["serve", "--demo"]).start().await
}

/// What the first, second … start of the program printed.
async fn block(app: &App, start: usize) -> String {
    until("the demo's block", async || {
        let log = app.log();
        let block = log.split("WebMeteor has started, but cannot deploy yet").nth(start)?;
        block.contains("Ctrl-C stops the platform").then(|| block.to_owned())
    })
    .await
}

/// What stands behind these words in a line of the block.
fn after<'a>(block: &'a str, words: &str) -> &'a str {
    let found = block.lines().find_map(|line| line.trim().strip_prefix(words));
    found.unwrap_or_else(|| panic!("no {words} in:\n{block}")).trim()
}

/// The password in `demo-credentials`.
fn password(app: &App) -> String {
    let text = fs::read_to_string(app.data().join("demo-credentials")).unwrap();
    let password = text.strip_prefix(&format!("email={EMAIL}\npassword=")).unwrap_or_else(|| panic!("{text}"));
    password.trim_end().to_owned()
}

/// An access token; the status where there is none.
async fn sign_in(app: &App, password: &str) -> Result<String, u16> {
    let (status, answer) = app.post("/api/v1/auth/token", None, &json!({"email": EMAIL, "password": password})).await;
    answer["access_token"].as_str().map(str::to_owned).ok_or(status)
}

#[tokio::test]
async fn one_block_says_where_it_is_how_to_sign_in_and_how_to_push() {
    let app = start().await;
    let block = block(&app, 1).await;
    let file = app.data().join("demo-credentials");
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{mode:o}");
    let password = password(&app);
    assert!(after(&block, "docker does not answer:").contains("there is no socket"), "{block}");
    assert_eq!(after(&block, "Dashboard"), app.url);
    assert_eq!(after(&block, "E-mail"), EMAIL);
    assert_eq!(after(&block, "Password"), format!("{password}   (also in {})", file.display()));

    let token = sign_in(&app, &password).await.unwrap();
    let (_, sites) = app.get("/api/v1/sites", Some(&token)).await;
    let site = sites["items"][0]["url"].as_str().unwrap();
    assert!(after(&block, "Site").starts_with(site), "{block}");
    assert!(site.starts_with("http://demo.localhost:"), "{site}");

    let clone = after(&block, "git clone").strip_suffix(" demo").unwrap();
    let push = after(&block, "cd demo && ");
    assert!(push.starts_with("git commit") && push.ends_with("&& git push"), "{push}");
    let request = app.client.get(format!("{clone}/info/refs?service=git-receive-pack"));
    let answer = request.basic_auth(EMAIL, Some(&password)).send().await.unwrap();
    assert_eq!(answer.status(), 200, "its user may push there");
}

#[tokio::test]
async fn a_second_start_has_the_same_password_and_the_same_site() {
    let mut app = start().await;
    block(&app, 1).await;
    let before = password(&app);
    assert!(app.stop().await.success());
    app.restart().await;
    let block = block(&app, 2).await;
    assert_eq!(password(&app), before);
    assert!(after(&block, "Password").starts_with(&before), "{block}");
    let token = sign_in(&app, &before).await.unwrap();
    let (_, sites) = app.get("/api/v1/sites", Some(&token)).await;
    assert_eq!(sites["items"].as_array().unwrap().len(), 1, "{sites:#}");
}

#[tokio::test]
async fn a_password_that_its_owner_changed_is_left_alone() {
    let mut app = start().await;
    block(&app, 1).await;
    let (first, own) = (password(&app), "tide lamp orbit 7");
    for (function, fields) in [
        ("sign_in", [("email", EMAIL), ("password", &first)]),
        ("change_password", [("current", &first), ("new", own)]),
    ] {
        let request = app.client.post(format!("{}/_fn/{function}", app.url)).form(&fields);
        let (status, answer) = json(request.send().await.unwrap()).await;
        assert_eq!(status, 200, "{function}: {answer}");
    }
    assert!(app.stop().await.success());
    app.restart().await;
    let block = block(&app, 2).await;
    assert_eq!(after(&block, "Password"), "the one you set");
    assert_eq!(sign_in(&app, &first).await, Err(401));
    let token = sign_in(&app, own).await.unwrap();
    assert_eq!(app.get("/api/v1/me", Some(&token)).await.1["is_admin"], true);
}

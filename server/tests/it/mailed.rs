//! What is done by mailed links, as people and programs do it.

use crate::support::{App, Setup, client, json, until};
use reqwest::{Method, Response, header};
use serde_json::{Value, json};
use std::{fs, path::Path};

const PASSWORD: &str = "tide lamp orbit 7";

/// A program whose mail lands in a folder.
async fn app() -> (App, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup::new().await.without_docker();
    let mail = format!("file:{}", folder.path().display());
    (setup.set("MAIL", mail).set("MAIL_FROM", "WebMeteor <no-reply@example.org>").start().await, folder)
}

fn account(email: &str) -> Value {
    json!({"email": email, "password": PASSWORD, "name": "Ada"})
}

/// The mails to this address, as text.
fn mails(folder: &Path, to: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths =
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|it| it == "eml"));
    let mut paths: Vec<_> = paths.collect();
    paths.sort();
    let read = |path| fs::read_to_string(path).unwrap().replace("=\r\n", "").replace("=3D", "=");
    paths.into_iter().map(read).filter(|text| text.contains(&format!("To: {to}\r\n"))).collect()
}

/// The link in the newest of at least so many mails to this address: the page and its token.
async fn link(folder: &Path, to: &str, at_least: usize) -> (String, String) {
    let text = until("a mail", async || {
        let found = mails(folder, to);
        (found.len() >= at_least).then(|| found.last().unwrap().clone())
    })
    .await;
    let line = text.lines().find(|line| line.contains("?token=")).expect(&text);
    let (page, token) = line.trim().split_once("?token=").unwrap();
    (format!("/{}", page.rsplit('/').next().unwrap()), token.to_owned())
}

async fn auth(app: &App, operation: &str, body: &Value) -> (u16, Value) {
    app.post(&format!("/api/v1/auth/{operation}"), None, body).await
}

/// A form as a browser without JavaScript posts it.
async fn post(app: &App, function: &str, referer: &str, fields: &[(&str, &str)]) -> Response {
    let request = client().post(format!("{}/_fn/{function}", app.url)).form(fields);
    let request = request.header(header::ACCEPT, "text/html").header(header::REFERER, format!("{}{referer}", app.url));
    request.send().await.unwrap()
}

fn location(response: &Response) -> &str {
    assert_eq!(response.status(), 302);
    response.headers()[header::LOCATION].to_str().unwrap()
}

async fn accounts(app: &App) -> i64 {
    sqlx::query_scalar("select count(*) from users").fetch_one(&app.pool()).await.unwrap()
}

#[tokio::test]
async fn an_account_is_made_by_the_button_behind_the_link_and_not_by_opening_it() {
    let (app, folder) = app().await;
    let sent = (202, json!({"status": "confirmation_sent"}));
    assert_eq!(auth(&app, "register", &account("ada@example.org")).await, sent);
    let (page, token) = link(folder.path(), "ada@example.org", 1).await;
    assert_eq!(page, "/confirm");
    let address = format!("{page}?token={token}");
    let request = client().get(format!("{}{address}", app.url)).header(header::ACCEPT, "text/html");
    let opened = request.send().await.unwrap();
    assert_eq!(opened.status(), 200);
    assert_eq!(opened.headers()[header::REFERRER_POLICY], "same-origin");
    assert_eq!(opened.headers()[header::CACHE_CONTROL], "no-store");
    assert!(opened.text().await.unwrap().contains("ada@example.org"));
    assert_eq!(accounts(&app).await, 0);
    assert_eq!(location(&post(&app, "confirm_link", &address, &[("token", &token)]).await), "/done/account-made");
    assert_eq!(accounts(&app).await, 1);
    let credentials = json!({"email": "ada@example.org", "password": PASSWORD});
    let (_, pair) = auth(&app, "token", &credentials).await;
    let (_, me) = app.get("/api/v1/me", pair["access_token"].as_str()).await;
    assert_eq!(me["email_verified"], json!(true));

    // Now that it has an account, the answer is the same, and so is the page.
    assert_eq!(auth(&app, "register", &account("ada@example.org")).await, sent);
    for email in ["ada@example.org", "new@example.org"] {
        let fields = [("name", "Ada"), ("email", email), ("password", PASSWORD)];
        assert_eq!(location(&post(&app, "sign_up", "/sign-up", &fields).await), "/done/registration-sent");
    }
    assert!(!app.log().contains(&token), "the log holds a token");
}

#[tokio::test]
async fn a_forgotten_password_is_set_by_page_and_by_request() {
    let (app, folder) = app().await;
    auth(&app, "register", &account("ada@example.org")).await;
    let (_, token) = link(folder.path(), "ada@example.org", 1).await;
    let (status, done) = auth(&app, "confirm", &json!({"token": token})).await;
    assert_eq!((status, &done["kind"]), (200, &json!("register")));

    let sent = (202, json!({"status": "reset_sent"}));
    for email in ["ada@example.org", "nobody@example.org", "no address"] {
        assert_eq!(auth(&app, "password-reset", &json!({"email": email})).await, sent, "{email}");
    }
    let (page, token) = link(folder.path(), "ada@example.org", 2).await;
    assert_eq!(page, "/reset");
    let address = format!("/reset?token={token}");
    let weak = post(&app, "reset_password", &address, &[("token", &token), ("password", "short")]).await;
    assert!(location(&weak).contains("/reset?"), "{}", location(&weak));
    let good = [("token", token.as_str()), ("password", "seven brass lamps")];
    assert_eq!(location(&post(&app, "reset_password", &address, &good).await), "/done/password-set");
    let again = json!({"token": token, "password": "another long one"});
    let (status, problem) = auth(&app, "password-reset/confirm", &again).await;
    assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("token")));
    let credentials = json!({"email": "ada@example.org", "password": "seven brass lamps"});
    assert_eq!(auth(&app, "token", &credentials).await.0, 200);
    assert!(mails(folder.path(), "nobody@example.org").is_empty());
}

#[tokio::test]
async fn without_a_mail_server_the_log_has_the_link_for_the_operator() {
    let app = App::start_without_docker().await;
    app.register("ada@example.org").await;
    auth(&app, "password-reset", &json!({"email": "ada@example.org"})).await;
    let token = until("the link in the log", async || {
        app.log().lines().find_map(|line| Some(line.split_once("/reset?token=")?.1.trim().to_owned()))
    })
    .await;
    let reset = json!({"token": &token[..64], "password": "seven brass lamps"});
    let response = app.send(Method::POST, "/api/v1/auth/password-reset/confirm", None, Some(&reset)).await;
    assert_eq!(response.status(), 204, "{:?}", json(response).await);
}

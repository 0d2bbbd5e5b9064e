//! Accounts over the API: registering, tokens, and who is refused.

use crate::support::{App, Setup, client, json, until};
use reqwest::{Client, Method, Response, header};
use serde_json::{Value, json};

const PASSWORD: &str = "tide lamp orbit 7";

fn ada() -> Value {
    json!({"email": "Ada@example.org", "password": PASSWORD, "name": "Ada"})
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// The one that the program printed.
pub async fn setup_token(app: &App) -> String {
    until("the set-up token is printed", async || {
        app.log().lines().map(str::trim).find(|line| line.len() == 64).map(str::to_owned)
    })
    .await
}

async fn auth(app: &App, operation: &str, body: &Value) -> (u16, Value) {
    app.post(&format!("/api/v1/auth/{operation}"), None, body).await
}

#[tokio::test]
async fn an_account_is_made_and_signed_in_with_one_request() {
    let app = App::start_without_docker().await;
    let response = app.send(Method::POST, "/api/v1/auth/register", None, Some(&ada())).await;
    assert_eq!(response.headers()["cache-control"], "no-store");
    let (status, made) = json(response).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!((&made["user"]["email"], &made["user"]["is_admin"]), (&json!("ada@example.org"), &json!(false)));
    assert_eq!((&made["team"]["slug"], &made["team"]["role"]), (&json!("ada"), &json!("owner")));
    assert_eq!(made["expires_in"], 900);
    assert!(made["user"].get("password_hash").is_none());

    let token = Some(text(&made["access_token"]));
    assert_eq!(app.get("/api/v1/me", token).await, (200, made["user"].clone()));
    assert_eq!(app.get("/api/v1/teams", token).await, (200, json!({"items": [made["team"]], "next_cursor": null})));
}

#[tokio::test]
async fn wrong_fields_and_a_taken_address_are_told() {
    let app = App::start_without_docker().await;
    let (status, problem) = auth(&app, "register", &json!({"email": "ada", "password": "short", "name": ""})).await;
    let fields: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|e| text(&e["field"])).collect();
    assert_eq!((status, fields), (422, vec!["email", "name", "password"]));
    assert_eq!(auth(&app, "register", &ada()).await.0, 201);
    let (status, problem) = auth(&app, "register", &ada()).await;
    assert_eq!((status, &problem["code"]), (409, &json!("email_taken")));
}

#[tokio::test]
async fn wrong_credentials_get_one_answer_whether_or_not_the_account_exists() {
    let app = App::start_without_docker().await;
    auth(&app, "register", &ada()).await;
    let right = json!({"email": "ada@example.org", "password": PASSWORD});
    assert_eq!(auth(&app, "token", &right).await.0, 200);
    let known = auth(&app, "token", &json!({"email": "ada@example.org", "password": "another long one"})).await;
    let unknown = auth(&app, "token", &json!({"email": "bob@example.org", "password": PASSWORD})).await;
    assert_eq!((known.0, &known.1["code"]), (401, &json!("bad_credentials")));
    assert_eq!(known, unknown);
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_signing_out_ends_it() {
    let app = App::start_without_docker().await;
    let (_, first) = auth(&app, "register", &ada()).await;
    let (status, second) = auth(&app, "refresh", &json!({"refresh_token": first["refresh_token"]})).await;
    assert_eq!(status, 200, "{second}");
    assert_eq!(app.get("/api/v1/me", Some(text(&second["access_token"]))).await.0, 200);
    assert_eq!(auth(&app, "logout", &json!({"refresh_token": second["refresh_token"]})).await.0, 204);
    assert_eq!(auth(&app, "logout", &json!({"refresh_token": "unknown"})).await.0, 204);
    let (status, problem) = auth(&app, "refresh", &json!({"refresh_token": second["refresh_token"]})).await;
    assert_eq!((status, &problem["code"]), (401, &json!("invalid_refresh_token")));
}

#[tokio::test]
async fn without_a_good_token_nothing_is_told() {
    let app = App::start_without_docker().await;
    let (_, made) = auth(&app, "register", &ada()).await;
    for path in ["/api/v1/me", "/api/v1/teams"] {
        let response = app.send(Method::GET, path, None, None).await;
        assert_eq!(response.headers()["www-authenticate"], "Bearer");
        let (status, problem) = json(response).await;
        assert_eq!((status, &problem["code"]), (401, &json!("unauthenticated")), "{path}");
        for token in ["garbage", text(&made["refresh_token"])] {
            let (status, problem) = app.get(path, Some(token)).await;
            assert_eq!((status, &problem["code"]), (401, &json!("invalid_token")), "{path}");
        }
    }
    sqlx::query("delete from users").execute(&app.pool()).await.unwrap();
    assert_eq!(app.get("/api/v1/me", Some(text(&made["access_token"]))).await.0, 401);
}

#[tokio::test]
async fn the_first_administrator_takes_the_printed_token_and_nobody_follows() {
    let app = Setup::new().await.without_docker().set("SIGNUP", "invite").start().await;
    let token = setup_token(&app).await;
    let (status, problem) = auth(&app, "register", &ada()).await;
    assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("setup_token")));
    let mut first = ada();
    first["setup_token"] = json!(token);
    let (status, made) = auth(&app, "register", &first).await;
    assert_eq!((status, &made["user"]["is_admin"]), (201, &json!(true)));
    let second = json!({"email": "bob@example.org", "password": PASSWORD, "name": "Bob", "setup_token": token});
    let (status, problem) = auth(&app, "register", &second).await;
    assert_eq!((status, &problem["code"]), (403, &json!("signup_closed")));
}

/// The sign-up form as a browser without JavaScript posts it.
async fn post_form(app: &App, browser: &Client, email: &str, setup_token: &str) -> Response {
    let page = format!("{}/sign-up", app.url);
    let fields = [("name", "Ada"), ("email", email), ("password", PASSWORD), ("setup_token", setup_token)];
    let request = browser.post(format!("{}/_fn/sign_up", app.url)).form(&fields);
    request.header(header::ACCEPT, "text/html").header(header::REFERER, page).send().await.unwrap()
}

fn location(response: &Response) -> &str {
    assert_eq!(response.status(), 302);
    response.headers()[header::LOCATION].to_str().unwrap()
}

async fn page(browser: &Client, address: &str) -> String {
    let answer = browser.get(address).header(header::ACCEPT, "text/html").send().await.unwrap();
    assert_eq!(answer.status(), 200, "{address}");
    answer.text().await.unwrap()
}

async fn accounts(app: &App) -> i64 {
    sqlx::query_scalar("select count(*) from users").fetch_one(&app.pool()).await.unwrap()
}

#[tokio::test]
async fn the_sign_up_page_takes_the_token_from_the_first_and_is_closed_to_all_others() {
    let app = Setup::new().await.without_docker().set("SIGNUP", "invite").start().await;
    let token = setup_token(&app).await;
    let address = format!("{}/sign-up", app.url);
    let (asks, closed) = (r#"name="setup_token""#, "By invitation only");
    let first = page(&app.client, &address).await;
    assert!(first.contains(asks) && first.contains("Set-up token") && !first.contains(closed), "{first}");

    let wrong = "f".repeat(64);
    for (sent, words) in [("", "it is printed when the platform starts"), (&wrong, "This set-up token is not valid")] {
        let refused = post_form(&app, &app.client, "ada@example.org", sent).await;
        let back = location(&refused);
        assert!(back.starts_with(&address) && !back.contains(&wrong), "{back}");
        let told = page(&app.client, back).await;
        assert!(told.contains(words) && told.contains(asks), "{told}");
        assert!(told.contains(r#"value="ada@example.org""#), "what was typed is kept: {told}");
        assert!(!told.contains(PASSWORD) && !told.contains(&wrong), "but no secret: {told}");
    }
    assert_eq!(accounts(&app).await, 0);

    let made = post_form(&app, &app.client, "ada@example.org", &token).await;
    assert_eq!(location(&made), "/sites");
    let cookie = made.headers()[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("webmeteor_session="), "{cookie}");
    let (_, signed_in) = auth(&app, "token", &json!({"email": "ada@example.org", "password": PASSWORD})).await;
    let (_, me) = app.get("/api/v1/me", signed_in["access_token"].as_str()).await;
    assert_eq!(me["is_admin"], true, "{me}");

    let stranger = client();
    let second = page(&stranger, &address).await;
    assert!(second.contains(closed) && !second.contains(asks), "{second}");
    let refused = post_form(&app, &stranger, "bob@example.org", &token).await;
    assert!(!refused.headers().contains_key(header::SET_COOKIE));
    assert!(page(&stranger, location(&refused)).await.contains(closed));
    assert_eq!(accounts(&app).await, 1);
}

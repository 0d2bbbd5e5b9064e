//! Accounts over the API: registering, tokens, and who is refused.

use crate::support::{App, Setup, json, until};
use reqwest::Method;
use serde_json::{Value, json};

const PASSWORD: &str = "tide lamp orbit 7";

fn ada() -> Value {
    json!({"email": "Ada@example.org", "password": PASSWORD, "name": "Ada"})
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
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
    let token = until("the set-up token is printed", async || {
        app.log().lines().map(str::trim).find(|line| line.len() == 64).map(str::to_owned)
    })
    .await;
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

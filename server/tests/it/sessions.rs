//! Browser sessions: the cookie, who has one, how long, and what ends it.

use crate::support::{App, Setup, client, until};
use reqwest::{Client, Method, Response};
use time::{Duration, OffsetDateTime};

const EMAIL: &str = "ada@example.org";
const PASSWORD: &str = "tide lamp orbit 7";

/// What the browser is told to keep: `name=value; attributes`.
fn cookies(response: &Response) -> Vec<String> {
    response.headers().get_all("set-cookie").iter().map(|c| c.to_str().unwrap().to_owned()).collect()
}

fn value(cookie: &str) -> String {
    cookie.split(';').next().unwrap().split_once('=').unwrap().1.to_owned()
}

async fn call(app: &App, browser: &Client, function: &str, fields: &[(&str, &str)]) -> Response {
    browser.post(format!("{}/_fn/{function}", app.url)).form(fields).send().await.unwrap()
}

async fn sign_in(app: &App, browser: &Client) -> String {
    let response = call(app, browser, "sign_in", &[("email", EMAIL), ("password", PASSWORD)]).await;
    assert!(response.status().is_success(), "{}", response.status());
    let set = cookies(&response);
    assert_eq!(set.len(), 1, "{set:?}");
    set[0].clone()
}

async fn page(app: &App, browser: &Client, path: &str) -> Response {
    browser.get(format!("{}{path}", app.url)).header("accept", "text/html").send().await.unwrap()
}

/// Whose name the server finds behind the browser's cookie.
async fn is_signed_in(app: &App, browser: &Client) -> bool {
    let visitor: serde_json::Value = call(app, browser, "visitor", &[]).await.json().await.unwrap();
    visitor["user"]["email"] == EMAIL
}

async fn rows(app: &App) -> i64 {
    sqlx::query_scalar("select count(*) from sessions").fetch_one(&app.pool()).await.unwrap()
}

#[tokio::test]
async fn who_is_not_signed_in_has_neither_cookie_nor_row() {
    let app = App::start_without_docker().await;
    for path in ["/", "/sign-in", "/sign-up"] {
        assert_eq!(cookies(&page(&app, &app.client, path).await), [""; 0], "{path}");
    }
    let wrong = call(&app, &app.client, "sign_in", &[("email", EMAIL), ("password", PASSWORD)]).await;
    assert_eq!(cookies(&wrong), [""; 0]);
    assert_eq!(rows(&app).await, 0);
}

#[tokio::test]
async fn the_cookie_is_out_of_reach_for_scripts_and_foreign_forms() {
    let app = App::start_without_docker().await;
    app.register(EMAIL).await;
    let cookie = sign_in(&app, &app.client).await;
    assert!(cookie.starts_with("webmeteor_session="), "{cookie}");
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=1209600"] {
        assert!(cookie.split("; ").any(|part| part == attribute), "{attribute} is missing: {cookie}");
    }
    let stored: String = sqlx::query_scalar("select id from sessions").fetch_one(&app.pool()).await.unwrap();
    assert!(!stored.contains(&value(&cookie)), "the database holds what opens a session");
    assert!(is_signed_in(&app, &app.client).await);
}

#[tokio::test]
async fn over_https_the_cookie_is_bound_to_the_host_and_can_be_removed() {
    let mut app = Setup::new().await.without_docker().set("PUBLIC_URL", "https://paas.example.org").spawn();
    app.url = format!("http://{}", app.setup.get("LISTEN"));
    app.until_healthy().await;
    app.register(EMAIL).await;
    let cookie = sign_in(&app, &app.client).await;
    assert!(cookie.starts_with("__Host-webmeteor_session="), "{cookie}");
    assert!(cookie.contains("; Secure"), "{cookie}");
    assert!(!cookie.contains("Domain"), "{cookie}");
    // The test's client keeps a `Secure` cookie to itself over plain HTTP.
    let header = cookie.split(';').next().unwrap();
    let request = app.client.post(format!("{}/_fn/sign_out", app.url)).header("cookie", header);
    let removal = cookies(&request.send().await.unwrap());
    assert!(removal[0].starts_with("__Host-webmeteor_session=;") && removal[0].contains("; Secure"), "{removal:?}");
    assert_eq!(rows(&app).await, 0);
}

#[tokio::test]
async fn signing_in_changes_the_id_and_takes_no_planted_one() {
    let app = App::start_without_docker().await;
    app.register(EMAIL).await;
    let planted = "AAAAAAAAAAAAAAAAAAAAAA";
    let request = client().post(format!("{}/_fn/sign_in", app.url)).form(&[("email", EMAIL), ("password", PASSWORD)]);
    let response = request.header("cookie", format!("webmeteor_session={planted}")).send().await.unwrap();
    assert_ne!(value(&cookies(&response)[0]), planted);

    let browser = client();
    let first = value(&sign_in(&app, &browser).await);
    let second = value(&sign_in(&app, &browser).await);
    assert_ne!(first, second);
    let old = client().post(format!("{}/_fn/visitor", app.url)).header("cookie", format!("webmeteor_session={first}"));
    let visitor: serde_json::Value = old.send().await.unwrap().json().await.unwrap();
    assert!(visitor["user"].is_null(), "the id from before signing in again still opens the session");
}

#[tokio::test]
async fn signing_out_ends_the_session_on_the_server_too() {
    let app = App::start_without_docker().await;
    app.register(EMAIL).await;
    let cookie = sign_in(&app, &app.client).await;
    let removal = cookies(&call(&app, &app.client, "sign_out", &[]).await);
    assert!(removal[0].starts_with("webmeteor_session=;"), "{removal:?}");
    assert_eq!(rows(&app).await, 0);
    let kept = format!("webmeteor_session={}", value(&cookie));
    let request = client().post(format!("{}/_fn/visitor", app.url)).header("cookie", kept);
    let visitor: serde_json::Value = request.send().await.unwrap().json().await.unwrap();
    assert!(visitor["user"].is_null());
}

#[tokio::test]
async fn another_password_ends_the_other_sessions_and_not_the_own_one() {
    let app = App::start_without_docker().await;
    app.register(EMAIL).await;
    let (here, elsewhere) = (client(), client());
    sign_in(&app, &here).await;
    sign_in(&app, &elsewhere).await;
    let changed = call(&app, &here, "change_password", &[("current", PASSWORD), ("new", "another long one")]).await;
    assert!(changed.status().is_success(), "{}", changed.status());
    assert!(is_signed_in(&app, &here).await);
    assert!(!is_signed_in(&app, &elsewhere).await);
    assert_eq!(rows(&app).await, 1);
}

#[tokio::test]
async fn the_first_page_of_an_hour_prolongs_a_session_and_further_ones_write_nothing() {
    let app = App::start_without_docker().await;
    app.register(EMAIL).await;
    sign_in(&app, &app.client).await;
    page(&app, &app.client, "/").await;
    assert_eq!(cookies(&page(&app, &app.client, "/").await), [""; 0]);

    let soon = OffsetDateTime::now_utc() + Duration::hours(1);
    sqlx::query("update sessions set expires_at = $1, data = data || '{\"seen\": 1}'")
        .bind(soon)
        .execute(&app.pool())
        .await
        .unwrap();
    assert_eq!(cookies(&page(&app, &app.client, "/").await).len(), 1);
    let expires: OffsetDateTime =
        sqlx::query_scalar("select expires_at from sessions").fetch_one(&app.pool()).await.unwrap();
    assert!(expires > soon + Duration::days(13), "{expires}");
}

#[tokio::test]
async fn an_expired_session_is_refused_and_swept_at_the_next_start() {
    let mut app = App::start_without_docker().await;
    app.register(EMAIL).await;
    sign_in(&app, &app.client).await;
    sqlx::query("update sessions set expires_at = now()").execute(&app.pool()).await.unwrap();
    assert!(!is_signed_in(&app, &app.client).await);
    app.stop().await;
    app.restart().await;
    until("the sweep", async || (rows(&app).await == 0).then_some(())).await;
}

#[tokio::test]
async fn what_one_is_signed_in_with_is_listed_and_ended_one_by_one() {
    let app = App::start_without_docker().await;
    let (token, _) = app.register(EMAIL).await;
    let (here, elsewhere) = (client(), client());
    sign_in(&app, &here).await;
    sign_in(&app, &elsewhere).await;
    let (status, listed) = app.get("/api/v1/me/sessions", Some(&token)).await;
    let items = listed["items"].as_array().unwrap();
    assert_eq!((status, items.len()), (200, 3), "{listed}");
    assert_eq!((&items[0]["kind"], &items[0]["current"]), (&"program".into(), &true.into()));
    assert!(items.iter().all(|it| it["address"] == "127.0.0.1" && it["begun_at"].is_string()), "{listed}");

    let seen: serde_json::Value = call(&app, &here, "sessions", &[]).await.json().await.unwrap();
    let seen = seen.as_array().unwrap();
    assert_eq!((&seen[0]["kind"], &seen[0]["current"]), (&"browser".into(), &true.into()));
    let other = seen.iter().find(|it| it["kind"] == "browser" && it["current"] == false).unwrap();
    let ended = call(&app, &here, "revoke_session", &[("id", other["id"].as_str().unwrap())]).await;
    assert!(ended.status().is_success(), "{}", ended.status());
    assert!(is_signed_in(&app, &here).await && !is_signed_in(&app, &elsewhere).await);

    let own = items[0]["id"].as_str().unwrap();
    let response = app.send(Method::DELETE, &format!("/api/v1/me/sessions/{own}"), Some(&token), None).await;
    assert_eq!(response.status(), 204);
    assert_eq!(app.get("/api/v1/me", Some(&token)).await.0, 401, "its access token is still good");
    let others: serde_json::Value = call(&app, &here, "revoke_other_sessions", &[]).await.json().await.unwrap();
    assert_eq!(others, 0);
}

#[tokio::test]
async fn an_account_is_deleted_by_its_owner_and_nothing_opens_any_more() {
    let app = App::start_without_docker().await;
    let (token, _) = app.register(EMAIL).await;
    sign_in(&app, &app.client).await;
    let (status, found) = app.get("/api/v1/me/deletion", Some(&token)).await;
    assert_eq!((status, &found["last_admin"]), (200, &false.into()), "{found}");
    let body = serde_json::json!({"email": EMAIL, "password": "not mine at all"});
    let wrong = app.send(Method::DELETE, "/api/v1/me", Some(&token), Some(&body)).await;
    assert_eq!(wrong.status(), 422);
    let form = [("confirm_email", EMAIL), ("delete_password", PASSWORD)];
    let gone = call(&app, &app.client, "delete_account", &form).await;
    assert!(gone.status().is_success(), "{}", gone.status());
    assert!(!is_signed_in(&app, &app.client).await);
    assert_eq!(app.get("/api/v1/me", Some(&token)).await.0, 401);
    assert_eq!(rows(&app).await, 0);
}

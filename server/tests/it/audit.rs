//! The audit over HTTP: who may read it, in which form, and that nobody changes it.

use crate::support::{App, Setup, json};
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

async fn start() -> App {
    Setup::new().await.without_docker().arguments(&["serve", "--roles", "web"]).start().await
}

async fn note(app: &App, team: &str, email: &str, name: &str) {
    sqlx::query(
        "insert into audit_entries (id, team_id, actor_id, actor_name, action, target_kind, target_id, target_name, after)
         select $1, $2::uuid, u.id, u.email, 'site.rename', 'site', '7', $4, '{\"name\": \"New\"}'::jsonb from users u
         where u.email = $3",
    )
    .bind(uuid::Uuid::now_v7())
    .bind(team)
    .bind(email)
    .bind(name)
    .execute(&app.pool())
    .await
    .unwrap();
}

async fn read(app: &App, query: &str, token: Option<&str>) -> (u16, Value) {
    app.get(&format!("/api/v1/audit?action=site.rename&{query}"), token).await
}

async fn export(app: &App, query: &str, accept: &str, token: &str) -> Response {
    let url = format!("{}/api/v1/audit?action=site.rename&{query}", app.url);
    app.client.get(url).header("accept", accept).bearer_auth(token).send().await.unwrap()
}

#[tokio::test]
async fn every_role_gets_what_it_may_read_and_nothing_is_ever_changed() {
    let app = start().await;
    let (ada, team) = app.register("ada@example.org").await;
    let (bob, of_bob) = app.register("bob@example.org").await;
    note(&app, &team, "ada@example.org", "Shop").await;
    let of_team = format!("team_id={team}");
    assert_eq!(read(&app, &of_team, None).await.0, 401);
    let (status, page) = read(&app, &of_team, Some(&ada)).await;
    assert_eq!((status, page["items"].as_array().unwrap().len()), (200, 1), "{page}");
    let entry = &page["items"][0];
    assert_eq!((&entry["actor"]["name"], &entry["action"]), (&json!("ada@example.org"), &json!("site.rename")));
    assert_eq!((&entry["target"]["name"], &entry["after"]["name"]), (&json!("Shop"), &json!("New")));
    assert_eq!(read(&app, &of_team, Some(&bob)).await.0, 404);
    assert_eq!(read(&app, "team_id=x", Some(&bob)).await.0, 404);
    assert_eq!(read(&app, "", Some(&ada)).await.1["items"].as_array().unwrap().len(), 1, "one's own");
    assert_eq!(read(&app, "", Some(&bob)).await.1["items"], json!([]));
    assert_eq!(read(&app, "all=true", Some(&ada)).await.0, 403);
    assert_eq!(read(&app, &format!("all=true&{of_team}"), Some(&ada)).await.0, 422);

    for (role, expected) in [("viewer", 403), ("developer", 403), ("admin", 200), ("owner", 200)] {
        sqlx::query(
            "insert into members (team_id, user_id, role) select $1::uuid, id, $2 from users where email = 'bob@example.org'
             on conflict (team_id, user_id) do update set role = excluded.role",
        )
        .bind(&team)
        .bind(role)
        .execute(&app.pool())
        .await
        .unwrap();
        assert_eq!(read(&app, &of_team, Some(&bob)).await.0, expected, "{role}");
        assert_eq!(export(&app, &of_team, "text/csv", &bob).await.status(), expected, "{role}");
    }
    for (scopes, expected) in
        [(json!(["sites:read", "sites:write", "deploy", "variables"]), 403), (json!(["audit:read"]), 200)]
    {
        let body = json!({"name": "Reader", "scopes": scopes, "team_id": team});
        let (status, made) = app.post("/api/v1/tokens", Some(&ada), &body).await;
        assert_eq!(status, 201, "{made}");
        let token = made["token"].as_str().unwrap();
        assert_eq!(read(&app, &of_team, Some(token)).await.0, expected, "{scopes}");
        assert_eq!(read(&app, "", Some(token)).await.0, expected, "{scopes}");
        assert_eq!(read(&app, &format!("team_id={of_bob}"), Some(token)).await.0, 404, "{scopes}");
        assert_eq!(read(&app, "all=true", Some(token)).await.0, 403, "{scopes}");
    }
    sqlx::query("update users set is_admin = true where email = 'bob@example.org'").execute(&app.pool()).await.unwrap();
    assert_eq!(read(&app, "all=true", Some(&bob)).await.0, 200);
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        let response = app.send(method, "/api/v1/audit", Some(&ada), Some(&json!({}))).await;
        assert_eq!(response.status(), 405);
    }
}

#[tokio::test]
async fn it_is_paged_and_exported_whole() {
    let app = start().await;
    let (ada, team) = app.register("ada@example.org").await;
    for number in 0..7 {
        note(&app, &team, "ada@example.org", &format!("=cmd|'{number}'")).await;
    }
    let of_team = format!("team_id={team}");
    let (mut names, mut cursor) = (Vec::new(), String::new());
    loop {
        let (status, page) = read(&app, &format!("{of_team}&limit=3&cursor={cursor}"), Some(&ada)).await;
        assert_eq!(status, 200, "{page}");
        names.extend(
            page["items"].as_array().unwrap().iter().map(|it| it["target"]["name"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next_cursor"].as_str() else { break };
        next.clone_into(&mut cursor);
    }
    assert_eq!(names, (0..7).rev().map(|number| format!("=cmd|'{number}'")).collect::<Vec<_>>());
    assert_eq!(read(&app, &format!("{of_team}&cursor=x"), Some(&ada)).await.0, 422);
    assert_eq!(read(&app, &format!("{of_team}&format=xml"), Some(&ada)).await.0, 422);
    assert_eq!(read(&app, &format!("{of_team}&from=soon"), Some(&ada)).await.0, 422);

    let response = export(&app, &of_team, "text/csv", &ada).await;
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/csv"));
    assert_eq!(response.headers()["content-disposition"], "attachment; filename=\"audit.csv\"");
    let csv = response.text().await.unwrap();
    assert_eq!(csv.matches("\r\n").count(), 8, "{csv}");
    assert!(csv.starts_with("\"at\",\"action\"") && csv.contains("\"'=cmd|'0'\"") && !csv.contains("\"=cmd"), "{csv}");
    let lines = export(&app, &format!("{of_team}&format=jsonl&target=%3Dcmd%7C%273%27"), "*/*", &ada).await;
    let lines = lines.text().await.unwrap();
    let one: Value = serde_json::from_str(&lines).unwrap();
    assert_eq!(one["target"]["name"], "=cmd|'3'");

    // For who is signed in to the dashboard.
    let url = format!("{}/audit/export?team_id={team}&format=csv&action=site.rename", app.url);
    assert_eq!(json(app.client.get(&url).send().await.unwrap()).await.0, 401);
    sign_in(&app, &app.client).await;
    assert_eq!(app.client.get(&url).send().await.unwrap().text().await.unwrap(), csv);
}

#[tokio::test]
async fn its_pages_are_rendered_and_filtered_without_scripts() {
    let app = start().await;
    let (_, team) = app.register("ada@example.org").await;
    note(&app, &team, "ada@example.org", "Shop <b>").await;
    sign_in(&app, &app.client).await;
    let page = async |path: &str| {
        let response = app.client.get(format!("{}{path}", app.url)).header("accept", "text/html").send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    let slug: String = sqlx::query_scalar("select slug from teams").fetch_one(&app.pool()).await.unwrap();
    for path in [format!("/teams/{slug}/audit"), format!("/teams/{team}/audit"), "/account/audit".to_owned()] {
        let (status, html) = page(&path).await;
        assert_eq!(status, 200, "{path}");
        assert!(html.contains("renamed the site") && html.contains("Shop &lt;b&gt;"), "{path}: {html}");
        let (_, html) = page(&format!("{path}?action=token")).await;
        assert!(html.contains("Nothing was found") && !html.contains("renamed the site"), "{path}");
        let (_, html) = page(&format!("{path}?from=soon")).await;
        assert!(html.contains("A day such as"), "{path}");
    }
    assert_eq!(page("/admin/audit").await.0, 403);
    assert_eq!(page("/teams/nobodys/audit").await.0, 404);
}

async fn sign_in(app: &App, browser: &Client) {
    let form = [("email", "ada@example.org"), ("password", "tide lamp orbit 7")];
    let response = browser.post(format!("{}/_fn/sign_in", app.url)).form(&form).send().await.unwrap();
    assert!(response.status().is_success(), "{}", response.status());
}

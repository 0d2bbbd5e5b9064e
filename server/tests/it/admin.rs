//! The administration and quotas over the API: for administrators, and as if it were not there for everybody else.

use crate::support::{App, Setup, json};
use reqwest::Method;
use serde_json::{Value, json};

async fn send(app: &App, method: Method, path: &str, token: &str, body: &Value) -> (u16, Value) {
    json(app.send(method, &format!("/api/v1{path}"), Some(token), Some(body)).await).await
}

#[tokio::test]
async fn an_administrator_sets_what_a_team_may_use_and_nobody_else_knows_of_the_administration() {
    let setup = Setup::new().await.without_docker().set("QUOTA_SITES", "2").set("MASTER_KEY", "ab".repeat(32));
    let app = setup.arguments(&["serve", "--roles", "web"]).start().await;
    let (ada, _) = app.register("ada@example.org").await;
    let (bob, bobs) = app.register("bob@example.org").await;
    sqlx::query("update users set is_admin = true where email = 'ada@example.org'").execute(&app.pool()).await.unwrap();
    let token = json!({"name": "All", "scopes": ["sites:read", "sites:write", "deploy", "variables"]});
    let (status, made) = send(&app, Method::POST, "/tokens", &ada, &token).await;
    assert_eq!(status, 201, "{made}");
    let token = made["token"].as_str().unwrap();

    let quotas = format!("/admin/teams/{bobs}/quotas");
    for (method, path, body) in [
        (Method::GET, "/admin/overview", Value::Null),
        (Method::GET, "/admin/teams", Value::Null),
        (Method::GET, "/admin/sites", Value::Null),
        (Method::GET, "/admin/machine", Value::Null),
        (Method::GET, "/admin/settings", Value::Null),
        (Method::PUT, "/admin/signup", json!({"mode": "open"})),
        (Method::PATCH, &quotas, json!({"sites": 2})),
    ] {
        for (who, status) in [(&*ada, 200), (&*bob, 404), (token, 404)] {
            assert_eq!(send(&app, method.clone(), path, who, &body).await.0, status, "{method} {path}");
        }
    }
    let (_, shown) = send(&app, Method::GET, "/admin/settings", &ada, &Value::Null).await;
    let all = shown["items"].as_array().unwrap();
    let key = all.iter().find(|it| it["name"] == "WEBMETEOR_MASTER_KEY").unwrap();
    assert_eq!((&key["value"], &key["origin"]), (&json!("(hidden)"), &json!("environment")));
    assert!(!shown.to_string().contains("abab"), "{shown}");

    let site = |slug: &str| json!({"name": slug, "slug": slug, "source": {"hosted": {}}});
    assert_eq!(send(&app, Method::POST, "/sites", &bob, &site("one")).await.0, 201);
    let change = json!({"sites": 1, "cpu": "unlimited"});
    let (status, set) = send(&app, Method::PATCH, &quotas, &ada, &change).await;
    assert_eq!(
        (status, &set["items"][0]),
        (
            200,
            &json!({
                "quota": "sites", "used": 1, "limit": 1, "is_own": true, "measured_at": null
            })
        )
    );
    let (status, refused) = send(&app, Method::POST, "/sites", &bob, &site("two")).await;
    assert_eq!((status, &refused["code"]), (403, &json!("quota_exceeded")), "{refused}");
    let own = format!("/teams/{bobs}/quotas");
    assert_eq!(send(&app, Method::GET, &own, &bob, &Value::Null).await, (200, set));
    assert_eq!(send(&app, Method::PATCH, &quotas, &ada, &json!({"cats": 1})).await.0, 422);

    let invite = json!({"mode": "invite"});
    assert_eq!(send(&app, Method::PUT, "/admin/signup", &ada, &invite).await.1["state"], "closed");
    let new = json!({"email": "eve@example.org", "password": "tide lamp orbit 7", "name": "Eve"});
    let (status, told) = app.post("/api/v1/auth/register", None, &new).await;
    assert_eq!((status, &told["code"]), (403, &json!("signup_closed")));
    assert_eq!(send(&app, Method::PUT, "/admin/signup", &ada, &json!({"mode": null})).await.1["mode"], "open");
}

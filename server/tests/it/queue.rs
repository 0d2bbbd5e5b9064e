//! The queue as people see it.

use crate::support::Setup;
use serde_json::json;

#[tokio::test]
async fn everybody_sees_their_own_and_how_many_others_there_are() {
    let app = Setup::new().await.without_docker().arguments(&["serve", "--roles", "web"]).start().await;
    let (ada, _) = app.register("ada@example.org").await;
    let (bob, _) = app.register("bob@example.org").await;
    for (token, slugs) in [(&ada, &["one", "two"][..]), (&bob, &["three"])] {
        for slug in slugs {
            let new = json!({"name": slug, "slug": slug, "source": {"template": "static"}});
            assert_eq!(app.post("/api/v1/sites", Some(token), &new).await.0, 201);
        }
    }
    let (status, queue) = app.get("/api/v1/queue", Some(&ada)).await;
    assert_eq!((status, &queue["others"]), (200, &json!(1)), "{queue:#}");
    let places: Vec<_> = queue["items"].as_array().unwrap().iter().map(|item| item["position"].as_i64()).collect();
    // Bob's one is not behind both of Ada's.
    assert_eq!(places, [Some(0), Some(2)], "{queue:#}");
    assert_eq!(queue["items"][0]["waits_for"], json!({"kind": "turn"}));
    let (_, queue) = app.get("/api/v1/queue", Some(&bob)).await;
    assert_eq!((&queue["others"], &queue["items"][0]["position"]), (&json!(2), &json!(1)), "{queue:#}");
    assert_eq!(app.get("/api/v1/queue", None).await.0, 401);

    let pool = app.pool();
    sqlx::query("update users set is_admin = true where email = 'bob@example.org'").execute(&pool).await.unwrap();
    let (_, queue) = app.get("/api/v1/queue", Some(&bob)).await;
    assert_eq!((&queue["others"], queue["items"].as_array().unwrap().len()), (&json!(0), 3), "{queue:#}");
}

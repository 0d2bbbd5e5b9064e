//! Webhooks and their inbox from outside: what a forge is answered, what a script and a browser are shown.

use crate::support::{App, Setup, client, json, until};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use sha2::Sha256;

const COMMIT: &str = "b3f1c2d4e5a60718293a4b5c6d7e8f9001122334";

/// A site with an empty repository, which needs no engine, and its owner.
struct Site {
    app: App,
    token: String,
    team: String,
    id: String,
    secret: String,
}

impl Site {
    async fn new(app: App) -> Self {
        let (token, team) = app.register("ada@example.org").await;
        let new = json!({"name": "Shop", "source": {"hosted": {}}});
        let (status, made) = app.post("/api/v1/sites", Some(&token), &new).await;
        assert_eq!(status, 201, "{made}");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let (id, secret) = (text(&made["id"]), text(&made["webhook"]["secret"]));
        Self { app, token, team, id, secret }
    }

    async fn without_docker() -> Self {
        Self::new(App::start_without_docker().await).await
    }

    /// A push to this branch as GitHub sends it, to this site's address.
    async fn push(&self, branch: &str, secret: &str) -> (u16, Value) {
        let delivery = uuid::Uuid::new_v4().to_string();
        self.deliver(&format!("/webhook/customer-site/{}", self.id), branch, secret, &delivery).await
    }

    async fn deliver(&self, path: &str, branch: &str, secret: &str, delivery: &str) -> (u16, Value) {
        let body = json!({
            "ref": format!("refs/heads/{branch}"), "after": COMMIT, "deleted": false,
            "head_commit": {"id": COMMIT, "message": "Say hello", "author": {"name": "Ada"}},
            "repository": {"clone_url": "https://example.org/ada/shop.git"}
        })
        .to_string();
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(body.as_bytes());
        let request = self
            .app
            .client
            .post(format!("{}{path}", self.app.url))
            .header("content-type", "application/json")
            .header("x-github-event", "push")
            .header("x-github-delivery", delivery)
            .header("x-hub-signature-256", format!("sha256={}", hex::encode(mac.finalize().into_bytes())));
        json(request.body(body).send().await.unwrap()).await
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.app.get(&format!("/api/v1{path}"), Some(&self.token)).await
    }

    async fn ask(&self, method: Method, path: &str, token: &str) -> (u16, Value) {
        json(self.app.send(method, &format!("/api/v1{path}"), Some(token), None).await).await
    }

    async fn deliveries(&self) -> Vec<Value> {
        let (status, page) = self.get(&format!("/deliveries?site_id={}", self.id)).await;
        assert_eq!(status, 200, "{page}");
        page["items"].as_array().unwrap().clone()
    }

    /// Somebody new with this role in the site's team.
    async fn member(&self, email: &str, role: &str) -> String {
        let (token, _) = self.app.register(email).await;
        let insert =
            "insert into members (team_id, user_id, role) select $1::text::uuid, id, $3 from users where email = $2";
        let done = sqlx::query(insert).bind(&self.team).bind(email).bind(role).execute(&self.app.pool()).await.unwrap();
        assert_eq!(done.rows_affected(), 1);
        token
    }

    /// A browser of the site's owner.
    async fn browser(&self) -> Client {
        let browser = client();
        let who = [("email", "ada@example.org"), ("password", "tide lamp orbit 7")];
        let answer = browser.post(format!("{}/_fn/sign_in", self.app.url)).form(&who).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
        browser
    }

    /// A page as a browser without JavaScript asks for it.
    async fn page(&self, browser: &Client, path: &str) -> (u16, String) {
        let answer = browser.get(format!("{}{path}", self.app.url)).header("accept", "text/html").send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Posts a form from this page as such a browser does; where it is sent.
    async fn post(&self, browser: &Client, page: &str, function: &str, fields: &[(&str, &str)]) -> String {
        let request = browser
            .post(format!("{}/_fn/{function}", self.app.url))
            .header("accept", "text/html")
            .header("referer", format!("{}{page}", self.app.url));
        let answer = request.form(fields).send().await.unwrap();
        assert_eq!(answer.status(), 302);
        let to = answer.headers()["location"].to_str().unwrap();
        to.strip_prefix(&self.app.url).unwrap_or(to).to_owned()
    }
}

#[tokio::test]
async fn webhooks_are_listed_opened_and_replayed_over_the_api() {
    let site = Site::without_docker().await;
    for branch in ["docs", "main"] {
        assert_eq!(site.push(branch, &site.secret).await.0, 202);
    }
    let (status, first) = site.get(&format!("/deliveries?site_id={}&limit=1", site.id)).await;
    assert_eq!((status, &first["items"][0]["outcome"]), (200, &json!("queued")), "{first}");
    let cursor = first["next_cursor"].as_str().unwrap();
    let (_, rest) = site.get(&format!("/deliveries?site_id={}&limit=1&cursor={cursor}", site.id)).await;
    assert_eq!((&rest["items"][0]["outcome"], &rest["next_cursor"]), (&json!("ignored"), &Value::Null));
    assert!(rest["items"][0]["reason"].as_str().unwrap().contains("The branch “docs” is not deployed"));

    let path = format!("/deliveries/{}", rest["items"][0]["id"].as_str().unwrap());
    let (status, opened) = site.get(&path).await;
    assert_eq!((status, &opened["headers"]["x-hub-signature-256"]), (200, &json!("[hidden]")), "{opened}");
    assert_eq!(
        (&opened["body_cut"], &opened["can_replay"], &opened["times"]),
        (&json!(false), &json!(true), &json!(1))
    );
    let body: Value = serde_json::from_str(opened["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["ref"], "refs/heads/docs");

    let new = json!({"name": "documentation", "branch": "docs"});
    let environments = format!("/api/v1/sites/{}/environments", site.id);
    assert_eq!(site.app.post(&environments, Some(&site.token), &new).await.0, 201);
    let (status, replayed) = site.ask(Method::POST, &format!("{path}/replay"), &site.token).await;
    assert_eq!((status, &replayed["outcome"], &replayed["replay_of"]), (202, &json!("queued"), &opened["id"]));
    let deployment = format!("/deployments/{}", replayed["deployment_id"].as_str().unwrap());
    assert_eq!(site.get(&deployment).await.1["environment"], "documentation");
    let newest = site.deliveries().await.remove(0);
    assert_eq!((&newest["id"], &newest["replay_of"]), (&replayed["delivery_id"], &opened["id"]));

    assert_eq!(site.get("/deliveries").await.1["errors"][0]["field"], "site_id");
    for query in ["&limit=0", "&cursor=x"] {
        assert_eq!(site.get(&format!("/deliveries?site_id={}{query}", site.id)).await.0, 422, "{query}");
    }
    assert_eq!(site.get("/deliveries?site_id=x").await.0, 404);
}

#[tokio::test]
async fn the_inbox_and_the_secret_are_for_those_whose_role_allows_it() {
    let site = Site::without_docker().await;
    let delivery = site.push("main", &site.secret).await.1["delivery_id"].as_str().unwrap().to_owned();
    let (list, one) = (format!("/deliveries?site_id={}", site.id), format!("/deliveries/{delivery}"));
    let (replay, webhook) = (format!("{one}/replay"), format!("/sites/{}/webhook", site.id));
    let (rotate, revoke) = (format!("{webhook}/rotate"), format!("{webhook}/old-secret"));
    let operations = [
        (Method::GET, &list),
        (Method::GET, &one),
        (Method::POST, &replay),
        (Method::POST, &rotate),
        (Method::DELETE, &revoke),
    ];
    let stranger = site.app.register("eve@example.org").await.0;
    for (token, expected) in [
        (site.member("viewer@example.org", "viewer").await, [200, 200, 403, 403, 403]),
        (site.member("developer@example.org", "developer").await, [200, 200, 202, 403, 403]),
        (site.member("admin@example.org", "admin").await, [200, 200, 202, 200, 204]),
        (stranger, [404; 5]),
        ("nobody".to_owned(), [401; 5]),
    ] {
        for ((method, path), expected) in operations.iter().zip(expected) {
            let (status, answer) = site.ask(method.clone(), path, &token).await;
            assert_eq!(status, expected, "{method} {path}: {answer}");
        }
    }
}

#[tokio::test]
async fn a_wrong_secret_is_noted_in_the_inbox_and_tells_a_stranger_nothing() {
    let site = Site::without_docker().await;
    let refused = site.push("main", "another secret").await;
    let unknown = format!("/webhook/customer-site/{}", uuid::Uuid::now_v7());
    for path in [unknown.as_str(), "/webhook/customer-site/none", "/webhook/customer-site"] {
        assert_eq!(site.deliver(path, "main", &site.secret, "1").await, refused, "{path}");
    }
    assert_eq!((refused.0, &refused.1["code"]), (401, &json!("bad_signature")));
    let noted = until("it is noted", async || site.deliveries().await.pop()).await;
    assert_eq!((&noted["outcome"], &noted["times"]), (&json!("refused"), &json!(1)));
    assert!(noted["reason"].as_str().unwrap().starts_with("The signature does not match."));
}

#[tokio::test]
async fn a_secret_is_replaced_without_losing_a_push() {
    let setup = Setup::new().await.without_docker().set("WEBHOOK_GRACE_HOURS", "1");
    let site = Site::new(setup.start().await).await;
    let path = format!("/sites/{}/webhook/rotate", site.id);
    let (status, rotated) = site.ask(Method::POST, &path, &site.token).await;
    assert_eq!(status, 200, "{rotated}");
    let secret = rotated["secret"].as_str().unwrap();
    assert!(rotated["old_secret_until"].is_string() && rotated["url"].as_str().unwrap().ends_with(&site.id));

    assert_eq!(site.push("main", secret).await.1["warning"], Value::Null);
    let (status, old) = site.push("main", &site.secret).await;
    assert_eq!((status, &old["outcome"]), (202, &json!("queued")));
    assert!(old["warning"].as_str().unwrap().contains("signed with the old secret"), "{old}");
    let with: Vec<Value> = site.deliveries().await.into_iter().map(|d| d["signed_with"].clone()).collect();
    assert_eq!(with, ["old_secret", "secret"]);
    assert!(site.app.log().contains("a webhook was signed with the old secret"));

    let (_, shown) = site.get(&format!("/sites/{}", site.id)).await;
    assert_eq!(
        (&shown["webhook"]["secret"], &shown["webhook"]["old_secret_until"]),
        (&Value::Null, &rotated["old_secret_until"])
    );
    assert_eq!(site.ask(Method::DELETE, &format!("/sites/{}/webhook/old-secret", site.id), &site.token).await.0, 204);
    assert_eq!(site.push("main", &site.secret).await.0, 401);
    assert_eq!(site.push("main", secret).await.0, 202);

    let at_once = json!({"revoke_old": true});
    let (_, last) = site.app.post(&format!("/api/v1{path}"), Some(&site.token), &at_once).await;
    assert_eq!((site.push("main", secret).await.0, &last["old_secret_until"]), (401, &Value::Null));
    let (status, _) = site.app.post(&format!("/api/v1{path}"), Some(&site.token), &json!({"revoke": 1})).await;
    assert_eq!(status, 422);
}

#[tokio::test]
async fn the_pages_of_the_inbox_work_without_javascript() {
    let site = Site::without_docker().await;
    let browser = site.browser().await;
    let here = format!("/sites/{}/webhooks", site.id);
    let (status, page) = site.page(&browser, &here).await;
    assert!(status == 200 && page.contains("Nothing came yet"), "{status} {page}");
    for _ in 0..22 {
        site.push("docs", &site.secret).await;
    }
    let id = site.push("main", &site.secret).await.1["delivery_id"].as_str().unwrap().to_owned();
    let (_, page) = site.page(&browser, &here).await;
    for words in ["Queued", "Ignored", "is not deployed", "Older", &format!("{here}/{id}"), "/deployments/"] {
        assert!(page.contains(words), "{words} is missing: {page}");
    }
    assert!(!page.contains(&site.secret));
    let older = page.split(&format!("{here}?cursor=")).nth(1).unwrap().split('"').next().unwrap().to_owned();
    let (_, page) = site.page(&browser, &format!("{here}?cursor={older}")).await;
    assert!(page.contains("Newest") && !page.contains("Older") && !page.contains(&id), "{page}");

    let delivery = format!("{here}/{id}");
    let (status, page) = site.page(&browser, &delivery).await;
    for words in ["x-github-event", "[hidden]", "refs/heads/main", "Replay", "the present secret"] {
        assert!(status == 200 && page.contains(words), "{words} is missing: {page}");
    }
    let replayed = site.post(&browser, &delivery, "replay_delivery", &[("id", &id)]).await;
    assert!(replayed.starts_with(&here) && replayed != delivery, "{replayed}");
    let (status, page) = site.page(&browser, &replayed).await;
    assert!(status == 200 && page.contains("Replay of") && page.contains(&delivery), "{page}");

    let (_, page) = site.page(&browser, &format!("{here}?dialog=rotate-secret")).await;
    assert!(page.contains("Revoke the old one at once"));
    let shown = site.post(&browser, &here, "rotate_webhook_secret", &[("site", &site.id)]).await;
    assert_eq!(shown, format!("{here}?secret=show"));
    let (_, page) = site.page(&browser, &shown).await;
    assert!(
        page.contains("The old secret works until") && page.contains("Hide the secret") && !page.contains(&site.secret)
    );
    assert_eq!(site.post(&browser, &here, "revoke_old_webhook_secret", &[("site", &site.id)]).await, here);
    assert!(!site.page(&browser, &here).await.1.contains("The old secret works until"));
    assert_eq!(site.push("main", &site.secret).await.0, 401);

    let elsewhere = format!("/sites/{}/webhooks/{}", site.id, uuid::Uuid::now_v7());
    assert_eq!(site.page(&browser, &elsewhere).await.0, 404);
}

//! Teams, members, invitations and transfers, over REST.

use crate::{
    accounts::setup_token,
    support::{App, Setup},
};
use reqwest::Method;
use serde_json::{Value, json};

const NEW_PASSWORD: &str = "tide lamp orbit 8";

async fn web_only() -> App {
    Setup::new().await.without_docker().arguments(&["serve", "--roles", "web"]).start().await
}

async fn me(app: &App, caller: &str) -> String {
    app.get("/api/v1/me", Some(caller)).await.1["id"].as_str().unwrap().to_owned()
}

/// Somebody new, who has accepted an invitation into a team in this role.
async fn member(app: &App, owner: &str, team: &str, email: &str, role: &str) -> (String, String) {
    let (caller, _) = app.register(email).await;
    let (status, made) = app
        .post(&format!("/api/v1/teams/{team}/invitations"), Some(owner), &json!({"email": email, "role": role}))
        .await;
    assert_eq!(status, 201, "{made}");
    let (status, accepted) = app.post(&path(&made), Some(&caller), &json!({})).await;
    assert_eq!((status, &accepted["team"]["role"]), (200, &json!(role)), "{accepted}");
    let id = me(app, &caller).await;
    (caller, id)
}

/// Where the API has the invitation of a link.
fn path(made: &Value) -> String {
    format!("/api/v1/invitations/{}", made["link"].as_str().unwrap().rsplit('/').next().unwrap())
}

async fn delete(app: &App, path: &str, caller: &str) -> u16 {
    app.send(Method::DELETE, path, Some(caller), None).await.status().as_u16()
}

async fn patch(app: &App, path: &str, caller: &str, body: Value) -> (u16, Value) {
    crate::support::json(app.send(Method::PATCH, path, Some(caller), Some(&body)).await).await
}

#[tokio::test]
async fn a_team_from_its_making_to_its_end() {
    let app = web_only().await;
    let (ada, _) = app.register("ada@example.org").await;
    let (status, made) = app.post("/api/v1/teams", Some(&ada), &json!({"name": "Acme Ltd"})).await;
    assert_eq!(
        (status, &made["slug"], &made["role"], &made["members"]),
        (201, &json!("acmeltd"), &json!("owner"), &json!(1))
    );
    let team = format!("/api/v1/teams/{}", made["id"].as_str().unwrap());
    let (status, renamed) = patch(&app, &team, &ada, json!({"name": "Acme"})).await;
    assert_eq!((status, &renamed["slug"], &renamed["name"]), (200, &json!("acmeltd"), &json!("Acme")));
    assert_eq!(app.get("/api/v1/teams", Some(&ada)).await.1["items"].as_array().unwrap().len(), 2);
    let site = json!({"team_id": made["id"], "name": "Shop", "source": {"template": "static"}});
    let (status, site) = app.post("/api/v1/sites", Some(&ada), &site).await;
    assert_eq!((status, &site["team"]["slug"]), (201, &json!("acmeltd")));
    assert_eq!(delete(&app, &team, &ada).await, 409);
    let of_team = app.get(&format!("/api/v1/sites?team_id={}", made["id"].as_str().unwrap()), Some(&ada)).await.1;
    assert_eq!(of_team["items"].as_array().unwrap().len(), 1);

    let (_, empty) = app.post("/api/v1/teams", Some(&ada), &json!({"name": "Empty"})).await;
    let empty = format!("/api/v1/teams/{}", empty["id"].as_str().unwrap());
    assert_eq!(delete(&app, &empty, &ada).await, 204);
    assert_eq!(app.get(&empty, Some(&ada)).await.0, 404);
}

#[tokio::test]
async fn roles_decide_over_http_what_members_may() {
    let app = web_only().await;
    let (ada, team) = app.register("ada@example.org").await;
    let ada_id = me(&app, &ada).await;
    let (stranger, _) = app.register("eve@example.org").await;
    let (admin, admin_id) = member(&app, &ada, &team, "admin@example.org", "admin").await;
    let (developer, _) = member(&app, &ada, &team, "dev@example.org", "developer").await;
    let (viewer, viewer_id) = member(&app, &ada, &team, "view@example.org", "viewer").await;
    let base = format!("/api/v1/teams/{team}");
    let new = json!({"email": "new@example.org", "role": "viewer"});
    for (caller, members, invites) in [
        (Some(&ada), 200, 201),
        (Some(&admin), 200, 409),
        (Some(&developer), 200, 403),
        (Some(&viewer), 200, 403),
        (Some(&stranger), 404, 404),
        (None, 401, 401),
    ] {
        let caller = caller.map(String::as_str);
        assert_eq!(app.get(&format!("{base}/members"), caller).await.0, members);
        assert_eq!(app.post(&format!("{base}/invitations"), caller, &new).await.0, invites);
    }
    for (caller, whom, role, status, code) in [
        (&viewer, &viewer_id, "owner", 403, "own_role"),
        (&developer, &viewer_id, "developer", 403, "forbidden"),
        (&admin, &admin_id, "owner", 403, "own_role"),
        (&admin, &ada_id, "viewer", 403, "forbidden"),
        (&admin, &viewer_id, "owner", 403, "forbidden"),
        (&ada, &ada_id, "admin", 409, "last_owner"),
        (&stranger, &viewer_id, "viewer", 404, "not_found"),
    ] {
        let (found, refused) = patch(&app, &format!("{base}/members/{whom}"), caller, json!({"role": role})).await;
        assert_eq!((found, refused["code"].as_str()), (status, Some(code)), "{role}: {refused}");
    }
    let whose = format!("{base}/members/{viewer_id}");
    assert_eq!(patch(&app, &whose, &admin, json!({"role": "developer"})).await.0, 200);
    assert_eq!(patch(&app, &whose, &admin, json!({"role": "king"})).await.0, 422);
    assert_eq!(delete(&app, &format!("{base}/members/{ada_id}"), &admin).await, 403);
    assert_eq!(delete(&app, &whose, &admin).await, 204);
    assert_eq!(app.get(&base, Some(&viewer)).await.0, 404, "at once");
    assert_eq!(delete(&app, &format!("{base}/members/{admin_id}"), &admin).await, 204, "whoever wants to may leave");
}

#[tokio::test]
async fn where_sign_up_is_by_invitation_an_invitation_makes_an_account() {
    let app = Setup::new().await.without_docker().set("SIGNUP", "invite");
    let app = app.arguments(&["serve", "--roles", "web"]).start().await;
    let token = setup_token(&app).await;
    let body = json!({"email": "ada@example.org", "password": NEW_PASSWORD, "name": "Ada", "setup_token": token});
    let (status, ada) = app.post("/api/v1/auth/register", None, &body).await;
    assert_eq!(status, 201, "{ada}");
    let (caller, team) = (ada["access_token"].as_str().unwrap(), ada["team"]["id"].as_str().unwrap());
    let body = json!({"email": "bob@example.org", "password": NEW_PASSWORD, "name": "Bob"});
    assert_eq!(app.post("/api/v1/auth/register", None, &body).await.0, 403);

    let new = json!({"email": "bob@example.org", "role": "developer"});
    let (_, made) = app.post(&format!("/api/v1/teams/{team}/invitations"), Some(caller), &new).await;
    let (status, seen) = app.get(&path(&made), None).await;
    assert_eq!((status, &seen["email"], &seen["state"]), (200, &json!("bob@example.org"), &json!("open")));
    let joining = json!({"name": "Bob", "password": NEW_PASSWORD});
    assert_eq!(app.post(&path(&made), None, &json!({"name": "Bob"})).await.0, 422);
    let (status, bob) = app.post(&path(&made), None, &joining).await;
    assert_eq!((status, &bob["user"]["email"]), (201, &json!("bob@example.org")), "{bob}");
    let mine = app.get("/api/v1/teams", Some(bob["access_token"].as_str().unwrap())).await.1;
    assert_eq!(mine["items"].as_array().unwrap().len(), 2);
    assert_eq!(app.post(&path(&made), None, &joining).await.1["code"], "invitation_accepted");

    let (status, made) =
        app.post("/api/v1/admin/invitations", Some(caller), &json!({"email": "eve@example.org"})).await;
    assert_eq!(status, 201, "{made}");
    let of_bob = Some(bob["access_token"].as_str().unwrap());
    assert_eq!(app.get("/api/v1/admin/invitations", of_bob).await.0, 403);
    let id = made["id"].as_str().unwrap();
    assert_eq!(app.post(&format!("/api/v1/admin/invitations/{id}/resend"), Some(caller), &json!({})).await.0, 429);
    assert_eq!(delete(&app, &format!("/api/v1/admin/invitations/{id}"), caller).await, 204);
    assert_eq!(app.post(&path(&made), None, &joining).await.1["code"], "invitation_withdrawn");
    let secret = path(&made);
    assert!(!app.log().contains(secret.rsplit('/').next().unwrap()), "a link stands in the log");
}

#[tokio::test]
async fn a_site_goes_to_another_team_with_its_git_address() {
    let app = web_only().await;
    let (ada, old) = app.register("ada@example.org").await;
    let (_, acme) = app.post("/api/v1/teams", Some(&ada), &json!({"name": "Acme"})).await;
    let body = json!({"name": "Shop", "slug": "shop", "source": {"hosted": {}}});
    let (status, site) = app.post("/api/v1/sites", Some(&ada), &body).await;
    assert_eq!(status, 201, "{site}");
    let transfer = format!("/api/v1/sites/{}/transfer", site["id"].as_str().unwrap());
    let (status, moved) = app.post(&transfer, Some(&ada), &json!({"team_id": acme["id"]})).await;
    assert_eq!((status, &moved["team"]["slug"]), (200, &json!("acme")), "{moved}");
    let refs = async |team: &str| {
        let url = format!("{}/git/{team}/shop.git/info/refs?service=git-upload-pack", app.url);
        let answer = app.client.get(url).basic_auth("ada@example.org", Some("tide lamp orbit 7")).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    assert_eq!(refs("acme").await.0, 200);
    let (status, told) = refs("test").await;
    assert_eq!((status, told.contains("/git/acme/shop.git")), (404, true), "{told}");
    let back = app.post(&transfer, Some(&ada), &json!({"team_id": old})).await;
    assert_eq!(back.0, 200);
    assert_eq!(app.post(&transfer, Some(&ada), &json!({"team_id": old})).await.1["code"], "same_team");
}

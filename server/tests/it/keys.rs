//! The keys: replaced by commands while the program runs, and what everybody may know of them.

use crate::support::{App, Setup, json};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::{Value, json};
use std::{fs, process::Output};

async fn start() -> App {
    Setup::new().await.without_docker().arguments(&["serve", "--roles", "web"]).start().await
}

/// Runs another command of the program on the same installation.
fn command(app: &App, arguments: &[&str]) -> (Output, String) {
    let output = app.setup.beside(arguments).output();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output, text)
}

fn kid(token: &str) -> String {
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    serde_json::from_slice::<Value>(&header).unwrap()["kid"].as_str().unwrap().to_owned()
}

async fn key_set(app: &App) -> Value {
    let response = app.send(Method::GET, "/.well-known/jwks.json", None, None).await;
    assert_eq!(response.headers()["cache-control"], "public, max-age=300");
    let (status, set) = json(response).await;
    assert_eq!(status, 200, "{set}");
    set
}

async fn refreshed(app: &App, token: &Value) -> Value {
    let (status, pair) = app.post("/api/v1/auth/refresh", None, &json!({"refresh_token": token})).await;
    assert_eq!(status, 200, "{pair}");
    pair
}

#[tokio::test]
async fn a_signing_key_is_replaced_while_the_program_runs_and_nobody_is_signed_out() {
    let app = start().await;
    let (token, _) = app.register("ada@example.org").await;
    let body = json!({"email": "ada@example.org", "password": "tide lamp orbit 7"});
    let (_, pair) = app.post("/api/v1/auth/token", None, &body).await;
    let set = key_set(&app).await;
    assert_eq!(set["keys"][0]["kid"], kid(&token));
    assert_eq!((&set["keys"][0]["kty"], &set["keys"][0]["alg"]), (&json!("OKP"), &json!("EdDSA")));
    assert!(set["keys"][0].get("d").is_none());

    let (output, told) = command(&app, &["keys", "rotate-signing"]);
    assert!(output.status.success() && told.contains("good until they expire"), "{told}");
    assert_eq!(app.get("/api/v1/me", Some(&token)).await.0, 200);
    crate::support::until("the next key is announced", async || {
        (key_set(&app).await["keys"].as_array().unwrap().len() == 2).then_some(())
    })
    .await;

    let (output, told) = command(&app, &["keys", "rotate-signing", "--revoke"]);
    assert!(output.status.success() && told.contains("All access tokens have ended"), "{told}");
    crate::support::until("the old token ends", async || {
        (app.get("/api/v1/me", Some(&token)).await.0 == 401).then_some(())
    })
    .await;
    let pair = refreshed(&app, &pair["refresh_token"]).await;
    let fresh = pair["access_token"].as_str().unwrap();
    assert_ne!(kid(fresh), kid(&token));
    assert_eq!(app.get("/api/v1/me", Some(fresh)).await.0, 200);
    assert_eq!(key_set(&app).await["keys"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_master_key_is_replaced_while_the_program_runs() {
    let mut app = start().await;
    let (token, _) = app.register("ada@example.org").await;
    let site = json!({"name": "Shop", "slug": "shop", "source": {"template": "static"}});
    let (status, site) = app.post("/api/v1/sites", Some(&token), &site).await;
    assert_eq!(status, 201, "{site}");
    let variables = format!("/api/v1/sites/{}/environments/production/variables", site["id"].as_str().unwrap());
    let set = async |app: &App, value: &str| {
        let body = json!({"variables": [{"name": "MODE", "value": value}]});
        app.send(Method::PUT, &variables, Some(&token), Some(&body)).await.status()
    };
    assert_eq!(set(&app, "one").await, 200);
    let file = app.data().join("master.key");
    let first = fs::read_to_string(&file).unwrap();

    let (output, told) = command(&app, &["keys", "rotate"]);
    assert!(output.status.success(), "{told}");
    for words in ["Made the master key", "values were sealed anew", "Make a backup", "Keep"] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let old = app.data().join("master.key.old");
    assert_ne!(fs::read_to_string(&file).unwrap(), first);
    assert_eq!(fs::read_to_string(&old).unwrap().trim(), first.trim());
    // The running process goes on, by the new key.
    assert_eq!(app.get("/api/v1/me", Some(&token)).await.0, 200);
    assert_eq!(app.get(&variables, Some(&token)).await.1["variables"][0]["value"], "one");
    assert_eq!(set(&app, "two").await, 200);
    let (_, told) = command(&app, &["keys", "status"]);
    assert!(told.contains("Nothing here needs the older keys any more"), "{told}");

    // Without the old key, as after the operator has put it away.
    fs::remove_file(old).unwrap();
    assert_eq!(set(&app, "three").await, 200);
    app.stop().await;
    app.restart().await;
    assert_eq!(app.get("/api/v1/me", Some(&token)).await.0, 200, "the signing key was sealed anew too");
    assert_eq!(app.get(&variables, Some(&token)).await.1["variables"][0]["value"], "three");
}

#[tokio::test]
async fn a_key_of_the_environment_is_replaced_by_who_sets_it() {
    let (one, two) = ("07".repeat(32), "08".repeat(32));
    let setup = Setup::new().await.without_docker().set("MASTER_KEY", &one);
    let mut app = setup.arguments(&["serve", "--roles", "web"]).start().await;
    let (token, _) = app.register("ada@example.org").await;
    let (output, told) = command(&app, &["keys", "rotate"]);
    assert!(!output.status.success() && told.contains("WEBMETEOR_OLD_MASTER_KEYS"), "{told}");
    app.restart_with("OLD_MASTER_KEYS", &format!("{two},{one}")).await;
    app.restart_with("MASTER_KEY", &two).await;
    assert_eq!(app.get("/api/v1/me", Some(&token)).await.0, 200);
    let (output, told) = command(&app, &["keys", "rotate"]);
    assert!(output.status.success() && told.contains("values were sealed anew"), "{told}");
    let (_, told) = command(&app, &["keys", "status"]);
    assert!(told.contains("Nothing here needs the older keys"), "{told}");
}

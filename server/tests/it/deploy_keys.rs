//! A site whose repository is reached over SSH: from its key to its page, and the key stays a secret.

use crate::{
    pipeline::Site,
    sshd::Sshd,
    support::{App, Setup, client, json, until},
};
use hmac::{Hmac, KeyInit, Mac};
use platform::vault::Vault;
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;
use std::{fs, process::Command};

/// The lines of the only key's private half, as the database's seal hides them.
async fn private_lines(app: &App) -> Vec<String> {
    let text = fs::read_to_string(app.data().join("master.key")).unwrap();
    let key: [u8; 32] = hex::decode(text.trim()).unwrap().try_into().unwrap();
    let row = "select id::text, private_key from deploy_keys";
    let (id, sealed): (String, Vec<u8>) = sqlx::query_as(row).fetch_one(&app.pool()).await.unwrap();
    let opened = Vault::new(key).open(&format!("deploy_keys/{id}/private_key"), &sealed).unwrap();
    let opened = String::from_utf8(opened).unwrap();
    assert!(opened.contains("OPENSSH PRIVATE KEY"));
    opened.lines().filter(|line| !line.starts_with("-----") && line.len() > 40).map(str::to_owned).collect()
}

/// What every process of this machine was started with.
fn processes() -> String {
    let paths = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
    let texts = paths.flat_map(|path| [path.join("cmdline"), path.join("environ")]);
    let texts = texts.filter_map(|path| fs::read(path).ok());
    texts.map(|text| String::from_utf8_lossy(&text).into_owned() + "\n").collect()
}

fn files_with(app: &App, lines: &[String]) -> String {
    let mut grep = Command::new("grep");
    grep.args(["--recursive", "--text", "--files-with-matches", "--fixed-strings"]);
    for line in lines {
        grep.arg("-e").arg(line);
    }
    String::from_utf8(grep.arg("--").arg(app.data()).output().unwrap().stdout).unwrap()
}

/// A team on a platform of its own, whose key for the server's repository is let in.
async fn begin(sshd: &Sshd, setup: Setup) -> (Site, Value) {
    let mut site = Site::empty_on(setup).await;
    let wanted = json!({"url": sshd.url().to_string()});
    let (status, key) = site.app.post("/api/v1/deploy-keys", Some(&site.token), &wanted).await;
    assert_eq!(status, 200, "{key}");
    assert_eq!(key["host_key"], sshd.host_key().fingerprint());
    sshd.authorize(key["public_key"].as_str().unwrap());
    let made = site.another(&json!({"git": {"url": sshd.url().to_string()}})).await;
    assert_eq!(made["repository"]["deploy_key"]["fingerprint"], key["fingerprint"]);
    (site, made)
}

#[tokio::test]
async fn a_site_over_ssh_goes_live_and_its_key_is_seen_nowhere() {
    let (sshd, _) = Sshd::start().await;
    let (site, made) = begin(&sshd, Setup::new().await.set("LOG", "trace")).await;
    let first = made["deployment_id"].as_str().unwrap().to_owned();
    assert_eq!(site.ended(&first).await["status"], "live");
    site.until_page("one").await;

    let private = private_lines(&site.app).await;
    let hidden = |what: &str, text: &str| {
        for line in &private {
            assert!(!text.contains(line) && !text.contains(&hex::encode(line)), "{what} shows the key");
        }
    };
    sshd.hold();
    let second = site.deploy().await;
    until("git is inside", async || sshd.has_entered().then_some(())).await;
    let processes = processes();
    assert!(processes.contains("IdentityFile=/proc/"), "ssh was seen");
    hidden("a process", &processes);
    assert_eq!(files_with(&site.app, &private), "");
    sshd.let_go();
    assert_eq!(site.ended(&second).await["status"], "live");

    hidden("an answer", &made.to_string());
    let own = format!("/api/v1/sites/{}", site.id);
    let log = format!("/api/v1/deployments/{second}/log");
    for path in ["/api/v1/sites".to_owned(), own, log] {
        hidden(&path, &site.app.get(&path, Some(&site.token)).await.1.to_string());
    }
    hidden("the database", &site.database().await);
    assert_eq!(files_with(&site.app, &private), "");
    assert!(site.app.log().contains("TRACE"), "the platform tells all it can");
    hidden("the platform's log", &site.app.log());
}

#[tokio::test]
async fn a_server_with_another_key_fails_the_deployment_until_a_person_accepts_it() {
    let (mut sshd, _) = Sshd::start().await;
    let (site, made) = begin(&sshd, Setup::new().await).await;
    assert_eq!(site.ended(made["deployment_id"].as_str().unwrap()).await["status"], "live");
    let old = sshd.host_key().fingerprint();
    let new = sshd.new_host_key().fingerprint();
    let ended = site.ended(&site.deploy().await).await;
    assert_eq!((&ended["status"], &ended["error"]["code"]), (&json!("failed"), &json!("host_key_changed")));
    let told = ended["error"].to_string();
    assert!(told.contains(&old) && told.contains(&new), "{told}");
    site.until_page("one").await;

    let (status, refused) = site.patch(&json!({"repository": {}})).await;
    assert_eq!((status, &refused["deploy_key"]["offered_host_key"]), (422, &json!(new)), "{refused}");
    let another = json!({"repository": {"new_deploy_key": true}});
    let (status, needed) = site.patch(&another).await;
    assert_eq!((status, &needed["code"]), (422, &json!("deploy_key_needed")), "{needed}");
    assert_eq!(needed["deploy_key"]["host_key"], old, "a new key of ours is no reason to trust a new one of theirs");
    let (status, refused) = site.patch(&another).await;
    assert_eq!((status, &refused["errors"][0]["code"]), (422, &json!("host_key_changed")), "{refused}");
    let (status, shown) = site.patch(&json!({"repository": {"accept_host_key": new}})).await;
    assert_eq!((status, &shown["repository"]["deploy_key"]["host_key"]), (200, &json!(new)), "{shown}");
    sshd.commit("main", &[("index.html", "two")]).await;
    assert_eq!(site.ended(&site.deploy().await).await["status"], "live");
    site.until_page("two").await;
}

/// A platform that runs nothing, with an account.
async fn quiet() -> (App, String) {
    let app = Setup::new().await.without_docker().start().await;
    let (token, _) = app.register("ada@example.org").await;
    (app, token)
}

#[tokio::test]
async fn a_webhook_finds_its_site_by_the_repositorys_web_address_and_by_that_of_ssh() {
    let (sshd, commit) = Sshd::start().await;
    let (app, token) = quiet().await;
    let new = json!({"name": "Over SSH", "source": {"git": {"url": sshd.url().to_string()}}});
    let (status, needed) = app.post("/api/v1/sites", Some(&token), &new).await;
    assert_eq!((status, &needed["code"]), (422, &json!("deploy_key_needed")), "{needed}");
    sshd.authorize(needed["deploy_key"]["public_key"].as_str().unwrap());
    let (status, made) = app.post("/api/v1/sites", Some(&token), &new).await;
    assert_eq!(status, 201, "{made}");
    let secret = made["webhook"]["secret"].as_str().unwrap();
    let path = sshd.repository().display().to_string();
    for (repository, wanted) in [
        (json!({"clone_url": format!("https://127.0.0.1:3000{path}")}), 202),
        (json!({"ssh_url": format!("git@127.0.0.1:{path}")}), 202),
        (json!({"clone_url": format!("https://127.0.0.1{path}-other")}), 401),
    ] {
        let push = json!({"ref": "refs/heads/main", "after": commit.as_str(), "repository": repository}).to_string();
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(push.as_bytes());
        let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
        let request = app.client.post(format!("{}/webhook/customer-site", app.url)).body(push.clone());
        let request = request.header("x-github-event", "push").header("x-hub-signature-256", signature);
        assert_eq!(request.send().await.unwrap().status().as_u16(), wanted, "{push}");
    }
}

#[tokio::test]
async fn the_pages_show_the_key_without_javascript() {
    let (sshd, _) = Sshd::start().await;
    let (app, token) = quiet().await;
    let browser = client();
    let sign_in = [("email", "ada@example.org"), ("password", "tide lamp orbit 7")];
    browser.post(format!("{}/_fn/sign_in", app.url)).form(&sign_in).send().await.unwrap();
    let url = sshd.url().to_string();
    let post = async |function: &str, from: &str, form: &[(&str, &str)]| {
        let request = browser.post(format!("{}/_fn/{function}", app.url)).form(form);
        let request = request.header("accept", "text/html").header("referer", format!("{}{from}", app.url));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 302);
        answer.headers()["location"].to_str().unwrap().to_owned()
    };
    let page = async |path: &str| {
        let address = if path.starts_with('/') { format!("{}{path}", app.url) } else { path.to_owned() };
        let shown = browser.get(address).header("accept", "text/html").send().await.unwrap();
        assert_eq!(shown.status().as_u16(), 200);
        shown.text().await.unwrap()
    };
    let waiting = async || {
        let (_, key) = app.post("/api/v1/deploy-keys", Some(&token), &json!({"url": url})).await;
        key["public_key"].as_str().unwrap().to_owned()
    };
    let form = [("source", "git"), ("name", "Over SSH"), ("git_url", url.as_str())];
    let shown = page(&post("create_site", "/sites/new", &form).await).await;
    let key = waiting().await;
    assert!(shown.contains(&key) && shown.contains("Deploy keys"), "{shown}");
    assert!(shown.contains(&url), "the form comes back filled in");
    sshd.authorize(&key);
    assert!(post("create_site", "/sites/new", &form).await.starts_with("/deployments/"));

    let (_, sites) = app.get("/api/v1/sites", Some(&token)).await;
    let id = sites["items"][0]["id"].as_str().unwrap().to_owned();
    let settings = format!("/sites/{id}/settings");
    let own = sites["items"][0]["repository"]["deploy_key"]["public_key"].as_str().unwrap().to_owned();
    let shown = page(&settings).await;
    assert!(shown.contains(&own) && shown.contains(r#"name="new_deploy_key""#), "{shown}");
    let form = [("id", id.as_str()), ("git_url", &url), ("git_branch", "main"), ("new_deploy_key", "true")];
    let shown = page(&post("set_repository", &settings, &form).await).await;
    let key = waiting().await;
    let bare = key.split(" webmeteor:").next().unwrap();
    assert!(shown.contains(bare) && !own.contains(bare) && shown.contains(&own), "{shown}");
    sshd.authorize(&key);
    post("set_repository", &settings, &form).await;
    let shown = json(app.send(Method::GET, &format!("/api/v1/sites/{id}"), Some(&token), None).await).await.1;
    assert!(shown["repository"]["deploy_key"]["public_key"].as_str().unwrap().contains(bare), "{shown}");
}

//! A site whose repository lies elsewhere: its token stays a secret, its address can be changed.

use crate::{
    pipeline::Site,
    remote::{Forge, Manners},
    support::{Setup, client, json, until},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::Method;
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const TOKEN: &str = "t0ken-of-ada-0123456789";

/// Lets in who has the token.
fn private() -> Manners {
    Manners {
        authorization: Some(format!("Basic {}", STANDARD.encode(format!("oauth2:{TOKEN}")))),
        ..Manners::default()
    }
}

/// The token, and as it is sent; the hexadecimal form is how PostgreSQL shows bytes.
fn forms() -> [String; 4] {
    let pair = format!("oauth2:{TOKEN}");
    [TOKEN.into(), STANDARD.encode(TOKEN), STANDARD.encode(pair), hex::encode(TOKEN)]
}

/// # Panics
/// If the token stands in the text in any form.
fn assert_hidden(what: &str, text: &str) {
    for form in forms() {
        assert!(!text.contains(&form), "{what} shows {form}");
    }
}

/// The files below a folder in which the token stands.
fn files_with_token(folder: &Path) -> String {
    let mut grep = Command::new("grep");
    grep.args(["--recursive", "--text", "--files-with-matches", "--fixed-strings"]);
    for form in forms() {
        grep.arg("-e").arg(form);
    }
    String::from_utf8(grep.arg("--").arg(folder).output().unwrap().stdout).unwrap()
}

/// The arguments of every process of this machine that runs now.
fn arguments() -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path().join("cmdline"));
    processes.filter_map(|path| fs::read(path).ok()).map(|text| String::from_utf8_lossy(&text).into()).collect()
}

impl Site {
    pub async fn patch(&self, change: &Value) -> (u16, Value) {
        let path = format!("/api/v1/sites/{}", self.id);
        json(self.app.send(Method::PATCH, &path, Some(&self.token), Some(change)).await).await
    }

    /// Every row of every table, as text.
    pub async fn database(&self) -> String {
        let pool = self.app.pool();
        let tables = "select table_name::text from information_schema.tables where table_schema = 'public'";
        let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&pool).await.unwrap();
        let mut all = String::new();
        for table in tables {
            let rows = format!("select coalesce(string_agg(t::text, ' '), '') from \"{table}\" t");
            let rows: String = sqlx::query_scalar(sqlx::AssertSqlSafe(rows)).fetch_one(&pool).await.unwrap();
            all += &rows;
        }
        all
    }

    /// The folders in which repositories are being fetched.
    fn fetching(&self) -> Vec<PathBuf> {
        let builds = fs::read_dir(self.app.data().join("builds")).into_iter().flatten();
        let paths = builds.map(|entry| entry.unwrap().path());
        paths.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(".fetch-")).collect()
    }
}

#[tokio::test]
async fn a_token_is_seen_nowhere() {
    let (forge, _) = Forge::with_site(private()).await;
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n";
    forge.commit("main", &[("film.mp4", pointer)]).await;
    let url = format!("{}/site.git", forge.base);
    let setup = Setup::new().await.set("LOG", "trace");
    let (site, made) = Site::begin(setup, &json!({"git": {"url": url, "token": TOKEN}})).await;
    let first = made["deployment_id"].as_str().unwrap().to_owned();
    assert_eq!(site.ended(&first).await["status"], "live");
    site.until_page("one").await;

    let before = forge.requests();
    forge.behave(Manners { stalls: true, ..private() });
    let second = site.deploy().await;
    until("the forge is asked", async || (forge.requests() > before).then_some(())).await;
    let arguments = arguments();
    assert!(arguments.iter().any(|all| all.contains("fetch") && all.contains(&forge.base)), "git was seen");
    assert_hidden("an argument", &arguments.join("\n"));
    let folders = site.fetching();
    assert!(!folders.is_empty(), "the folder was seen");
    for folder in folders {
        assert_eq!(files_with_token(&folder), "");
    }
    forge.behave(private());
    assert_eq!(site.ended(&second).await["status"], "live");

    let (status, renamed) = site.patch(&json!({"repository": {"token": TOKEN}})).await;
    assert_eq!((status, &renamed["repository"]["has_token"]), (200, &json!(true)));
    let (status, refused) = site.patch(&json!({"repository": {"token": format!("x{TOKEN}")}})).await;
    assert_eq!(status, 422);
    for answer in [&made, &renamed, &refused] {
        assert_hidden("an answer", &answer.to_string());
    }
    let own = format!("/api/v1/sites/{}", site.id);
    for path in [
        "/api/v1/sites".to_owned(),
        own.clone(),
        format!("{own}/deployments"),
        format!("{own}/environments"),
        format!("{own}/environments/production/variables"),
        format!("/api/v1/deliveries?site_id={}", site.id),
        format!("/api/v1/deployments/{first}"),
        format!("/api/v1/deployments/{first}/log"),
        format!("/api/v1/deployments/{second}/log"),
    ] {
        let (status, answer) = site.app.get(&path, Some(&site.token)).await;
        assert_eq!(status, 200, "{path}: {answer}");
        assert_hidden(&path, &answer.to_string());
    }
    let log = site.log(&second).await;
    assert!(log.contains(&"1 file is kept by Git LFS and is not fetched: film.mp4".to_owned()), "{log:?}");

    let sealed: Vec<u8> = sqlx::query_scalar("select repository_token from sites where id = $1::uuid")
        .bind(&site.id)
        .fetch_one(&site.app.pool())
        .await
        .unwrap();
    assert!(sealed.len() > TOKEN.len() && !sealed.windows(TOKEN.len()).any(|part| part == TOKEN.as_bytes()));
    let database = site.database().await;
    assert!(database.contains(&site.slug), "the database was read");
    assert_hidden("the database", &database);
    assert_eq!(files_with_token(&site.app.data()), "");
    fs::write(site.app.data().join("control"), format!("x{}", forms()[2])).unwrap();
    assert_ne!(files_with_token(&site.app.data()), "", "whatever has it is found");
    assert!(site.app.log().contains("TRACE"), "the platform tells all it can");
    assert_hidden("the platform's log", &site.app.log());
}

#[tokio::test]
async fn another_repository_is_deployed_without_the_old_ones_token() {
    let (old, _) = Forge::with_site(private()).await;
    let url = format!("{}/site.git", old.base);
    let (site, made) = Site::begin(Setup::new().await, &json!({"git": {"url": url, "token": TOKEN}})).await;
    assert_eq!(site.ended(made["deployment_id"].as_str().unwrap()).await["status"], "live");

    let (status, refused) = site.patch(&json!({"repository": {"token": null}})).await;
    assert_eq!((status, &refused["errors"][0]["field"]), (422, &json!("repository.url")), "{refused}");
    let (new, _) = Forge::with_site(Manners::default()).await;
    new.commit("next", &[("index.html", "moved")]).await;
    let url = format!("{}/site.git", new.base);
    let wrong = json!({"repository": {"url": url, "branch": "nope"}});
    let (status, refused) = site.patch(&wrong).await;
    assert_eq!((status, &refused["errors"][0]["code"]), (422, &json!("ref_not_found")), "{refused}");

    let right = json!({"name": "Moved", "repository": {"url": url, "branch": "next"}});
    let (status, shown) = site.patch(&right).await;
    assert_eq!((status, &shown["name"]), (200, &json!("Moved")), "{shown}");
    let wanted = json!({"kind": "remote", "clone_url": url, "branch": "next", "template": null, "has_token": false});
    assert_eq!(shown["repository"], wanted);
    assert_eq!(site.ended(&site.deploy().await).await["status"], "live");
    site.until_page("moved").await;
}

#[tokio::test]
async fn the_settings_page_sets_the_repository_without_javascript() {
    let (forge, _) = Forge::with_site(private()).await;
    forge.commit("next", &[("index.html", "next")]).await;
    let url = format!("{}/site.git", forge.base);
    let app = Setup::new().await.without_docker().start().await;
    let email = "ada@example.org".to_owned();
    let (token, _) = app.register(&email).await;
    let mut site = Site { app, email, token, id: String::new(), slug: String::new() };
    site.another(&json!({"git": {"url": url, "token": TOKEN}})).await;
    let browser = client();
    let sign_in = [("email", site.email.as_str()), ("password", "tide lamp orbit 7")];
    browser.post(format!("{}/_fn/sign_in", site.app.url)).form(&sign_in).send().await.unwrap();
    let settings = format!("{}/sites/{}/settings", site.app.url, site.id);
    let page =
        async || browser.get(&settings).header("accept", "text/html").send().await.unwrap().text().await.unwrap();
    let shown = page().await;
    assert!(shown.contains(r#"name="git_token""#) && shown.contains(r#"name="remove_token""#), "{shown}");
    assert_hidden("the page", &shown);

    let save = async |token: &str, more: &[(&str, &str)]| {
        let form = [&[("id", site.id.as_str()), ("git_url", &url), ("git_branch", "next"), ("git_token", token)], more];
        let request = browser.post(format!("{}/_fn/set_repository", site.app.url)).form(&form.concat());
        let answer = request.header("accept", "text/html").header("referer", &settings).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let repository =
        async || site.app.get(&format!("/api/v1/sites/{}", site.id), Some(&site.token)).await.1["repository"].clone();
    let (_, refused) = save("wrong", &[]).await;
    assert!(!refused.contains("wrong"), "{refused}");
    assert_eq!(repository().await["branch"], "main", "what was refused changes nothing");
    let (status, answer) = save("", &[]).await;
    assert_eq!(status, 302, "{answer}");
    assert_eq!((&repository().await["branch"], &repository().await["has_token"]), (&json!("next"), &json!(true)));
    forge.behave(Manners::default());
    assert_eq!(save("", &[("remove_token", "true")]).await.0, 302);
    assert_eq!(repository().await["has_token"], false);
    assert!(!page().await.contains(r#"name="remove_token""#));
}

//! Environments on the real engine: variables in containers, a release promoted, gone back to, an environment removed.

use crate::{
    pipeline::{PERL, PERL_MANIFEST, Site, docker, fetch, perl},
    support::{Setup, json, moment, until},
};
use forge::hosted::{Author, FileChange, commit_files};
use model::names::BranchName;
use reqwest::Method;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Applying a release takes so long, beside the containers' own start.
const LIVE_AGAIN: Duration = Duration::from_secs(2);

impl Site {
    fn path(&self, rest: &str) -> String {
        format!("/api/v1/sites/{}{rest}", self.id)
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        json(self.app.send(method, path, Some(&self.token), Some(body)).await).await
    }

    /// Sets all variables of an environment.
    async fn variables(&self, environment: &str, variables: &Value) {
        let path = self.path(&format!("/environments/{environment}/variables"));
        let (status, answer) = self.send(Method::PUT, &path, &json!({"variables": variables})).await;
        assert_eq!(status, 200, "{answer}");
    }

    /// Applies a release; how it ended.
    async fn apply(&self, deployment: &str, what: &str, body: &Value) -> Value {
        let path = format!("/api/v1/deployments/{deployment}/{what}");
        let (status, made) = self.send(Method::POST, &path, body).await;
        assert_eq!(status, 202, "{made}");
        let ended = self.ended(made["id"].as_str().unwrap()).await;
        assert_eq!(ended["status"], "live", "{ended:#}");
        let step = |name: &str| ended["steps"].as_array().unwrap().iter().find(|s| s["name"] == name).unwrap().clone();
        assert_eq!((&step("fetch")["status"], &step("build")["status"]), (&json!("skipped"), &json!("skipped")));
        let between = |of: &Value, from: &str, to: &str| moment(&of[to]) - moment(&of[from]);
        let start = |name: &str| between(&step(name), "started_at", "finished_at");
        let took = between(&ended, "created_at", "finished_at") - start("start") - start("verify");
        println!("{what}: live after {took:.2} beside the containers' own start");
        assert!(took < LIVE_AGAIN, "{what}: {took}");
        ended
    }

    async fn environment(&self, name: &str) -> (u16, Value) {
        self.app.get(&self.path(&format!("/environments/{name}")), Some(&self.token)).await
    }
}

/// The containers of a deployment's service.
fn containers_of(deployment: &Value, service: &str) -> Vec<String> {
    let deployment = format!("label=webmeteor.deployment={}", deployment["id"].as_str().unwrap());
    let service = format!("label=webmeteor.service={service}");
    docker(&["ps", "--quiet", "--no-trunc", "--filter", &deployment, "--filter", &service])
}

/// What a container of a deployment was started with.
fn variables_of(deployment: &Value) -> BTreeSet<String> {
    let ids = containers_of(deployment, "www");
    let [id] = &ids[..] else { panic!("{ids:?}") };
    docker(&["inspect", "--format", "{{range .Config.Env}}{{println .}}{{end}}", id]).into_iter().collect()
}

fn has(variables: &BTreeSet<String>, wanted: &[&str]) -> bool {
    wanted.iter().all(|text| variables.contains(*text))
}

async fn commit_to(site: &Site, branch: &str, files: &[(&str, &str)]) {
    let repository = site.app.data().join("repositories").join(format!("{}.git", site.id));
    let files: BTreeMap<String, FileChange> =
        files.iter().map(|(path, text)| ((*path).to_owned(), FileChange::Write(text.as_bytes().to_vec()))).collect();
    let branch = BranchName::parse(branch).unwrap();
    commit_files(&repository, &branch, &files, "Change", &Author::platform()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_tried_in_staging_is_promoted_and_outlives_its_environment() {
    let site = Site::live().await;
    let secret = "planted-secret-of-production";
    site.variables(
        "production",
        &json!([{"name": "MODE", "value": "of production"}, {"name": "TOKEN", "value": secret, "secret": true}]),
    )
    .await;
    let new = json!({"name": "staging", "branch": "develop"});
    let (status, made) = site.send(Method::POST, &site.path("/environments"), &new).await;
    assert_eq!(status, 201, "{made}");
    let lines = "one\ntwo $THREE 'four' \"five\"";
    site.variables("staging", &json!([{"name": "MODE", "value": "of staging"}, {"name": "LINES", "value": lines}]))
        .await;

    let page = "<!doctype html><title>tried</title>";
    commit_to(&site, "develop", &[("site/index.html", page), ("README.md", "elsewhere")]).await;
    let change = json!({"root": "site"});
    let staging_path = site.path("/environments/staging");
    assert_eq!(site.send(Method::PATCH, &staging_path, &change).await.0, 200);
    let deploy = json!({"environment": "staging"});
    let (status, tried) = site.send(Method::POST, &site.path("/deployments"), &deploy).await;
    assert_eq!(status, 202, "{tried}");
    let tried = site.ended(tried["id"].as_str().unwrap()).await;
    assert_eq!(tried["status"], "live", "{tried:#}");
    let staging_host = format!("{}-staging", site.slug);
    let staging_page = async || fetch(&site.app.client, &site.app.proxy(), &staging_host).await;
    until("staging", async || staging_page().await.filter(|page| page.contains("tried"))).await;
    assert!(site.page().await.is_some_and(|page| page.contains("Morrow Studio")), "production goes on");
    let given = variables_of(&tried);
    assert!(has(&given, &["MODE=of staging", "APP_ENV=staging"]), "{given:?}");
    assert!(given.contains("LINES=one") && given.contains("two $THREE 'four' \"five\""), "{given:?}");
    assert!(!given.iter().any(|text| text.contains(secret)));

    let promoted = site.apply(tried["id"].as_str().unwrap(), "promote", &json!({"environment": "production"})).await;
    assert_eq!((&promoted["environment"], &promoted["trigger"]), (&json!("production"), &json!("promote")));
    site.until_page("tried").await;
    let given = variables_of(&promoted);
    assert!(has(&given, &["MODE=of production", &format!("TOKEN={secret}"), "APP_ENV=production"]), "{given:?}");
    assert!(!given.contains("LINES=one"));
    let [id] = &containers_of(&promoted, "www")[..] else { panic!() };
    let image = docker(&["inspect", "--format", "{{.Config.Image}}", id]).remove(0);
    assert!(image.contains(".staging-www:"), "{image}");

    assert_eq!(site.send(Method::DELETE, &staging_path, &json!({})).await.0, 202);
    until("staging is gone", async || (site.environment("staging").await.0 == 404).then_some(())).await;
    until("no route", async || staging_page().await.is_none().then_some(())).await;
    let networks = docker(&["network", "ls", "--quiet", "--filter", &format!("label=webmeteor.site={}", site.id)]);
    assert_eq!(networks.len(), 1, "production's alone");
    assert!(site.page().await.is_some_and(|page| page.contains("tried")));
    assert!(!docker(&["images", "--quiet", &image]).is_empty(), "production runs it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_comes_back_with_the_variables_of_then_or_of_today_and_is_made_again_with_them() {
    let site = Site::live().await;
    let secret = "planted-secret-value";
    site.variables("production", &json!([{"name": "MODE", "value": "then"}])).await;
    site.commit(&[("index.html", "<!doctype html><title>second</title>")]).await;
    let then = site.ended(&site.deploy().await).await;
    assert!(has(&variables_of(&then), &["MODE=then"]));
    site.variables(
        "production",
        &json!([{"name": "MODE", "value": "now"}, {"name": "TOKEN", "value": secret, "secret": true}]),
    )
    .await;
    assert!(has(&variables_of(&then), &["MODE=then"]), "a change waits for the next deployment");
    let path = site.path("/environments/production/variables");
    let (_, shown) = site.app.get(&path, Some(&site.token)).await;
    assert_eq!((&shown["version"], &shown["running_version"]), (&json!(2), &json!(1)));
    assert!(!shown.to_string().contains(secret), "{shown}");

    let id = then["id"].as_str().unwrap();
    let applied = site.apply(id, "rollback", &json!({"variables": "now"})).await;
    assert_eq!(applied["trigger"], "manual", "the release that serves, with today's variables");
    assert!(has(&variables_of(&applied), &["MODE=now", &format!("TOKEN={secret}")]));

    let back = site.apply(id, "rollback", &json!({})).await;
    assert_eq!(back["trigger"], "rollback");
    assert!(has(&variables_of(&back), &["MODE=then"]));
    docker(&["rm", "--force", &containers_of(&back, "www")[0]]);
    until("the container is made again", async || (!containers_of(&back, "www").is_empty()).then_some(())).await;
    assert!(has(&variables_of(&back), &["MODE=then"]), "what serves keeps its variables");
    let folder = site.app.data().join("sites");
    let env = compose_env(&folder);
    assert!(env.contains("MODE='then'"), "{env}");

    site.commit(&[("Dockerfile", &format!("FROM debian:bookworm-slim\nRUN echo the-{secret}-printed\nRUN false\n"))])
        .await;
    let failed = site.ended(&site.deploy().await).await;
    assert_eq!(failed["status"], "failed");
    let log = format!("/api/v1/deployments/{}/log", failed["id"].as_str().unwrap());
    let (_, log) = site.app.get(&log, Some(&site.token)).await;
    assert!(log.to_string().contains("-printed") && !log.to_string().contains(secret), "{log}");
}

/// The one `.env` below this folder.
fn compose_env(folder: &std::path::Path) -> String {
    let only = |folder: &std::path::Path| std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    let environment = only(&only(&only(folder)));
    std::fs::read_to_string(environment.join(".env")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_became_of_a_deployment_its_commit_is_deployed_again() {
    let site = Site::live().await;
    let page = |words: &str| {
        let serve = perl("200 OK", words, None);
        [("Dockerfile", PERL.to_owned()), ("webmeteor.toml", PERL_MANIFEST.to_owned()), ("serve.pl", serve)]
    };
    let commit = async |branch: &str, words: &str| {
        let files = page(words);
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
        commit_to(&site, branch, &files).await;
    };
    let id = |shown: &Value| shown["id"].as_str().unwrap().to_owned();
    let again = async |of: &str| {
        let (status, made) = site.act(of, "redeploy").await;
        assert_eq!((status, &made["trigger"]), (202, &json!("manual")), "{made}");
        made
    };
    let again_live = async |of: &str, words: &str| {
        let ended = site.ended(&id(&again(of).await)).await;
        assert_eq!(ended["status"], "live", "{words}: {ended:#}");
        site.until_page(words).await;
    };

    // The one that runs holds the queue: what comes meanwhile waits.
    site.commit(&[("Dockerfile", "FROM debian:bookworm-slim\nRUN sleep 600\n")]).await;
    let cancelled = site.deploy().await;
    site.until_status(&cancelled, &["building"]).await;
    let superseded = site.deploy().await;
    let waiting = site.deploy().await;
    assert_eq!(site.show(&superseded).await["status"], "superseded");
    for deployment in [&waiting, &cancelled] {
        assert_eq!(site.act(deployment, "cancel").await.0, 202);
        assert_eq!(site.ended(deployment).await["status"], "cancelled");
    }
    commit("main", "newest").await;
    again_live(&superseded, "newest").await;
    again_live(&waiting, "newest").await;
    let same = id(&again(&cancelled).await);
    assert_eq!(site.show(&same).await["commit"], site.show(&cancelled).await["commit"]);
    assert_eq!(site.act(&same, "cancel").await.0, 202);
    assert_eq!(site.ended(&same).await["status"], "cancelled");

    site.commit(&[("Dockerfile", "FROM debian:bookworm-slim\nRUN exit 7\n")]).await;
    let failed = site.deploy().await;
    assert_eq!(site.ended(&failed).await["error"]["code"], "build_failed");
    commit("main", "mended").await;
    let same = site.ended(&id(&again(&failed).await)).await;
    assert_eq!(same["error"]["code"], "build_failed", "the same commit fails again");

    let then = site.ended(&site.deploy().await).await;
    commit("main", "of now").await;
    assert_eq!(site.ended(&site.deploy().await).await["status"], "live");
    let back = site.apply(&id(&then), "rollback", &json!({})).await;
    assert_eq!(site.ended(&site.deploy().await).await["status"], "live");
    site.until_page("of now").await;
    again_live(&id(&back), "mended").await;

    commit("develop", "of staging").await;
    let new = json!({"name": "staging", "branch": "develop"});
    assert_eq!(site.send(Method::POST, &site.path("/environments"), &new).await.0, 201);
    let (_, tried) = site.send(Method::POST, &site.path("/deployments"), &json!({"environment": "staging"})).await;
    assert_eq!(site.ended(&id(&tried)).await["status"], "live");
    let promoted = site.apply(&id(&tried), "promote", &json!({"environment": "production"})).await;
    assert_eq!(site.ended(&site.deploy().await).await["status"], "live");
    site.until_page("of now").await;
    again_live(&id(&promoted), "of staging").await;
}

/// Asks the database that a deployment made, as its services would.
fn ask(deployment: &Value, sql: &str) -> String {
    let ids = containers_of(deployment, "db");
    let [db] = &ids[..] else { panic!("{ids:?}") };
    let psql = r#"psql --no-psqlrc --tuples-only --no-align --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --command "$0""#;
    docker(&["exec", db, "sh", "-c", psql, sql]).join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_environment_has_a_database_of_its_own() {
    let site = Site::empty_on(Setup::new().await).await;
    let manifest = format!("{PERL_MANIFEST}[database]\npostgres = true\n");
    let server = perl("200 OK", "of both", None);
    site.commit(&[("Dockerfile", PERL), ("serve.pl", &server), ("webmeteor.toml", &manifest)]).await;
    let new = json!({"name": "staging", "branch": "main"});
    assert_eq!(site.send(Method::POST, &site.path("/environments"), &new).await.0, 201);
    let (mut live, mut addresses) = (Vec::new(), BTreeSet::new());
    for name in ["production", "staging"] {
        let (_, made) = site.send(Method::POST, &site.path("/deployments"), &json!({"environment": name})).await;
        let ended = site.ended(made["id"].as_str().unwrap()).await;
        assert_eq!(ended["status"], "live", "{ended:#}");
        let given = variables_of(&ended).into_iter().find(|line| line.starts_with("DATABASE_URL="));
        addresses.insert(given.expect("the service is given its database's address"));
        live.push(ended);
    }
    let [production, staging] = &live[..] else { unreachable!() };
    assert_eq!(addresses.len(), 2, "each has its own password");
    ask(production, "create table customers as select 'Ada' as name");
    assert_eq!(ask(production, "select name from customers"), "Ada");
    assert_eq!(ask(staging, "select to_regclass('customers') is null"), "t");

    let staging_path = site.path("/environments/staging");
    assert_eq!(site.send(Method::DELETE, &staging_path, &json!({})).await.0, 202);
    until("staging is gone", async || (site.environment("staging").await.0 == 404).then_some(())).await;
    assert_eq!(ask(production, "select name from customers"), "Ada", "production keeps its data");
}

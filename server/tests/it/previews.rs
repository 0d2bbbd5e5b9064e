//! Previews on the real engine, from a forge that is served by git itself: live at addresses of their own, and gone
//! without a trace.

use crate::{
    pipeline::{Site, docker, fetch},
    remote::{Forge, Manners},
    support::{Setup, json, until},
};
use hmac::{Hmac, KeyInit, Mac};
use model::names::CommitSha;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What nothing but production may know.
const OF_PRODUCTION: &str = "planted-secret-of-production";
/// What previews of the repository itself may know, and those of forks may not.
const OF_PREVIEWS: &str = "planted-secret-of-previews";

/// A live site of a forge's repository, with previews turned on.
struct World {
    forge: Forge,
    site: Site,
    secret: String,
    url: String,
}

impl World {
    async fn new(settings: Value) -> Self {
        let (forge, _) = Forge::with_site(Manners::default()).await;
        forge.commit("main", &[("index.html", "<!doctype html><title>of production</title>")]).await;
        let url = format!("{}/site.git", forge.base);
        let (site, made) = Site::begin(Setup::new().await, &json!({"git": {"url": url}})).await;
        let secret = made["webhook"]["secret"].as_str().unwrap().to_owned();
        assert_eq!(site.ended(made["deployment_id"].as_str().unwrap()).await["status"], "live");
        site.until_page("of production").await;
        let world = Self { forge, site, secret, url };
        let mut wanted = settings;
        wanted["enabled"] = true.into();
        let (status, changed) = world.send(Method::PATCH, "", &json!({"previews": wanted})).await;
        assert_eq!((status, &changed["previews"]["enabled"]), (200, &json!(true)), "{changed}");
        world
    }

    async fn send(&self, method: Method, rest: &str, body: &Value) -> (u16, Value) {
        let path = format!("/api/v1/sites/{}{rest}", self.site.id);
        json(self.site.app.send(method, &path, Some(&self.site.token), Some(body)).await).await
    }

    /// A commit that is nowhere but where the forge keeps the pull request.
    async fn pushed(&self, number: u64, words: &str) -> CommitSha {
        let branch = format!("of-{number}");
        let page = format!("<!doctype html><title>{words}</title>");
        let commit = self.forge.commit(&branch, &[("index.html", &page)]).await;
        self.forge.git(&["update-ref", &format!("refs/pull/{number}/head"), commit.as_str()]);
        self.forge.git(&["branch", "--quiet", "-D", &branch]);
        commit
    }

    /// Sends GitHub's event of a pull request; what the platform answered.
    async fn told(&self, action: &str, number: u64, commit: &CommitSha, owner: &str) -> Value {
        let body = json!({
            "action": action, "number": number, "repository": {"clone_url": self.url},
            "pull_request": {
                "title": "Better", "merged": false, "user": {"login": "eve"},
                "head": {"ref": "fix", "sha": commit.as_str(), "repo": {"full_name": format!("{owner}/site")}},
                "base": {"ref": "main", "sha": commit.as_str(), "repo": {"full_name": "ada/site"}}
            }
        })
        .to_string();
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(self.secret.as_bytes()).unwrap();
        mac.update(body.as_bytes());
        let app = &self.site.app;
        let sent = app
            .client
            .post(format!("{}/webhook/customer-site/{}", app.url, self.site.id))
            .header("x-github-event", "pull_request")
            .header("x-github-delivery", uuid::Uuid::new_v4().to_string())
            .header("x-hub-signature-256", format!("sha256={}", hex::encode(mac.finalize().into_bytes())))
            .body(body);
        let (status, answer) = json(sent.send().await.unwrap()).await;
        assert_eq!(status, 202, "{answer}");
        answer
    }

    async fn preview(&self, number: u64) -> Value {
        let (status, all) = self.site.app.get(&self.path("/previews"), Some(&self.site.token)).await;
        assert_eq!(status, 200, "{all}");
        all["items"].as_array().unwrap().iter().find(|it| it["number"] == number).cloned().unwrap_or_default()
    }

    fn path(&self, rest: &str) -> String {
        format!("/api/v1/sites/{}{rest}", self.site.id)
    }

    /// The preview's newest deployment, once it is live, and the preview answers with these words.
    async fn live(&self, number: u64, words: &str) -> Value {
        let shown = self.preview(number).await;
        let deployment = shown["latest_deployment"]["id"].as_str().unwrap_or_else(|| panic!("{shown:#}")).to_owned();
        let ended = self.site.ended(&deployment).await;
        assert_eq!(ended["status"], "live", "{ended:#}\n{:#?}", self.site.log(&deployment).await);
        until(words, async || self.page(number).await.filter(|page| page.contains(words))).await;
        ended
    }

    async fn page(&self, number: u64) -> Option<String> {
        fetch(&self.site.app.client, &self.site.app.proxy(), &format!("{}-pr-{number}", self.site.slug)).await
    }

    /// All that Docker has of the site.
    fn traces(&self) -> BTreeSet<String> {
        let filter = format!("label=webmeteor.site={}", self.site.id);
        [
            &["ps", "--all", "--quiet"][..],
            &["network", "ls", "--quiet"],
            &["volume", "ls", "--quiet"],
            &["images", "--quiet"],
        ]
        .into_iter()
        .flat_map(|arguments| docker(&[arguments, &["--filter", &filter]].concat()))
        .collect()
    }

    /// Waits until nothing of a preview is left beside what there was before it.
    async fn until_gone(&self, number: u64, before: &BTreeSet<String>) {
        until("nothing of the preview is left", async || (self.traces() == *before).then_some(())).await;
        assert_eq!(self.page(number).await, None, "no route");
        until("its row is gone", async || self.preview(number).await["environment"].is_null().then_some(())).await;
        let folder = self.site.app.data().join("sites");
        assert!(!find(&folder, &format!("pr-{number}")), "no folder");
        assert!(self.site.page().await.is_some_and(|page| page.contains("of production")), "production goes on");
    }
}

/// Whether something below a folder has this name.
fn find(folder: &std::path::Path, name: &str) -> bool {
    std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .any(|entry| entry.file_name() == name || entry.path().is_dir() && find(&entry.path(), name))
}

/// What the containers of a deployment were started with.
fn variables_of(deployment: &Value) -> String {
    let filter = format!("label=webmeteor.deployment={}", deployment["id"].as_str().unwrap());
    let ids = docker(&["ps", "--quiet", "--no-trunc", "--filter", &filter]);
    assert!(!ids.is_empty(), "{deployment:#}");
    let inspect = ["inspect", "--format", "{{range .Config.Env}}{{println .}}{{end}}"];
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    docker(&[&inspect[..], &ids].concat()).join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_is_live_from_its_opening_to_its_end_and_leaves_nothing() {
    let world = World::new(json!({"max": 1})).await;
    let of_production = json!({"variables": [{"name": "KEY", "value": OF_PRODUCTION, "secret": true}]});
    let set = world.send(Method::PUT, "/environments/production/variables", &of_production).await;
    assert_eq!(set.0, 200, "{}", set.1);
    let of_previews = json!({"variables": [{"name": "TOKEN", "value": OF_PREVIEWS, "secret": true}]});
    assert_eq!(world.send(Method::PUT, "/previews/variables", &of_previews).await.0, 200);
    world.site.until_settled().await;
    let before = world.traces();

    let commit = world.pushed(12, "first of twelve").await;
    let opened = world.told("opened", 12, &commit, "ada").await;
    assert_eq!(opened["outcome"], "queued", "{opened}");
    let live = world.live(12, "first of twelve").await;
    assert_eq!((&live["commit"], &live["environment"]), (&json!(commit.as_str()), &json!("pr-12")));
    assert_eq!(live["pull_request"]["number"], 12);
    assert!(live["commit_url"].as_str().unwrap().ends_with(&format!("/site/commit/{commit}")), "{live:#}");
    assert!(world.preview(12).await["url"].as_str().unwrap().contains(&format!("{}-pr-12.localhost", world.site.slug)));
    let given = variables_of(&live);
    assert!(given.contains(OF_PREVIEWS) && given.contains("APP_ENV=pr-12"), "{given}");
    assert!(!given.contains(OF_PRODUCTION), "{given}");
    assert!(world.site.page().await.is_some_and(|page| page.contains("of production")));

    let commit = world.pushed(12, "second of twelve").await;
    world.told("synchronize", 12, &commit, "ada").await;
    world.live(12, "second of twelve").await;

    let waiting = world.pushed(13, "thirteen").await;
    let told = world.told("opened", 13, &waiting, "ada").await;
    assert_eq!(told["outcome"], "ignored");
    assert!(told["reason"].as_str().unwrap().contains("this one waits"), "{told}");
    assert_eq!(world.preview(13).await["state"], "waiting");
    let closed = world.told("closed", 12, &commit, "ada").await;
    assert!(closed["reason"].as_str().unwrap().ends_with("Its preview is removed."), "{closed}");
    until("the one that waited has its turn", async || {
        world.preview(13).await["latest_deployment"]["id"].is_string().then_some(())
    })
    .await;
    world.live(13, "thirteen").await;
    assert_eq!(world.page(12).await, None);

    assert_eq!(world.send(Method::DELETE, "/previews/13", &json!({})).await.0, 202);
    world.until_gone(13, &before).await;
    world.until_gone(12, &before).await;
    assert_eq!(world.preview(12).await["state"], "closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forks_commit_is_built_once_it_is_approved_and_that_one_alone() {
    let world = World::new(json!({})).await;
    let of_previews = json!({"variables": [
        {"name": "TOKEN", "value": OF_PREVIEWS, "secret": true}, {"name": "MODE", "value": "preview"}
    ]});
    assert_eq!(world.send(Method::PUT, "/previews/variables", &of_previews).await.0, 200);
    world.site.until_settled().await;
    let before = world.traces();
    let first = world.pushed(7, "first of a stranger").await;
    let told = world.told("opened", 7, &first, "eve").await;
    assert_eq!(told["outcome"], "ignored", "{told}");
    assert_eq!(world.preview(7).await["state"], "approval");
    let asked = world.forge.requests();

    let wrong = json!({"commit": "1111111111111111111111111111111111111111"});
    let (status, refused) = world.send(Method::POST, "/previews/7/approve", &wrong).await;
    assert_eq!((status, &refused["code"]), (409, &json!("head_moved")), "{refused}");
    assert_eq!((world.traces(), world.forge.requests()), (before.clone(), asked), "nothing is made or fetched");

    let approve = async |commit: &CommitSha| {
        let (status, view) = world.send(Method::POST, "/previews/7/approve", &json!({"commit": commit.as_str()})).await;
        assert_eq!((status, &view["state"]), (202, &json!("active")), "{view}");
    };
    approve(&first).await;
    let live = world.live(7, "first of a stranger").await;
    assert_eq!(live["commit"], first.as_str());
    let given = variables_of(&live);
    assert!(given.contains("MODE=preview") && !given.contains(OF_PREVIEWS), "{given}");

    let second = world.pushed(7, "second of a stranger").await;
    let told = world.told("synchronize", 7, &second, "eve").await;
    assert_eq!(told["outcome"], "ignored", "{told}");
    let shown = world.preview(7).await;
    assert_eq!((&shown["state"], &shown["commit"]), (&json!("approval"), &json!(second.as_str())));
    assert!(world.page(7).await.is_some_and(|page| page.contains("first of a stranger")), "what was approved serves");
    approve(&second).await;
    world.live(7, "second of a stranger").await;
    world.told("closed", 7, &second, "eve").await;
    world.until_gone(7, &before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_preview_is_removed_by_the_housekeeping() {
    let mut world = World::new(json!({"idle_days": 3})).await;
    world.site.until_settled().await;
    let before = world.traces();
    let commit = world.pushed(5, "of five").await;
    world.told("opened", 5, &commit, "ada").await;
    world.live(5, "of five").await;
    let old = "update pull_requests set active_at = now() - interval '3 days 1 minute'";
    sqlx::query(old).execute(&world.site.app.pool()).await.unwrap();
    // Its first look is at the start.
    world.site.app.kill();
    world.site.app.restart().await;
    until("it is idle", async || (world.preview(5).await["state"] == "idle").then_some(())).await;
    world.until_gone(5, &before).await;
    let commit = world.pushed(5, "of five again").await;
    world.told("synchronize", 5, &commit, "ada").await;
    world.live(5, "of five again").await;
}

//! Deployments on the real engine behind the real proxy: broken on purpose, and what serves goes on serving.

use crate::support::{App, Setup, assert_within, json, until};
use forge::hosted::{Author, FileChange, commit_files};
use model::names::BranchName;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// What was done to the machine by hand is undone within this time.
pub const RIGHT_AGAIN: Duration = Duration::from_secs(15);

/// A site of a team of its own, on a platform of its own.
pub struct Site {
    pub app: App,
    pub email: String,
    pub token: String,
    pub id: String,
    pub slug: String,
}

impl Site {
    /// A static site that is live.
    pub async fn live() -> Self {
        Self::live_on(Setup::new().await).await
    }

    /// A static site that is live, on a platform that is set up like this.
    pub async fn live_on(setup: Setup) -> Self {
        let (site, first) = Self::begin(setup, &json!({"template": "static"})).await;
        assert_eq!(site.ended(first["deployment_id"].as_str().unwrap()).await["status"], "live");
        site
    }

    /// A site with an empty repository.
    pub async fn empty_on(setup: Setup) -> Self {
        Self::begin(setup, &json!({"hosted": {}})).await.0
    }

    /// A new site on a platform that is set up like this, and what the platform answered.
    pub async fn begin(setup: Setup, source: &Value) -> (Self, Value) {
        let app = setup.start().await;
        app.until_ready().await;
        // Names in Docker begin with the team's: tests beside each other must not meet there.
        let name: String =
            uuid::Uuid::new_v4().simple().to_string().chars().filter(char::is_ascii_alphabetic).collect();
        let email = format!("it{name}@example.org");
        let (token, _) = app.register(&email).await;
        let mut site = Self { app, email, token, id: String::new(), slug: String::new() };
        let made = site.another(source).await;
        (site, made)
    }

    /// Makes a further site of the same team, and this is about that one from now on; what the platform answered.
    pub async fn another(&mut self, source: &Value) -> Value {
        self.slug = format!("site-{}", &uuid::Uuid::new_v4().simple().to_string()[..10]);
        let new = json!({"name": "Site", "slug": self.slug, "source": source});
        let (status, made) = self.app.post("/api/v1/sites", Some(&self.token), &new).await;
        assert_eq!(status, 201, "{made}");
        made["id"].as_str().unwrap().clone_into(&mut self.id);
        made
    }

    /// The site's newest deployment.
    pub async fn latest(&self) -> String {
        let (_, shown) = self.app.get(&format!("/api/v1/sites/{}", self.id), Some(&self.token)).await;
        shown["latest_deployment"]["id"].as_str().unwrap().to_owned()
    }

    pub async fn commit(&self, files: &[(&str, &str)]) {
        let repository = self.app.data().join("repositories").join(format!("{}.git", self.id));
        let files: BTreeMap<String, FileChange> = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), FileChange::Write(text.as_bytes().to_vec())))
            .collect();
        let main = BranchName::parse("main").unwrap();
        commit_files(&repository, &main, &files, "Change", &Author::platform()).await.unwrap();
    }

    pub async fn deploy(&self) -> String {
        let path = format!("/api/v1/sites/{}/deployments", self.id);
        let (status, made) = self.app.post(&path, Some(&self.token), &json!({})).await;
        assert_eq!(status, 202, "{made}");
        made["id"].as_str().unwrap().to_owned()
    }

    pub async fn act(&self, deployment: &str, what: &str) -> (u16, Value) {
        let path = format!("/api/v1/deployments/{deployment}/{what}");
        json(self.app.send(Method::POST, &path, Some(&self.token), None).await).await
    }

    pub async fn show(&self, deployment: &str) -> Value {
        self.app.get(&format!("/api/v1/deployments/{deployment}"), Some(&self.token)).await.1
    }

    /// The lines of a deployment's log.
    pub async fn log(&self, deployment: &str) -> Vec<String> {
        let (_, log) = self.app.get(&format!("/api/v1/deployments/{deployment}/log"), Some(&self.token)).await;
        let lines = log["items"].as_array().unwrap().iter();
        lines.map(|line| line["text"].as_str().unwrap().to_owned()).collect()
    }

    pub async fn until_status(&self, deployment: &str, wanted: &[&str]) -> Value {
        until(&format!("{wanted:?}"), async || {
            let shown = self.show(deployment).await;
            wanted.contains(&shown["status"].as_str().unwrap_or_default()).then_some(shown)
        })
        .await
    }

    pub async fn ended(&self, deployment: &str) -> Value {
        self.until_status(deployment, &["live", "failed", "cancelled", "superseded"]).await
    }

    pub async fn page(&self) -> Option<String> {
        fetch(&self.app.client, &self.app.proxy(), &self.slug).await
    }

    pub async fn until_page(&self, words: &str) {
        until(words, async || self.page().await.filter(|page| page.contains(words))).await;
    }

    /// Names of the site's containers, running ones.
    pub fn containers(&self) -> Vec<String> {
        let mut names =
            docker(&["ps", "--format", "{{.Names}}", "--filter", &format!("label=webmeteor.site={}", self.id)]);
        names.sort();
        names
    }

    pub async fn until_settled(&self) {
        until("one container with its plain name", async || {
            let names = self.containers();
            (names.len() == 1 && !names[0].contains('.')).then_some(())
        })
        .await;
    }
}

pub async fn fetch(client: &Client, proxy: &str, slug: &str) -> Option<String> {
    let answer = client.get(proxy).header("host", format!("{slug}.localhost")).send().await.ok()?;
    if !answer.status().is_success() {
        return None;
    }
    answer.text().await.ok()
}

pub fn docker(arguments: &[&str]) -> Vec<String> {
    let out = Command::new("docker").args(arguments).output().unwrap();
    String::from_utf8_lossy(&out.stdout).lines().map(str::to_owned).collect()
}

/// Visitors who come one after another until it is dropped, on kept and on fresh connections.
pub struct Visitors {
    stop: Arc<AtomicBool>,
    served: Arc<AtomicUsize>,
    failed: Arc<AtomicUsize>,
}

impl Visitors {
    pub fn of(site: &Site) -> Self {
        let visitors = Self { stop: Arc::default(), served: Arc::default(), failed: Arc::default() };
        for keeps in [true, false] {
            let (stop, served, failed) = (visitors.stop.clone(), visitors.served.clone(), visitors.failed.clone());
            let (proxy, slug) = (site.app.proxy(), site.slug.clone());
            let client = Client::builder().pool_max_idle_per_host(usize::from(keeps)).build().unwrap();
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let counter = if fetch(&client, &proxy, &slug).await.is_some() { &served } else { &failed };
                    counter.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            });
        }
        visitors
    }

    pub fn counts(&self) -> (usize, usize) {
        self.stop.store(true, Ordering::Relaxed);
        (self.served.load(Ordering::Relaxed), self.failed.load(Ordering::Relaxed))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn redeploying_drops_no_request_and_rolling_back_needs_no_build() {
    let site = Site::live().await;
    let first = site.latest().await;
    let visitors = Visitors::of(&site);
    for word in ["alpha", "beta", "gamma"] {
        site.commit(&[("index.html", &format!("<!doctype html><title>{word}</title>"))]).await;
        let next = site.deploy().await;
        assert_eq!(site.ended(&next).await["status"], "live");
        site.until_page(word).await;
    }
    let (status, back) = site.act(&first, "rollback").await;
    assert_eq!(status, 202, "{back}");
    let back = site.ended(back["id"].as_str().unwrap()).await;
    assert_eq!((&back["status"], &back["trigger"]), (&json!("live"), &json!("rollback")));
    let build = back["steps"].as_array().unwrap().iter().find(|step| step["name"] == "build").unwrap();
    assert_eq!(build["status"], "skipped");
    site.until_page("Morrow Studio").await;
    site.until_settled().await;
    let (served, failed) = visitors.counts();
    assert!(served > 100 && failed == 0, "{served} served, {failed} failed");
    let (status, refused) = site.act(back["id"].as_str().unwrap(), "rollback").await;
    assert_eq!((status, &refused["code"]), (409, &json!("already_current")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_killed_in_the_middle_takes_the_deployment_up_again_while_the_site_serves() {
    let mut site = Site::live().await;
    let visitors = Visitors::of(&site);
    site.commit(&[
        ("Dockerfile", "FROM debian:bookworm-slim\nRUN sleep 3\nCOPY . /srv\nUSER nobody\nWORKDIR /srv\nEXPOSE 8080\nCMD [\"perl\", \"serve.pl\"]\n"),
        ("serve.pl", "use IO::Socket::INET;\nmy $s = IO::Socket::INET->new(LocalPort => 8080, Listen => 9, ReuseAddr => 1) or die;\nwhile (my $c = $s->accept) { while (<$c>) { last if /^\\r?\\n$/ } print $c \"HTTP/1.1 200 OK\\r\\nContent-Length: 6\\r\\nConnection: close\\r\\n\\r\\nperled\"; close $c; }\n"),
        ("webmeteor.toml", "[services.www]\nbuild = \".\"\nport = 8080\n"),
    ])
    .await;
    let deployment = site.deploy().await;
    site.until_status(&deployment, &["building"]).await;
    site.app.kill();
    site.app.restart().await;
    let ended = site.ended(&deployment).await;
    assert_eq!(ended["status"], "live", "{ended:#}");
    site.until_page("perled").await;
    site.until_settled().await;
    let (served, failed) = visitors.counts();
    assert!(served > 100 && failed == 0, "{served} served, {failed} failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_build_ends_at_once_and_leaves_nothing() {
    let site = Site::live().await;
    site.commit(&[("Dockerfile", "FROM debian:bookworm-slim\nRUN echo begun && sleep 300\n")]).await;
    let deployment = site.deploy().await;
    let log = format!("/api/v1/deployments/{deployment}/log");
    until("the build's first line", async || {
        let (_, page) = site.app.get(&log, Some(&site.token)).await;
        page["items"].as_array()?.iter().any(|line| line["text"] == "begun").then_some(())
    })
    .await;
    let asked = Instant::now();
    assert_eq!(site.act(&deployment, "cancel").await.0, 202);
    assert_eq!(site.ended(&deployment).await["status"], "cancelled");
    let took = asked.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?}");
    until("no container of the build", async || {
        docker(&[
            "ps",
            "--quiet",
            "--filter",
            "status=running",
            "--filter",
            "ancestor=debian:bookworm-slim",
            "--no-trunc",
            "--format",
            "{{.Command}}",
        ])
        .iter()
        .all(|command| !command.contains("begun"))
        .then_some(())
    })
    .await;
    assert!(site.page().await.is_some_and(|page| page.contains("Morrow Studio")));
    let (status, refused) = site.act(&deployment, "cancel").await;
    assert_eq!((status, &refused["code"]), (409, &json!("not_cancellable")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_release_never_goes_live_and_says_why() {
    let site = Site::live().await;
    let from = "FROM debian:bookworm-slim\n";
    let says = |then: &str| format!("{from}CMD [\"perl\", \"-e\", \"$| = 1; print qq(last words\\n); {then}\"]\n");
    let serves = |then: &str| {
        says(&format!(
            "use IO::Socket::INET; $s = IO::Socket::INET->new(LocalPort => 8080, Listen => 9); \
             while ($c = $s->accept) {{ {then} }}"
        ))
    };
    let manifest = |rest: &str| format!("[services.www]\nbuild = \".\"\nport = 8080\n{rest}\n");
    let usual = manifest("healthcheck = { start_period = \"3s\" }");
    let impatient = manifest("healthcheck = { timeout = \"500ms\", start_period = \"3s\" }");
    let health = |command: &str| {
        manifest(&format!(
            "healthcheck = {{ command = {command}, interval = \"500ms\", timeout = \"1s\", start_period = \"4s\" }}"
        ))
    };
    let small = manifest("memory = \"32mb\"");
    let nowhere = "[services.www]\nbuild = \"nowhere\"\nport = 80\n".to_owned();
    let notes = "[services.www]\nbuild = \"notes\"\nport = 80\n".to_owned();
    let absent = "[services.www]\nimage = \"webmeteor.invalid/none:1\"\nport = 80\n".to_owned();
    for (dockerfile, manifest, code, step) in [
        (format!("{from}RUN echo last words && exit 7\n"), &usual, "build_failed", "build"),
        (says("sleep 600"), &usual, "not_listening", "verify"),
        (says("exit 1"), &usual, "crash_loop", "verify"),
        (says("$x .= 1 x 1_000_000 while 1"), &small, "out_of_memory", "verify"),
        (serves("print $c qq(HTTP/1.1 500 No\\r\\n\\r\\n); close $c"), &usual, "health_check_failed", "verify"),
        (serves("push @kept, $c"), &impatient, "health_check_slow", "verify"),
        (says("sleep 600"), &health("[\"false\"]"), "health_check_failed", "verify"),
        (says("sleep 600"), &health("[\"sleep\", \"30\"]"), "health_check_slow", "verify"),
        (from.to_owned(), &nowhere, "manifest_invalid", "fetch"),
        (from.to_owned(), &notes, "dockerfile_missing", "fetch"),
        (from.to_owned(), &"[services.www\n".to_owned(), "manifest_invalid", "fetch"),
        (String::new(), &absent, "image_unavailable", "build"),
    ] {
        let files = [("Dockerfile", &*dockerfile), ("webmeteor.toml", manifest), ("notes/read-me", "nothing to build")];
        site.commit(&files).await;
        let deployment = site.deploy().await;
        let ended = site.ended(&deployment).await;
        assert_eq!((&ended["status"], &ended["error"]["code"]), (&json!("failed"), &json!(code)), "{ended:#}");
        assert_eq!(ended["error"]["step"], step, "{ended:#}");
        for words in ["message", "remedy"] {
            assert!(!ended["error"][words].as_str().unwrap().is_empty(), "{code}: {words}");
        }
        let log = site.log(&deployment).await;
        assert!(!dockerfile.contains("last words") || log.iter().any(|line| line == "last words"), "{code}: {log:#?}");
        assert!(site.page().await.is_some_and(|page| page.contains("Morrow Studio")), "{code}");
    }
    site.until_settled().await;
    let images = docker(&["images", "--quiet", "--filter", &format!("label=webmeteor.site={}", site.id)]);
    assert_eq!(images.len(), 1, "images of failed deployments are removed: {images:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_removed_by_hand_is_made_again() {
    let site = Site::live().await;
    site.until_settled().await;
    let name = site.containers().remove(0);
    let right_again = async |what: &str, done: Instant| {
        site.until_page("Morrow Studio").await;
        let took = done.elapsed();
        println!("{what} was removed: right again after {took:.1?}");
        assert_within(RIGHT_AGAIN, took, what);
    };
    docker(&["rm", "--force", &name]);
    right_again("the container", Instant::now()).await;

    let route = fs::read_dir(site.app.data().join("proxy"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|e| e == "yml" || e == "yaml"))
        .unwrap();
    fs::remove_file(&route).unwrap();
    let done = Instant::now();
    until("the route is gone", async || site.page().await.is_none().then_some(())).await;
    right_again("the route", done).await;

    let instance = fs::read_to_string(site.app.data().join("instance")).unwrap();
    let proxy = docker(&["ps", "--quiet", "--filter", &format!("name=webmeteor-{}-proxy", instance.trim())]).remove(0);
    docker(&["rm", "--force", &proxy]);
    right_again("the proxy", Instant::now()).await;
}

/// A server in Perl that answers `body`, with this status, and ends after so many seconds where one is given.
pub fn perl(status: &str, body: &str, ends_after: Option<u32>) -> String {
    let alarm = ends_after.map(|seconds| format!("alarm {seconds};\n")).unwrap_or_default();
    format!(
        "use IO::Socket::INET;\n{alarm}my $s = IO::Socket::INET->new(LocalPort => 8080, Listen => 9, ReuseAddr => 1) or die;\n\
         while (my $c = $s->accept) {{ my $first = <$c>; while (<$c>) {{ last if /^\\r?\\n$/ }} \
         my $code = $first =~ m{{ /health }} ? '200 OK' : '{status}'; \
         print $c \"HTTP/1.1 $code\\r\\nContent-Length: {}\\r\\nConnection: close\\r\\n\\r\\n{body}\"; close $c; }}\n",
        body.len()
    )
}

pub const PERL: &str =
    "FROM debian:bookworm-slim\nCOPY . /srv\nUSER nobody\nWORKDIR /srv\nCMD [\"perl\", \"serve.pl\"]\n";
pub const PERL_MANIFEST: &str = "[services.www]\nbuild = \".\"\nport = 8080\nhealthcheck = { path = \"/health\" }\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_is_unwell_after_its_switch_gives_way_to_the_one_before() {
    let site = Site::live().await;
    site.commit(&[
        ("Dockerfile", PERL),
        ("serve.pl", &perl("200 OK", "shortlived", Some(1))),
        ("webmeteor.toml", PERL_MANIFEST),
    ])
    .await;
    let crashing = site.deploy().await;
    assert_eq!(site.ended(&crashing).await["status"], "live");
    let judged = until("a verdict", async || {
        let shown = site.show(&crashing).await;
        (shown["watch"]["verdict"] == "rolled_back").then_some(shown)
    })
    .await;
    assert!(judged["watch"]["reason"].as_str().unwrap().contains("ended by itself"), "{judged:#}");
    site.until_page("Morrow Studio").await;
    let (_, list) = site.app.get(&format!("/api/v1/sites/{}/deployments", site.id), Some(&site.token)).await;
    assert_eq!(list["items"][0]["trigger"], "auto_rollback", "{list:#}");
    let back = site.ended(list["items"][0]["id"].as_str().unwrap()).await;
    assert_eq!(back["status"], "live");
    assert!(back["reason"].as_str().unwrap().contains("rolled back by itself"), "{back:#}");

    // Errors of the program itself, once there are visitors who see them.
    site.commit(&[("serve.pl", &perl("500 Oh", "broken", None))]).await;
    let failing = site.deploy().await;
    assert_eq!(site.ended(&failing).await["status"], "live");
    let visitors = Visitors::of(&site);
    until("a verdict", async || {
        let shown = site.show(&failing).await;
        (shown["watch"]["verdict"] == "rolled_back").then_some(())
    })
    .await;
    site.until_page("Morrow Studio").await;
    visitors.counts();
}

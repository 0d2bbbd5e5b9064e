//! Git over HTTP with the real git: clone, push, who may and who may not, and what a push starts.

use crate::support::{App, Setup, json, until};
use futures::{StreamExt, stream};
use reqwest::Method;
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};
use tempfile::TempDir;
use tokio::process::{Child, Command};

const PASSWORD: &str = "tide lamp orbit 7";
const NO_COMMIT: &str = "0000000000000000000000000000000000000000";

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

pub fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A platform with an account, a site from a template, and a folder to work in.
pub struct Bench {
    pub app: App,
    pub token: String,
    pub site: String,
    pub folder: TempDir,
}

impl Bench {
    /// Without a worker: what a push starts stays in the queue.
    pub async fn start() -> Self {
        let setup = Setup::new().await.without_docker().arguments(&["serve", "--roles", "web"]);
        Self::on(setup.start().await).await
    }

    pub async fn on(app: App) -> Self {
        Self::with_source(app, json!({"template": "static"})).await
    }

    pub async fn with_source(app: App, source: Value) -> Self {
        let (token, _) = app.register("ada@example.org").await;
        let body = json!({"name": "Shop", "slug": "shop", "source": source});
        let (status, site) = app.post("/api/v1/sites", Some(&token), &body).await;
        assert_eq!(status, 201, "{site}");
        let site = text(&site["id"]).to_owned();
        Self { app, token, site, folder: tempfile::tempdir().unwrap() }
    }

    /// The address of a repository with credentials in it.
    pub fn address(&self, name: &str, password: &str, repository: &str) -> String {
        let credentials = format!("{}:{}@", name.replace('@', "%40"), password.replace(' ', "%20"));
        self.app.url.replacen("://", &format!("://{credentials}"), 1) + "/git/" + repository
    }

    pub fn own_address(&self) -> String {
        self.address("token", &self.token, "test/shop.git")
    }

    pub fn repository(&self) -> PathBuf {
        self.app.data().join("repositories").join(format!("{}.git", self.site))
    }

    pub fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    #[expect(clippy::unused_self, reason = "reads as what the bench does")]
    pub fn git(&self, folder: &Path, arguments: &[&str]) -> Command {
        let mut git = Command::new("git");
        git.args(arguments)
            .current_dir(folder)
            .envs([("HOME", "/nonexistent"), ("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_TERMINAL_PROMPT", "0")])
            .envs([("GIT_AUTHOR_NAME", "Ada"), ("GIT_AUTHOR_EMAIL", "ada@example.org")])
            .envs([("GIT_COMMITTER_NAME", "Ada"), ("GIT_COMMITTER_EMAIL", "ada@example.org")])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        git
    }

    pub async fn run(&self, folder: &Path, arguments: &[&str]) -> Output {
        self.git(folder, arguments).output().await.unwrap()
    }

    /// What git printed; it has to succeed.
    pub async fn done(&self, folder: &Path, arguments: &[&str]) -> String {
        let output = self.run(folder, arguments).await;
        assert!(output.status.success(), "git {arguments:?}: {}", told(&output));
        told(&output).trim().to_owned()
    }

    /// A clone in `work`.
    pub async fn clone(&self) -> PathBuf {
        self.done(self.folder.path(), &["clone", "--quiet", &self.own_address(), "work"]).await;
        self.work()
    }

    /// A commit in the clone; its id.
    pub async fn commit(&self, message: &str) -> String {
        fs::write(self.work().join("note.txt"), message).unwrap();
        self.done(&self.work(), &["add", "--all"]).await;
        self.done(&self.work(), &["commit", "--quiet", "--message", message]).await;
        self.done(&self.work(), &["rev-parse", "HEAD"]).await
    }

    pub async fn deployments(&self) -> Vec<Value> {
        let path = format!("/api/v1/sites/{}/deployments", self.site);
        let (status, page) = self.app.get(&path, Some(&self.token)).await;
        assert_eq!(status, 200, "{page}");
        page["items"].as_array().unwrap().clone()
    }

    /// Pushes and waits for the deployment of this commit, which is cancelled; what the pusher was told.
    pub async fn push(&self, arguments: &[&str], commit: &str) -> (Value, String) {
        let push: Child = self.git(&self.work(), &[&["push"], arguments].concat()).spawn().unwrap();
        let deployment = until("the push's deployment", async || {
            self.deployments().await.into_iter().find(|d| d["commit"] == commit)
        })
        .await;
        let path = format!("/api/v1/deployments/{}/cancel", text(&deployment["id"]));
        let (status, answer) = self.app.post(&path, Some(&self.token), &json!({})).await;
        assert_eq!(status, 202, "{answer}");
        let output = push.wait_with_output().await.unwrap();
        assert!(output.status.success(), "{}", told(&output));
        (deployment, told(&output))
    }

    pub async fn fsck(&self) {
        self.done(&self.repository(), &["fsck", "--full", "--strict"]).await;
    }
}

#[tokio::test]
async fn a_push_deploys_its_commit_and_the_pusher_is_told() {
    let bench = Bench::start().await;
    let work = bench.clone().await;
    assert!(work.join("index.html").exists() || work.join("webmeteor.toml").exists(), "the template is there");
    let commit = bench.commit("A new note").await;
    let (deployment, told) = bench.push(&[], &commit).await;
    assert_eq!((&deployment["trigger"], &deployment["environment"]), (&json!("push"), &json!("production")));
    assert_eq!((&deployment["message"], &deployment["author"]), (&json!("A new note"), &json!("Ada")));
    assert_eq!((&deployment["branch"], &deployment["number"]), (&json!("main"), &json!(2)));
    assert!(told.contains("remote: Deployment 2 of Shop to production"), "{told}");
    assert!(told.contains("remote: It was cancelled"), "{told}");
    assert!(told.contains(&format!("{}/deployments/{}", bench.app.url, text(&deployment["id"]))), "{told}");
    assert!(told.contains("main -> main"), "{told}");
    let first = bench.deployments().await.pop().unwrap();
    assert_eq!(first["status"], "superseded", "the one that waited gives way");
    bench.fsck().await;
}

#[tokio::test]
async fn a_push_by_force_deploys_what_the_branch_is_now() {
    let bench = Bench::start().await;
    let work = bench.clone().await;
    let commit = bench.commit("First").await;
    bench.push(&[], &commit).await;
    bench.done(&work, &["reset", "--quiet", "--hard", "HEAD~1"]).await;
    let other = bench.commit("Another").await;
    let refused = bench.run(&work, &["push"]).await;
    assert!(!refused.status.success() && told(&refused).contains("rejected"), "{}", told(&refused));
    bench.push(&["--force"], &other).await;
    assert_eq!(bench.done(&bench.repository(), &["rev-parse", "main"]).await, other);
    bench.fsck().await;
}

#[tokio::test]
async fn tags_and_other_branches_are_stored_and_not_deployed() {
    let bench = Bench::start().await;
    let work = bench.clone().await;
    bench.done(&work, &["checkout", "--quiet", "-b", "idea"]).await;
    let commit = bench.commit("An idea").await;
    bench.done(&work, &["tag", "--annotate", "--message", "One", "v1"]).await;
    let told = bench.done(&work, &["push", "origin", "idea", "v1"]).await;
    assert!(told.contains("remote: Not deployed: idea, v1. This site deploys: main."), "{told}");
    assert_eq!(
        bench.done(&bench.repository(), &["rev-parse", "v1^{commit}", "idea"]).await,
        format!("{commit}\n{commit}")
    );
    bench.done(&work, &["push", "origin", "--delete", "idea"]).await;
    assert_eq!(bench.deployments().await.len(), 1, "the site's own first one");
    bench.fsck().await;
}

#[tokio::test]
async fn the_password_opens_what_the_token_opens_and_a_wrong_one_nothing() {
    let bench = Bench::start().await;
    let by_password = bench.address("ada@example.org", PASSWORD, "test/shop.git");
    for _ in 0..2 {
        assert!(bench.done(bench.folder.path(), &["ls-remote", &by_password]).await.contains("refs/heads/main"));
    }
    for (name, password) in [("ada@example.org", "tide lamp orbit 8"), ("bob@example.org", PASSWORD), ("ada", "")] {
        let output =
            bench.run(bench.folder.path(), &["ls-remote", &bench.address(name, password, "test/shop.git")]).await;
        assert!(!output.status.success() && told(&output).contains("Authentication failed"), "{}", told(&output));
    }
    let response =
        bench.app.send(Method::GET, "/git/test/shop.git/info/refs?service=git-upload-pack", None, None).await;
    assert!(response.headers()["www-authenticate"].to_str().unwrap().starts_with("Basic realm=\"WebMeteor\""));
    assert_eq!(json(response).await.0, 401);
}

#[tokio::test]
async fn another_teams_repository_is_as_unknown_as_one_that_is_not_there() {
    let bench = Bench::start().await;
    let (stranger, _) = bench.app.register("bob@example.org").await;
    let mut answers = Vec::new();
    for repository in ["test/shop.git", "test/nothing.git"] {
        let address = bench.address("token", &stranger, repository);
        let output = bench.run(bench.folder.path(), &["ls-remote", &address]).await;
        assert!(!output.status.success(), "{}", told(&output));
        assert!(told(&output).contains("remote: There is no such repository."), "{}", told(&output));
        for service in ["git-upload-pack", "git-receive-pack"] {
            let refs = format!("{}/git/{repository}/info/refs?service={service}", bench.app.url);
            let response = bench.app.client.get(refs).basic_auth("x", Some(&stranger)).send().await.unwrap();
            answers.push(json(response).await);
        }
    }
    assert!(answers.iter().all(|answer| *answer == (404, json!("There is no such repository.\n"))), "{answers:?}");
}

#[tokio::test]
async fn a_viewer_fetches_and_does_not_push() {
    let bench = Bench::start().await;
    bench.clone().await;
    sqlx::query("update members set role = 'viewer'").execute(&bench.app.pool()).await.unwrap();
    bench.done(&bench.work(), &["fetch"]).await;
    bench.commit("Not mine to change").await;
    let output = bench.run(&bench.work(), &["push"]).await;
    assert!(!output.status.success() && told(&output).contains("error: 403"), "{}", told(&output));
    assert!(told(&output).contains("remote: Your role in this team does not allow this."), "{}", told(&output));
}

#[tokio::test]
async fn a_site_that_is_being_removed_takes_no_push() {
    let bench = Bench::start().await;
    bench.clone().await;
    sqlx::query("update sites set deleting_at = now()").execute(&bench.app.pool()).await.unwrap();
    bench.commit("Too late").await;
    let output = bench.run(&bench.work(), &["push"]).await;
    assert!(!output.status.success(), "{}", told(&output));
    assert!(told(&output).contains("remote: This site is being removed."), "{}", told(&output));
}

#[tokio::test]
async fn a_shallow_clone_is_shallow_and_may_push() {
    let bench = Bench::start().await;
    bench.clone().await;
    let commit = bench.commit("Second").await;
    bench.push(&[], &commit).await;
    fs::remove_dir_all(bench.work()).unwrap();
    for version in ["0", "1", "2"] {
        let (version, name) = (format!("protocol.version={version}"), format!("shallow-{version}"));
        let clone = ["-c", &version, "clone", "--quiet", "--depth=1", &bench.own_address(), &name];
        bench.done(bench.folder.path(), &clone).await;
        let count = bench.done(&bench.folder.path().join(&name), &["rev-list", "--count", "HEAD"]).await;
        assert_eq!(count, "1", "{version}");
    }
    bench.done(bench.folder.path(), &["clone", "--quiet", "--depth=1", &bench.own_address(), "work"]).await;
    let commit = bench.commit("Third").await;
    bench.push(&[], &commit).await;
    bench.fsck().await;
}

#[tokio::test]
async fn a_compressed_request_is_understood() {
    let bench = Bench::start().await;
    let work = bench.clone().await;
    bench.done(bench.folder.path(), &["clone", "--quiet", &bench.own_address(), "other"]).await;
    let other = bench.folder.path().join("other");
    // So many branches to ask for make a request long enough for git to compress it.
    for n in 0..40 {
        bench.done(&other, &["commit", "--quiet", "--allow-empty", "--message", "theirs"]).await;
        bench.done(&other, &["branch", &format!("theirs-{n}")]).await;
    }
    bench.done(&other, &["push", "origin", "refs/heads/theirs-*:refs/heads/theirs-*"]).await;
    let output = bench.git(&work, &["fetch"]).env("GIT_TRACE_CURL", "1").output().await.unwrap();
    assert!(output.status.success(), "{}", told(&output));
    assert!(told(&output).to_lowercase().contains("content-encoding: gzip"), "{}", told(&output));
    bench.done(&work, &["rev-parse", "origin/theirs-39"]).await;
}

#[tokio::test]
async fn what_git_would_not_accept_is_refused_and_moves_nothing() {
    let bench = Bench::start().await;
    let work = bench.clone().await;
    let before = bench.done(&bench.repository(), &["rev-parse", "main"]).await;
    // Two entries of one name: a tree that does something else on every machine.
    let blob = bench.done(&work, &["rev-parse", "HEAD:webmeteor.toml"]).await;
    let raw: Vec<u8> = (0..2).flat_map(|_| [b"100644 a\0".to_vec(), hex::decode(&blob).unwrap()].concat()).collect();
    fs::write(bench.folder.path().join("tree"), raw).unwrap();
    let tree = bench.folder.path().join("tree");
    let hash = ["hash-object", "-t", "tree", "--literally", "-w", "--", tree.to_str().unwrap()];
    let tree = bench.done(&work, &hash).await;
    let commit = bench.done(&work, &["commit-tree", "-p", "HEAD", "-m", "odd", &tree]).await;
    let output = bench.run(&work, &["push", "origin", &format!("{commit}:main")]).await;
    assert!(!output.status.success() && told(&output).contains("duplicateEntries"), "{}", told(&output));
    assert_eq!(bench.done(&bench.repository(), &["rev-parse", "main"]).await, before);
    assert_eq!(bench.deployments().await.len(), 1);
}

#[tokio::test]
async fn a_push_that_breaks_off_leaves_nothing_behind() {
    let bench = Bench::start().await;
    let before = bench.done(&bench.repository(), &["rev-parse", "main"]).await;
    let command = format!("{before} {} refs/heads/main\0report-status side-band-64k", "1".repeat(40));
    let begin = format!("{:04x}{command}0000PACK\0\0\0\u{2}\0\0\0\u{7f}", command.len() + 4);
    let body = stream::iter([Ok::<_, std::io::Error>(begin)]).chain(stream::pending());
    let request = bench
        .app
        .client
        .post(format!("{}/git/test/shop.git/git-receive-pack", bench.app.url))
        .basic_auth("x", Some(&bench.token))
        .header("content-type", "application/x-git-receive-pack-request")
        .body(reqwest::Body::wrap_stream(body));
    let quarantines = || {
        let objects = fs::read_dir(bench.repository().join("objects")).unwrap();
        objects.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("tmp_objdir")).count()
    };
    // The answer begins before the request ends, so its end is what must not come.
    let talk = async { request.send().await.unwrap().bytes().await };
    tokio::select! {
        ended = talk => panic!("it ended before its time: {ended:?}"),
        () = until("git to begin", async || (quarantines() > 0).then_some(())) => {}
    }
    until("git's own cleaning", async || (quarantines() == 0).then_some(())).await;
    assert_eq!(bench.done(&bench.repository(), &["rev-parse", "main"]).await, before);
    assert_eq!(bench.deployments().await.len(), 1);
    bench.fsck().await;
}

#[tokio::test]
async fn garbage_is_answered_and_moves_nothing() {
    let bench = Bench::start().await;
    let base = format!("{}/git/test/shop.git", bench.app.url);
    let send = async |service: &str, kind: &str, body: &'static [u8]| {
        let request = bench.app.client.post(format!("{base}/{service}")).basic_auth("x", Some(&bench.token));
        let response = request.header("content-type", kind).body(body).send().await.unwrap();
        let status = response.status().as_u16();
        response.bytes().await.unwrap();
        status
    };
    for service in ["git-upload-pack", "git-receive-pack"] {
        let kind = format!("application/x-{service}-request");
        for body in [&b""[..], b"0000", b"zzzz", b"ffff", b"0003", b"\0\0\0\0"] {
            assert_eq!(send(service, &kind, body).await, 200, "{service} {body:?}");
        }
        assert_eq!(send(service, "text/plain", b"0000").await, 415);
    }
    let get = async |path: &str| {
        let request = bench.app.client.get(format!("{base}{path}")).basic_auth("x", Some(&bench.token));
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(get("/info/refs").await, 403);
    assert_eq!(get("/info/refs?service=git-upload-archive").await, 403);
    let command = format!("{NO_COMMIT} {} refs/heads/main\0side-band-64k", "1".repeat(40));
    let lie = format!("{:04x}{command}0000", command.len() + 4).leak().as_bytes();
    assert_eq!(send("git-receive-pack", "application/x-git-receive-pack-request", lie).await, 200);
    assert_eq!(bench.deployments().await.len(), 1);
    bench.fsck().await;
}

#[tokio::test]
async fn a_push_ends_with_the_address_where_it_is_served() {
    let app = App::start().await;
    app.until_ready().await;
    let bench = Bench::on(app).await;
    let work = bench.clone().await;
    fs::write(work.join("proof.html"), "pushed").unwrap();
    bench.commit("Proof").await;
    let told = bench.done(&work, &["push"]).await;
    for line in ["remote: Fetching", "remote: Building", "remote: Switching", "remote: Live: http://shop.localhost"] {
        assert!(told.contains(line), "{told}");
    }
    let page = bench.app.client.get(format!("{}/proof.html", bench.app.proxy())).header("host", "shop.localhost");
    assert_eq!(page.send().await.unwrap().text().await.unwrap(), "pushed");
}

#[tokio::test]
async fn a_push_that_is_held_back_is_stored_and_says_why() {
    let bench = Bench::start().await;
    bench.clone().await;
    let path = format!("/api/v1/sites/{}/environments/production", bench.site);
    let set = async |change: Value| {
        let answer = bench.app.send(Method::PATCH, &path, Some(&bench.token), Some(&change)).await;
        assert_eq!(answer.status(), 200);
    };
    for (change, message, words) in [
        (json!({}), "Typo [skip deploy]", "says “[skip deploy]”"),
        (json!({"watch": ["apps/**"]}), "Elsewhere", "Nothing that production watches was changed"),
        (json!({"paused": true}), "In a pause", "production is paused"),
    ] {
        set(change).await;
        let commit = bench.commit(message).await;
        let told = bench.done(&bench.work(), &["push"]).await;
        assert!(told.contains("remote: Not deployed: ") && told.contains(words), "{told}");
        let tip = bench.done(&bench.repository(), &["rev-parse", "main"]).await;
        assert_eq!(tip, commit, "it is stored");
    }
    assert_eq!(bench.deployments().await.len(), 1, "the first one alone");
    set(json!({"paused": false, "watch": ["*.txt"]})).await;
    let commit = bench.commit("What is watched").await;
    let (deployment, _) = bench.push(&[], &commit).await;
    assert_eq!(deployment["environment"], "production");
}

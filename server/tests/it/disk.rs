//! The disk: what is too large is refused, what is no longer used goes, and what is not ours stays.

use crate::{
    pipeline::{Site, docker},
    support::{App, Setup, until},
};
use serde_json::json;
use std::{path::Path, process::Command};

/// Answers every request with a page, and needs nothing but what every image here has.
pub const SERVE: &str = "use IO::Socket::INET;\nmy $s = IO::Socket::INET->new(LocalPort => 8080, Listen => 9, ReuseAddr => 1) or die;\nwhile (my $c = $s->accept) { while (<$c>) { last if /^\\r?\\n$/ } print $c \"HTTP/1.1 200 OK\\r\\nContent-Length: 6\\r\\nConnection: close\\r\\n\\r\\nperled\"; close $c; }\n";
pub const SERVED: &str = "FROM debian:bookworm-slim\nCOPY serve.pl /\nCMD [\"perl\", \"/serve.pl\"]\n";
const PLAIN: &str = "[services.www]\nbuild = \".\"\nport = 8080\n";

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_built_when_the_disk_has_too_little_room() {
    let mut site = Site::live().await;
    // More than any disk has.
    site.app.kill();
    site.app.setup = std::mem::replace(&mut site.app.setup, Setup::bare()).set("DISK_FLOOR_MB", "100000000");
    site.app.restart().await;
    let deployment = site.deploy().await;
    let ended = site.ended(&deployment).await;
    assert_eq!((&ended["status"], &ended["error"]["code"]), (&json!("failed"), &json!("disk_full")), "{ended:#}");
    assert!(ended["error"]["message"].as_str().unwrap().contains("nothing is built with less than"), "{ended:#}");
    site.until_page("Morrow Studio").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_is_too_large_never_goes_live() {
    let site = Site::live_on(Setup::new().await.set("IMAGE_MAX_MB", "180")).await;
    let dockerfile = "FROM debian:bookworm-slim\nRUN head -c 120000000 /dev/zero > /large\nCMD [\"sleep\", \"600\"]\n";
    site.commit(&[("Dockerfile", dockerfile), ("webmeteor.toml", PLAIN)]).await;
    let deployment = site.deploy().await;
    let ended = site.ended(&deployment).await;
    assert_eq!(ended["error"]["code"], "image_too_large", "{ended:#}");
    assert_eq!((&ended["error"]["step"], &ended["error"]["service"]), (&json!("build"), &json!("www")), "{ended:#}");
    assert!(!ended["error"]["remedy"].as_str().unwrap().is_empty());
    let tagged = format!("label=webmeteor.deployment={deployment}");
    until("its image is gone", async || docker(&["images", "--quiet", "--filter", &tagged]).is_empty().then_some(()))
        .await;
    site.until_page("Morrow Studio").await;
}

/// A site whose build takes no time, in a scope where no layer is there yet.
async fn small(setup: Setup) -> Site {
    let site = Site::empty_on(setup).await;
    site.commit(&[("Dockerfile", SERVED), ("serve.pl", SERVE), ("webmeteor.toml", PLAIN)]).await;
    let deployment = site.deploy().await;
    let ended = site.ended(&deployment).await;
    assert_eq!(ended["status"], "live", "{ended:#}");
    site.until_page("perled").await;
    site
}

/// What somebody else has on the same engine: an image without a tag, one with a tag, a container, a volume, and an
/// image that is built upon a layer of ours. Gone when dropped.
struct Theirs {
    name: String,
    images: Vec<String>,
}

impl Theirs {
    fn make(layer: &str) -> Self {
        let name = format!("theirs-{}", uuid::Uuid::new_v4().simple());
        let built = |from: &str, tag: Option<&str>| {
            let folder = tempfile::tempdir().unwrap();
            let dockerfile = format!("FROM {from}\nRUN echo {name}{} > /theirs\n", tag.unwrap_or_default());
            std::fs::write(folder.path().join("Dockerfile"), dockerfile).unwrap();
            let mut arguments = vec!["build", "--quiet", "--force-rm"];
            arguments.extend(tag.iter().flat_map(|tag| ["--tag", tag]));
            arguments.push(path(folder.path()));
            let out = Command::new("docker").args(arguments).env("DOCKER_BUILDKIT", "0").output().unwrap();
            assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
            String::from_utf8_lossy(&out.stdout).trim().to_owned()
        };
        let images =
            vec![built("debian:bookworm-slim", None), built("debian:bookworm-slim", Some(&name)), built(layer, None)];
        docker(&["volume", "create", &name]);
        docker(&["create", "--name", &name, "debian:bookworm-slim", "sleep", "1"]);
        let theirs = Self { name, images };
        assert!(theirs.is_all_there());
        theirs
    }

    fn is_all_there(&self) -> bool {
        let there = |kind: &str, name: &str| !docker(&[kind, "inspect", "--format", "{{.}}", name]).is_empty();
        self.images.iter().all(|id| there("image", id)) && there("volume", &self.name) && there("container", &self.name)
    }
}

impl Drop for Theirs {
    fn drop(&mut self) {
        docker(&["rm", "--force", &self.name]);
        docker(&["volume", "rm", &self.name]);
        for id in &self.images {
            docker(&["rmi", "--force", id]);
        }
    }
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Ids of the layers of this scope that no image has a name for.
fn unnamed(label: &str) -> Vec<String> {
    let filter = format!("label=webmeteor.build={label}");
    let rows = docker(&["images", "--all", "--filter", &filter, "--format", "{{.Repository}} {{.ID}}"]);
    rows.iter().filter_map(|row| row.strip_prefix("<none> ").map(str::to_owned)).collect()
}

/// Those of them that no kept release of the site stands upon.
fn unused(site: &Site, label: &str) -> Vec<String> {
    let filter = format!("label=webmeteor.site={}", site.id);
    let kept = docker(&["images", "--filter", &filter, "--format", "{{.Repository}}:{{.Tag}}"]);
    assert!(!kept.is_empty());
    let below: Vec<String> = kept.iter().flat_map(|tag| stack(tag)).collect();
    unnamed(label).into_iter().filter(|id| !below.contains(id)).collect()
}

/// An image's own layers and those that it is built upon, the last one first.
fn stack(image: &str) -> Vec<String> {
    docker(&["history", "--quiet", image]).into_iter().filter(|id| id != "<missing>").collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn unused_layers_beyond_the_budget_go_and_nothing_else() {
    // A scope of its own: layers are shared with all that is built in the same one.
    let label = format!("disk-{}", uuid::Uuid::new_v4().simple());
    let setup = Setup::new().await.set("LAYER_SCOPE", &label).set("IMAGE_BUDGET_MB", "1");
    let mut site = small(setup).await;
    let dockerfile = "FROM debian:bookworm-slim\nRUN head -c 3000000 /dev/urandom > /a\nRUN echo b > /b\nRUN exit 7\n";
    site.commit(&[("Dockerfile", dockerfile), ("webmeteor.toml", PLAIN)]).await;
    let deployment = site.deploy().await;
    assert_eq!(site.ended(&deployment).await["error"]["code"], "build_failed");
    let failed = unused(&site, &label);
    assert!(failed.len() >= 2, "the failed build's layers are kept for the next one: {failed:?}");
    let last = failed.iter().find(|id| failed.iter().all(|other| other == *id || !stack(other).contains(id))).unwrap();
    // Upon the layer below the last one somebody else builds an image.
    let below = stack(last)[1].clone();
    let theirs = Theirs::make(&below);

    // Everything is looked at when the platform starts.
    site.app.kill();
    site.app.restart().await;
    until("the last layer is gone", async || (!unused(&site, &label).contains(last)).then_some(())).await;
    assert!(unused(&site, &label).contains(&below), "what theirs stands upon stays");
    assert!(theirs.is_all_there(), "what is not ours stays");
    site.until_page("perled").await;
    let first = site.app.get(&format!("/api/v1/sites/{}", site.id), Some(&site.token)).await.1;
    assert_eq!(first["status"], "live");
    drop(theirs);
    clean(&label);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_site_leaves_no_layer_of_its_builds_behind() {
    let label = format!("disk-{}", uuid::Uuid::new_v4().simple());
    let setup = Setup::new().await.set("LAYER_SCOPE", &label);
    let site = small(setup).await;
    site.commit(&[("Dockerfile", "FROM debian:bookworm-slim\nCOPY . /secret-source\nRUN exit 7\n")]).await;
    let deployment = site.deploy().await;
    assert_eq!(site.ended(&deployment).await["error"]["code"], "build_failed");
    assert!(!unnamed(&label).is_empty());
    let path = format!("/api/v1/sites/{}", site.id);
    assert_eq!(site.app.send(reqwest::Method::DELETE, &path, Some(&site.token), None).await.status(), 202);
    until("nothing is left", async || unnamed(&label).is_empty().then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_shows_what_it_takes_of_the_disk_to_those_who_may_see_it() {
    let site = Site::live().await;
    let path = format!("/api/v1/sites/{}/usage", site.id);
    let (status, usage) = site.app.get(&path, Some(&site.token)).await;
    assert_eq!(status, 200, "{usage}");
    for part in ["images", "repository", "logs"] {
        assert!(usage[part].as_u64().is_some_and(|bytes| bytes > 100), "{part}: {usage}");
    }
    assert_eq!(usage["volumes"], 0);
    let (stranger, _) = site.app.register("stranger@example.org").await;
    assert_eq!(site.app.get(&path, Some(&stranger)).await.0, 404);
    assert_eq!(site.app.get(&path, None).await.0, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_crash_left_is_swept_up() {
    let mut app = App::start().await;
    app.until_ready().await;
    let builds = app.data().join("builds");
    let left = builds.join(uuid::Uuid::now_v7().to_string());
    let other = builds.join("not-a-checkout");
    for folder in [&left, &other] {
        std::fs::create_dir_all(folder.join("src")).unwrap();
    }
    app.kill();
    app.restart().await;
    until("the checkout is gone", async || (!left.exists()).then_some(())).await;
    assert!(other.exists(), "what is not a checkout of ours stays");
}

fn clean(label: &str) {
    for id in docker(&["images", "--all", "--quiet", "--filter", &format!("label=webmeteor.build={label}")]) {
        docker(&["rmi", "--force", &id]);
    }
}

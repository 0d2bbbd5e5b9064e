//! Deleting a site: all of it goes, its data only if that is wanted, and nothing of another site.

use crate::{
    disk::{SERVE, SERVED},
    pipeline::{Site, docker, fetch},
    support::{App, Setup, until},
};
use reqwest::Method;
use serde_json::json;
use std::{collections::BTreeSet, fs};

const WITH_A_VOLUME: &str = "[services.www]\nbuild = \".\"\nport = 8080\nvolumes = { notes = \"/srv/notes\" }\n";

/// Brings the site live and leaves a note in its volume.
async fn go_live(site: &Site) {
    site.commit(&[("Dockerfile", SERVED), ("serve.pl", SERVE), ("webmeteor.toml", WITH_A_VOLUME)]).await;
    let deployment = site.deploy().await;
    let ended = site.ended(&deployment).await;
    assert_eq!(ended["status"], "live", "{ended:#}");
    site.until_page("perled").await;
    // By its id, for its name changes while an older release gives way.
    let container = list(&site.id, &["ps", "--quiet"]).remove(0);
    let write = format!("echo 'of {}' > /srv/notes/note", site.id);
    docker(&["exec", "--user", "0", &container, "sh", "-c", &write]);
    assert_eq!(note(&volume(&site.id)), [format!("of {}", site.id)]);
}

/// What Docker lists of a site.
fn list(site: &str, arguments: &[&str]) -> Vec<String> {
    docker(&[arguments, &["--filter", &format!("label=webmeteor.site={site}")]].concat())
}

fn volume(site: &str) -> String {
    list(site, &["volume", "ls", "--quiet"]).remove(0)
}

/// The note in a volume.
fn note(volume: &str) -> Vec<String> {
    let mount = format!("{volume}:/notes:ro");
    docker(&[
        "run",
        "--rm",
        "--label=webmeteor.test=it",
        "--network=none",
        "--volume",
        &mount,
        "debian:bookworm-slim",
        "cat",
        "/notes/note",
    ])
}

/// All that there is of a site: what bears its label, what its folder says, its repository.
fn traces(app: &App, site: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (kind, arguments) in [
        ("container", &["ps", "--all", "--format", "{{.ID}} {{.State}}"][..]),
        ("network", &["network", "ls", "--quiet"]),
        ("volume", &["volume", "ls", "--quiet"]),
        ("image", &["images", "--quiet"]),
    ] {
        found.extend(list(site, arguments).into_iter().map(|one| format!("{kind} {one}")));
    }
    for team in fs::read_dir(app.data().join("sites")).unwrap().map(|entry| entry.unwrap().path()) {
        let folder = team.join(site);
        found.extend(folder.exists().then(|| "folder".to_owned()));
        for file in ["docker-compose.yaml", ".env"] {
            found.extend(fs::read_to_string(folder.join("production").join(file)));
        }
    }
    let repository = app.data().join("repositories").join(format!("{site}.git"));
    found.extend(fs::read_to_string(repository.join("refs/heads/main")).map(|commit| format!("repository {commit}")));
    found.extend(repository.exists().then(|| "repository".to_owned()));
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_a_site_goes_its_data_only_if_wanted_and_nothing_of_another_site() {
    let mut site = Site::empty_on(Setup::new().await).await;
    go_live(&site).await;
    let (wiped, wiped_slug) = (site.id.clone(), site.slug.clone());
    site.another(&json!({"hosted": {}})).await;
    go_live(&site).await;
    let (kept, kept_slug) = (site.id.clone(), site.slug.clone());
    site.another(&json!({"hosted": {}})).await;
    go_live(&site).await;
    let (neighbour, kept_volume) = (site.id.clone(), volume(&kept));

    let before = traces(&site.app, &neighbour);
    let kinds = ["container", "network", "volume", "image", "folder", "repository"];
    assert!(kinds.iter().all(|kind| before.iter().any(|trace| trace.starts_with(kind))), "{before:#?}");
    for (id, query) in [(&wiped, ""), (&kept, "?keep_data=true")] {
        let path = format!("/api/v1/sites/{id}");
        let asked = site.app.send(Method::DELETE, &format!("{path}{query}"), Some(&site.token), None).await;
        assert_eq!(asked.status(), 202);
        until("the site is gone", async || (site.app.get(&path, Some(&site.token)).await.0 == 404).then_some(())).await;
    }

    assert_eq!(traces(&site.app, &wiped), BTreeSet::new());
    assert_eq!(traces(&site.app, &kept), BTreeSet::from([format!("volume {kept_volume}")]));
    assert_eq!(note(&kept_volume), [format!("of {kept}")]);
    for slug in [wiped_slug, kept_slug] {
        let page = async || fetch(&site.app.client, &site.app.proxy(), &slug).await;
        until("no route", async || page().await.is_none().then_some(())).await;
    }
    assert_eq!(traces(&site.app, &neighbour), before);
    assert_eq!(note(&volume(&neighbour)), [format!("of {neighbour}")]);
    assert!(site.page().await.is_some_and(|page| page.contains("perled")));
}

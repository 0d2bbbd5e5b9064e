//! Domains on the real engine behind the real proxy, with a DNS server of the test's own.

use crate::{
    dns::DnsServer,
    pipeline::{Site, docker},
    support::{Setup, json, until},
};
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

impl Site {
    async fn call(&self, method: Method, path: &str, token: &str, body: &Value) -> (u16, Value) {
        json(self.app.send(method, path, Some(token), Some(body)).await).await
    }

    async fn domain(&self, method: Method, rest: &str, body: &Value) -> (u16, Value) {
        self.call(method, &format!("/api/v1/sites/{}/domains{rest}", self.id), &self.token, body).await
    }

    /// What the proxy answers for a host.
    async fn under(&self, host: &str) -> u16 {
        let asked = self.app.client.get(self.app.proxy()).header("host", host);
        asked.send().await.unwrap().status().as_u16()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_leads_to_its_site_from_its_proof_to_its_removal() {
    let dns = DnsServer::start().await;
    let site = Site::live_on(Setup::new().await.set("DNS_SERVER", dns.address.to_string())).await;
    // Nobody else's test has it.
    let host = format!("{}.example.org", site.slug);
    let (status, made) = site.domain(Method::POST, "", &json!({"host": host})).await;
    assert_eq!((status, &made["verification"]["state"]), (201, &json!("pending")), "{made}");
    let domain = format!("/{}", made["id"].as_str().unwrap());
    let check = async || site.domain(Method::POST, &format!("{domain}/verify"), &json!({})).await;
    let (status, seen) = check().await;
    assert_eq!((status, &seen["verification"]["state"]), (200, &json!("pending")), "{seen}");
    assert_eq!(site.under(&host).await, 404);

    // Visitors of the site's own host notice nothing of all that follows.
    let (stop, served, failed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)), Arc::default());
    let visitors = {
        let (stop, served, failed) = (Arc::clone(&stop), Arc::clone(&served), Arc::<AtomicUsize>::clone(&failed));
        let (client, proxy, own) = (site.app.client.clone(), site.app.proxy(), format!("{}.localhost", site.slug));
        tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let answer = client.get(&proxy).header("host", &own).send().await;
                let is_well = answer.is_ok_and(|answer| answer.status().is_success());
                if is_well { &served } else { &failed }.fetch_add(1, Ordering::Relaxed);
            }
        })
    };

    let record = &made["verification"]["record"];
    dns.set(record["name"].as_str().unwrap(), &[record["value"].as_str().unwrap()]);
    let (_, seen) = check().await;
    assert_eq!(seen["verification"]["state"], "verified", "{seen}");
    assert_eq!(site.under(&host).await, 200, "the answer comes once the proxy follows");
    let folder = site.app.data().join("sites");
    let compose = until("the site's folder has it", async || {
        let found = walk(&folder).into_iter().find(|path| path.ends_with("production/docker-compose.yaml"))?;
        std::fs::read_to_string(found).ok()
    })
    .await;
    assert!(compose.contains(&format!("Host(`{host}`)")), "{compose}");

    // Another team claims it too, and proves it, and does not get it.
    let (other, _) = site.app.register(&format!("other-{}@example.org", site.slug)).await;
    let new = json!({"name": "Other", "slug": format!("{}x", site.slug), "source": {"hosted": {}}});
    let (status, theirs) = site.call(Method::POST, "/api/v1/sites", &other, &new).await;
    assert_eq!(status, 201, "{theirs}");
    let path = format!("/api/v1/sites/{}/domains", theirs["id"].as_str().unwrap());
    let (status, claim) = site.call(Method::POST, &path, &other, &json!({"host": host})).await;
    assert_eq!(status, 201, "{claim}");
    let (ours, proof) = (record["value"].as_str().unwrap(), claim["verification"]["record"]["value"].as_str().unwrap());
    dns.set(record["name"].as_str().unwrap(), &[ours, proof]);
    let verify = format!("{path}/{}/verify", claim["id"].as_str().unwrap());
    let (status, seen) = site.call(Method::POST, &verify, &other, &json!({})).await;
    assert_eq!((status, &seen["verification"]["state"]), (200, &json!("pending")), "{seen}");
    let foreign = format!("/api/v1/sites/{}/domains{domain}", site.id);
    assert_eq!(site.call(Method::DELETE, &foreign, &other, &json!({})).await.0, 404);

    // The next release is told it, and is reached by both names; so is the one before it, put back.
    let (status, primary) = site.domain(Method::PATCH, &domain, &json!({"primary": true})).await;
    assert_eq!((status, &primary["primary"]), (200, &json!(true)));
    let first = site.latest().await;
    site.commit(&[("index.html", "<!doctype html><title>second</title>")]).await;
    let second = site.deploy().await;
    assert_eq!(site.ended(&second).await["status"], "live");
    assert_eq!(told(&second), format!("APP_DOMAIN={host}"));
    assert_eq!((site.under(&host).await, site.under(&format!("{}.localhost", site.slug)).await), (200, 200));
    let (_, shown) = site.call(Method::GET, &format!("/api/v1/sites/{}", site.id), &site.token, &Value::Null).await;
    assert!(shown["url"].as_str().unwrap().contains(&host), "{shown}");
    let (status, back) = site.act(&first, "rollback").await;
    assert_eq!(status, 202, "{back}");
    let back = back["id"].as_str().unwrap().to_owned();
    assert_eq!(site.ended(&back).await["status"], "live");
    assert_eq!(told(&back), format!("APP_DOMAIN={host}"), "the environment's domain of today, not that of then");
    assert_eq!(site.under(&host).await, 200);

    assert_eq!(site.domain(Method::DELETE, &domain, &json!({})).await.0, 204);
    assert_eq!(site.under(&host).await, 404);
    stop.store(true, Ordering::Relaxed);
    visitors.await.unwrap();
    assert_eq!((failed.load(Ordering::Relaxed), served.load(Ordering::Relaxed) > 0), (0, true));
    let (_, seen) = site.call(Method::POST, &verify, &other, &json!({})).await;
    assert_eq!(seen["verification"]["state"], "verified", "it is free now: {seen}");
}

/// What the container of a deployment's site was told about where it answers.
fn told(deployment: &str) -> String {
    let ids = docker(&["ps", "--quiet", "--filter", &format!("label=webmeteor.deployment={deployment}")]);
    let [id] = &ids[..] else { panic!("{ids:?}") };
    let all = docker(&["inspect", "--format", "{{range .Config.Env}}{{println .}}{{end}}", id]);
    all.into_iter().find(|text| text.starts_with("APP_DOMAIN=")).unwrap()
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

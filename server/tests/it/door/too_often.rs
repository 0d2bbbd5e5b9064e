//! Asking too often: what it costs the platform, and that it locks nobody out.

use super::stage::PASSWORD;
use crate::support::{App, Setup, json};
use futures::{StreamExt, stream};
use reqwest::header;
use serde_json::json;
use std::{collections::BTreeMap, net::Ipv4Addr, time::Instant};

const OWNER: &str = "owner@example.org";

async fn start() -> App {
    let app = Setup::new().await.without_docker().arguments(&["serve", "--roles", "web"]).start().await;
    app.register(OWNER).await;
    app
}

/// One attempt, through a proxy that is trusted, from this address: the status, and how long to wait.
async fn attempt(app: &App, from: Ipv4Addr, password: &str) -> (u16, Option<u64>) {
    let request = app.client.post(format!("{}/api/v1/auth/token", app.url));
    let request = request.header("x-forwarded-for", from.to_string());
    let answer = request.json(&json!({"email": OWNER, "password": password})).send().await.unwrap();
    let wait = answer.headers().get(header::RETRY_AFTER).map(|it| it.to_str().unwrap().parse().unwrap());
    (answer.status().as_u16(), wait)
}

/// Ten thousand of them, many at once; how many of each answer.
async fn attack(app: &App, from: impl Fn(u32) -> Ipv4Addr) -> BTreeMap<u16, usize> {
    let attempts = stream::iter((0..10_000).map(|n| attempt(app, from(n), "not the password")));
    attempts
        .buffer_unordered(64)
        .fold(BTreeMap::new(), |mut counts, (status, wait)| async move {
            assert_eq!(status == 429, wait.is_some());
            *counts.entry(status).or_default() += 1;
            counts
        })
        .await
}

fn megabytes(app: &App) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", app.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().trim().parse::<u64>().unwrap() / 1024
}

#[tokio::test]
async fn ten_thousand_attempts_from_one_address_look_at_few_passwords_and_hold_up_no_owner() {
    let app = start().await;
    let counts = attack(&app, |_| Ipv4Addr::new(203, 0, 113, 9)).await;
    assert!(counts[&401] <= 40, "{counts:?}");
    assert_eq!(counts[&401] + counts[&429], 10_000, "{counts:?}");
    assert_eq!(attempt(&app, Ipv4Addr::new(198, 51, 100, 7), PASSWORD).await.0, 200);
}

#[tokio::test]
async fn ten_thousand_attempts_from_as_many_addresses_are_bounded_in_work_and_memory() {
    let app = start().await;
    let before = megabytes(&app);
    let begun = Instant::now();
    let counts = attack(&app, |n| Ipv4Addr::from_bits(0x0b00_0000 + n)).await;
    // 100, and one more for every three seconds that it took.
    let most = 110 + usize::try_from(begun.elapsed().as_secs() / 3).unwrap();
    assert!(counts[&401] <= most, "{counts:?}");
    assert_eq!(counts[&401] + counts[&429], 10_000, "{counts:?}");
    // The account was made from the loopback, so that is where its owner is known.
    assert_eq!(attempt(&app, Ipv4Addr::LOCALHOST, PASSWORD).await.0, 200);
    let grown = megabytes(&app).saturating_sub(before);
    assert!(grown < 200, "{grown} MB more");
}

#[tokio::test]
async fn each_way_in_has_its_limit_and_says_how_long_to_wait() {
    let app = start().await;
    let from = "203.0.113.50";
    for (path, body) in [
        ("/api/v1/auth/register", json!({})),
        ("/api/v1/auth/refresh", json!({"refresh_token": "x"})),
        ("/api/v1/auth/password-reset", json!({})),
        ("/_fn/finish_sign_in", json!({})),
        ("/_fn/sign_in", json!({})),
        ("/_fn/invite", json!({})),
        ("/api/v1/invitations/x", json!({})),
        // At a site's own address it is the site that is counted, from wherever it is called.
        ("/webhook/customer-site", json!({})),
        ("/git/owner/shop.git/git-upload-pack", json!({})),
        ("/socket.io/?EIO=4&transport=polling", json!({})),
    ] {
        let mut refused = None;
        for _ in 0..1_500 {
            let request = app.client.post(format!("{}{path}", app.url)).header("x-forwarded-for", from);
            let answer = request.basic_auth("x", Some("wmt_x")).json(&body).send().await.unwrap();
            if answer.status() == 429 {
                refused = Some(answer);
                break;
            }
        }
        let refused = refused.unwrap_or_else(|| panic!("{path} is never refused"));
        let wait = refused.headers().get(header::RETRY_AFTER).unwrap_or_else(|| panic!("{path}: {refused:?}"));
        assert!(wait.to_str().unwrap().parse::<u64>().unwrap() > 0, "{path}");
        if path.starts_with("/git/") {
            // In words for the person at the terminal.
            assert!(refused.text().await.unwrap().contains("try again in"), "{path}");
            continue;
        }
        let (_, problem) = json(refused).await;
        let code = if problem["problem"].is_object() { &problem["problem"]["code"] } else { &problem["code"] };
        assert_eq!(code, "too_many_requests", "{path}: {problem}");
        // Elsewhere nobody notices.
        let request = app.client.post(format!("{}{path}", app.url)).header("x-forwarded-for", "203.0.113.51");
        assert_ne!(request.json(&body).send().await.unwrap().status(), 429, "{path}");
    }
    // What an untrusted peer writes there changes nothing.
    let spoofed = app.client.get(format!("{}/health", app.url)).header("x-forwarded-for", from);
    assert_eq!(spoofed.send().await.unwrap().status(), 200);
}

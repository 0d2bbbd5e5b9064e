//! A route moves from one release to the next while people use the site.

use crate::{
    backend::Backend,
    bench::{Bench, PATIENCE, routes, service},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// Keep-alive connections that ask without a pause.
const VISITORS: usize = 4;
const SWITCHES: usize = 20;
/// Ends the test should the switches not.
const MOST_REQUESTS: usize = 50_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_lost_while_routes_move() {
    let bench = Bench::running().await;
    let releases = [Backend::start("one").await, Backend::start("two").await];
    let at = |index: usize| routes("shop", vec![service("www", &releases[index % 2], "/", false)]);
    bench.proxy.put(&at(0)).await.unwrap();
    bench.proxy.confirm(&at(0), PATIENCE).await.unwrap();

    let over = Arc::new(AtomicBool::new(false));
    let visitors: Vec<_> = (0..VISITORS)
        .map(|_| {
            let (over, url) = (Arc::clone(&over), format!("http://127.0.0.1:{}/", bench.settings.http_port));
            let http = reqwest::Client::builder().no_proxy().build().unwrap();
            tokio::spawn(async move {
                let mut answered = 0;
                while !over.load(Ordering::Relaxed) && answered < MOST_REQUESTS {
                    let answer = http.get(&url).header("host", "shop.localhost").send().await.unwrap();
                    assert_eq!(answer.status(), 200);
                    answer.text().await.unwrap();
                    answered += 1;
                }
                answered
            })
        })
        .collect();

    let mut slowest = Duration::ZERO;
    for index in 1..=SWITCHES {
        assert!(bench.files.put(&at(index)).await.unwrap());
        slowest = slowest.max(bench.api.confirm(&at(index), PATIENCE).await.unwrap());
        let (_, body) = bench.get("shop.localhost", "/").await;
        assert!(body.starts_with(["one", "two"][index % 2]), "confirmed, yet {body}");
    }
    over.store(true, Ordering::Relaxed);
    let mut answered = 0;
    for visitor in visitors {
        answered += visitor.await.unwrap();
    }
    println!("{SWITCHES} switches, slowest {slowest:?}, {answered} requests");
    assert!(answered >= 50, "{answered}");
    assert_eq!(bench.errors().await, Vec::<String>::new());
}

#[tokio::test]
async fn fifty_requests_one_after_another_see_the_old_then_the_new() {
    let bench = Bench::running().await;
    let (old, new) = (Backend::start("old").await, Backend::start("new").await);
    let (before, after) = (
        routes("shop", vec![service("www", &old, "/", false)]),
        routes("shop", vec![service("www", &new, "/", false)]),
    );
    bench.proxy.put(&before).await.unwrap();
    bench.proxy.confirm(&before, PATIENCE).await.unwrap();
    let mut seen = vec![];
    for request in 0..50 {
        if request == 10 {
            bench.proxy.put(&after).await.unwrap();
        }
        if request == 40 {
            bench.proxy.confirm(&after, PATIENCE).await.unwrap();
        }
        let (status, body) = bench.get("shop.localhost", "/").await;
        assert_eq!(status, 200);
        seen.push(body.starts_with("new"));
    }
    assert!(seen.is_sorted(), "back and forth: {seen:?}");
    assert_eq!((seen[0], seen[40]), (false, true));
}

//! The fake holds to the same rules as the real engine, and fails when it is told to.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use docker::{
    BuildContext, BuildError, BuildRequest, Error, EventKind, Labels, NetworkSpec, Runtime, SiteContainer,
    fake::{Behaviour, BuildScript, FakeRuntime},
};
use futures::StreamExt;
use std::{net::Ipv4Addr, time::Duration};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const BASE: Ipv4Addr = Ipv4Addr::new(10, 64, 0, 0);

fn labels() -> Labels {
    Labels::from([("webmeteor.site".to_owned(), "1".to_owned())])
}

async fn with_network() -> FakeRuntime {
    let fake = FakeRuntime::default();
    fake.add_image("image");
    let network = NetworkSpec { name: "net".into(), base: BASE, prefix: 27, labels: labels() };
    fake.ensure_network(&network).await.unwrap();
    fake
}

fn container(name: &str, last: u8) -> SiteContainer {
    let mut spec = SiteContainer::new(name, "image", "net", Ipv4Addr::new(10, 64, 0, last));
    spec.labels = labels();
    spec
}

#[tokio::test]
async fn names_addresses_and_networks_are_guarded_as_by_the_engine() {
    let fake = with_network().await;
    fake.start_site_container(&container("a", 2)).await.unwrap();
    assert!(matches!(fake.start_site_container(&container("a", 3)).await, Err(Error::Conflict(_))));
    assert!(matches!(fake.start_site_container(&container("b", 2)).await, Err(Error::AddressInUse(_))));
    assert!(matches!(fake.remove_network("net").await, Err(Error::Conflict(_))));
    assert!(matches!(fake.remove_image("image").await, Err(Error::Conflict(_))));
    fake.stop("a", Duration::ZERO).await.unwrap();
    fake.remove("a", false).await.unwrap();
    fake.remove("a", false).await.unwrap();
    fake.remove_network("net").await.unwrap();
    assert_eq!(fake.list_containers(&labels()).await.unwrap(), []);
}

#[tokio::test]
async fn the_call_that_was_chosen_fails_once() {
    let fake = with_network().await;
    fake.fail("start_site_container", 2, Error::Unavailable("gone".into()));
    fake.start_site_container(&container("a", 2)).await.unwrap();
    let failed = fake.start_site_container(&container("b", 3)).await;
    assert_eq!(failed, Err(Error::Unavailable("gone".into())));
    fake.start_site_container(&container("b", 3)).await.unwrap();
    assert_eq!(fake.running(), ["a", "b"]);
}

#[tokio::test]
async fn containers_end_as_they_are_told() {
    let fake = with_network().await;
    fake.behave("crash", Behaviour::CrashLoops(3));
    fake.behave("oom", Behaviour::OutOfMemory);
    fake.start_site_container(&container("crash", 2)).await.unwrap();
    fake.start_site_container(&container("oom", 3)).await.unwrap();
    let crashed = fake.inspect("crash").await.unwrap().unwrap();
    assert_eq!((crashed.running, crashed.exit_code, crashed.restart_count), (false, Some(3), 1));
    let oom = fake.inspect("oom").await.unwrap().unwrap();
    assert_eq!((oom.oom_killed, oom.exit_code), (true, Some(137)));
}

#[tokio::test]
async fn what_other_hands_do_is_told() {
    let fake = with_network().await;
    fake.start_site_container(&container("a", 2)).await.unwrap();
    let mut events = fake.events(&labels()).await.unwrap();
    fake.kill("a", 9);
    fake.destroy("a");
    let kinds = [events.next().await, events.next().await].map(|event| event.unwrap().unwrap().kind);
    assert_eq!(kinds, [EventKind::Died(Some(9)), EventKind::Destroyed]);
}

#[tokio::test]
async fn builds_go_as_they_are_told() {
    let fake = FakeRuntime::default();
    let failed = BuildError::Failed { message: "no".into() };
    fake.script_build("bad", BuildScript::Fails(vec!["why".into()], failed.clone()));
    fake.script_build("slow", BuildScript::Hangs(vec![]));
    let cancel = CancellationToken::new();
    let build = |tag: &str| {
        let context = BuildContext { root: "/".into(), folder: ".".into() };
        let (log, lines) = mpsc::channel(10);
        (fake.build(BuildRequest::new(context, tag), log, cancel.clone()), lines)
    };
    let (good, _) = build("good");
    assert_eq!(fake.image_id("good").await.unwrap(), None);
    let id = good.await.unwrap();
    assert_eq!(fake.image_id("good").await.unwrap(), Some(id));
    let (bad, mut lines) = build("bad");
    assert_eq!(bad.await, Err(failed));
    assert_eq!(lines.recv().await.unwrap().text, "why");
    let (slow, _) = build("slow");
    cancel.cancel();
    assert_eq!(slow.await, Err(BuildError::Cancelled));
}

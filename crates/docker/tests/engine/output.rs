//! What containers print, commands in them, and what happens to them.

use crate::bench::Bench;
use docker::{Error, EventKind, Runtime};
use futures::StreamExt;
use model::deployment::Stream;
use std::time::Duration;

#[tokio::test]
async fn the_last_lines_come_with_their_time_and_pipe() {
    let bench = Bench::new();
    let network = bench.network("net").await;
    let spec = bench.container("www", &network, 5, "echo one; echo two; echo three >&2; sleep 300");
    bench.engine.start_site_container(&spec).await.unwrap();
    crate::bench::until("all is said", || async { bench.engine.logs_tail(&spec.name, 10).await.unwrap().len() == 3 })
        .await;
    let lines = bench.engine.logs_tail(&spec.name, 10).await.unwrap();
    let from = |stream| -> Vec<_> {
        lines.iter().filter(|line| line.stream == stream).map(|line| line.text.as_str()).collect()
    };
    // The two pipes have no common order.
    assert_eq!((from(Stream::Stdout), from(Stream::Stderr)), (vec!["one", "two"], vec!["three"]));
    assert!(lines.iter().all(|line| line.at.is_some()));
    let last = bench.engine.logs_tail(&spec.name, 2).await.unwrap();
    assert_eq!(last, lines[1..]);
}

#[tokio::test]
async fn a_log_is_followed_until_the_container_ends() {
    let bench = Bench::new();
    let network = bench.network("net").await;
    let script = "mkfifo /tmp/go; echo begun; read line < /tmp/go; echo \"$line\"; sleep 300";
    let spec = bench.container("www", &network, 5, script);
    bench.engine.start_site_container(&spec).await.unwrap();
    let mut lines = bench.engine.logs_follow(&spec.name, 10).await.unwrap();
    assert_eq!(lines.next().await.unwrap().unwrap().text, "begun");
    bench.exec(&spec.name, &["bash", "-c", "echo later > /tmp/go"]).await;
    assert_eq!(lines.next().await.unwrap().unwrap().text, "later");
    bench.engine.remove(&spec.name, true).await.unwrap();
    assert!(lines.next().await.is_none());
}

#[tokio::test]
async fn a_command_answers_with_its_code_and_both_pipes() {
    let bench = Bench::new();
    let network = bench.network("net").await;
    let spec = bench.container("www", &network, 5, "sleep 300");
    bench.engine.start_site_container(&spec).await.unwrap();
    let output = bench.exec(&spec.name, &["bash", "-c", "echo out; echo err >&2; exit 4"]).await;
    assert_eq!((output.exit_code, output.stdout.as_str(), output.stderr.as_str()), (4, "out\n", "err\n"));

    let sleep: Vec<String> = ["sleep", "300"].map(String::from).to_vec();
    let limit = Duration::from_millis(300);
    assert_eq!(bench.engine.exec(&spec.name, &sleep, limit).await, Err(Error::TimeLimit(limit)));
    let gone = bench.engine.exec(&bench.name("none"), &sleep, limit).await.unwrap_err();
    assert!(matches!(gone, Error::NotFound(_)), "{gone:?}");
}

#[tokio::test]
async fn what_happens_to_a_container_is_told() {
    let bench = Bench::new();
    let network = bench.network("net").await;
    let spec = bench.container("www", &network, 5, "sleep 300");
    let mut events = bench.engine.events(&bench.labels()).await.unwrap();
    bench.engine.start_site_container(&spec).await.unwrap();
    bench.engine.remove(&spec.name, true).await.unwrap();
    let listen = async {
        let mut kinds = vec![];
        while let Some(event) = events.next().await {
            let event = event.unwrap();
            assert_eq!(event.name, spec.name);
            assert!(bench.labels().iter().all(|(key, value)| event.labels.get(key) == Some(value)));
            let last = event.kind == EventKind::Destroyed;
            kinds.push(event.kind);
            if last {
                break;
            }
        }
        kinds
    };
    let kinds = tokio::time::timeout(Duration::from_secs(30), listen).await.unwrap();
    assert_eq!(kinds, [EventKind::Created, EventKind::Started, EventKind::Died(Some(137)), EventKind::Destroyed]);
}

//! Builds.

use crate::bench::{Bench, all, until};
use docker::{BuildError, LogLine, Runtime};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn a_build_streams_its_lines_and_leaves_a_labelled_image() {
    let bench = Bench::new();
    let (_dir, request) = bench.build(&[
        (
            "Dockerfile",
            "FROM debian:bookworm-slim\nCOPY . /site\nRUN echo first; echo second >&2; ls -A /site\nEXPOSE 4200 53/udp\n",
        ),
        ("index.html", "hello"),
        ("left-out.log", ""),
        (".dockerignore", "*.log\n"),
    ]);
    let tag = request.tag.clone();
    let (log, lines) = mpsc::channel(1000);

    let id = bench.engine.build(request, log, CancellationToken::new()).await.unwrap();

    let lines = all(lines).await;
    assert!(lines.contains(&"first".to_owned()) && lines.contains(&"index.html".to_owned()), "{lines:#?}");
    assert!(lines.contains(&"second".to_owned()), "{lines:#?}");
    assert!(!lines.contains(&"left-out.log".to_owned()), "{lines:#?}");
    let image = bench.engine.image(&tag).await.unwrap().unwrap();
    assert_eq!(image.id, id);
    assert_eq!(image.exposed_ports, [4200]);
    assert!(bench.labels().iter().all(|(key, value)| image.labels.get(key) == Some(value)));
    assert_eq!(bench.engine.list_images(&bench.labels()).await.unwrap().len(), 1);
    assert_eq!(bench.engine.image_id(&tag).await.unwrap(), Some(id));
}

#[tokio::test]
async fn a_generated_dockerfile_builds_a_folder_without_one() {
    let bench = Bench::new();
    let (_dir, mut request) = bench.build(&[("index.html", "hello")]);
    request.dockerfile = Some("FROM debian:bookworm-slim\nCOPY index.html /\nRUN cat /index.html; echo\n".into());
    let (log, lines) = mpsc::channel(1000);
    bench.engine.build(request, log, CancellationToken::new()).await.unwrap();
    assert!(all(lines).await.contains(&"hello".to_owned()));
}

#[tokio::test]
async fn without_a_dockerfile_nothing_is_built() {
    let bench = Bench::new();
    let (_dir, request) = bench.build(&[("index.html", "hello")]);
    let (log, _lines) = mpsc::channel(10);
    let error = bench.engine.build(request, log, CancellationToken::new()).await.unwrap_err();
    assert_eq!(error, BuildError::NoDockerfile { folder: ".".into() });
}

#[tokio::test]
async fn a_failed_step_keeps_the_engines_words_and_leaves_no_container() {
    let bench = Bench::new();
    let dockerfile = format!("FROM debian:bookworm-slim\nRUN echo {} && printf why >&2 && exit 7\n", bench.run);
    let (_dir, request) = bench.build(&[("Dockerfile", &dockerfile)]);
    let (log, lines) = mpsc::channel(1000);
    let error = bench.engine.build(request, log, CancellationToken::new()).await.unwrap_err();
    let BuildError::Failed { message } = &error else { panic!("{error:?}") };
    assert!(message.contains("returned a non-zero code: 7"), "{message}");
    assert!(all(lines).await.iter().any(|line| line == "why"));
    assert_eq!(bench.build_containers().await, 0);
}

#[tokio::test]
async fn a_dockerfile_that_cannot_be_read_fails_with_its_line() {
    let bench = Bench::new();
    let (_dir, request) = bench.build(&[("Dockerfile", "FROM debian:bookworm-slim\nRUNN x\n")]);
    let (log, _lines) = mpsc::channel(10);
    let error = bench.engine.build(request, log, CancellationToken::new()).await.unwrap_err();
    assert!(matches!(&error, BuildError::Failed { message } if message.contains("RUNN")), "{error:?}");
}

#[tokio::test]
async fn a_cancelled_build_is_gone_within_two_seconds() {
    let bench = Bench::new();
    let dockerfile = format!("FROM debian:bookworm-slim\nRUN echo begun {}; sleep 300\n", bench.run);
    let (_dir, request) = bench.build(&[("Dockerfile", &dockerfile)]);
    let (log, mut lines) = mpsc::channel::<LogLine>(1000);
    let cancel = CancellationToken::new();
    let when_begun = async {
        while let Some(line) = lines.recv().await {
            if line.text.starts_with("begun") {
                assert_eq!(bench.build_containers().await, 1);
                cancel.cancel();
                return Instant::now();
            }
        }
        panic!("the build ended by itself");
    };
    let (built, cancelled_at) = tokio::join!(bench.engine.build(request, log, cancel.clone()), when_begun);
    assert_eq!(built, Err(BuildError::Cancelled));
    until("the step's container is gone", || async { bench.build_containers().await == 0 }).await;
    assert!(cancelled_at.elapsed() < Duration::from_secs(2), "{:?}", cancelled_at.elapsed());
}

#[tokio::test]
async fn a_build_ends_when_its_time_is_over() {
    let bench = Bench::new();
    let dockerfile = format!("FROM debian:bookworm-slim\nRUN echo {}; sleep 300\n", bench.run);
    let (_dir, mut request) = bench.build(&[("Dockerfile", &dockerfile)]);
    request.time_limit = Duration::from_secs(2);
    let (log, _lines) = mpsc::channel(1000);
    let built = bench.engine.build(request, log, CancellationToken::new()).await;
    assert_eq!(built, Err(BuildError::TimeLimit(Duration::from_secs(2))));
    until("the step's container is gone", || async { bench.build_containers().await == 0 }).await;
}

#[tokio::test]
async fn a_step_has_the_memory_it_was_given() {
    let bench = Bench::new();
    // Version 1 of control groups, then version 2.
    let show = "cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max";
    let (_dir, mut request) = bench.build(&[("Dockerfile", &format!("FROM debian:bookworm-slim\nRUN {show}\n"))]);
    request.memory_bytes = Some(3 << 30);
    request.cpu_millis = Some(1500);
    let (log, lines) = mpsc::channel(1000);
    bench.engine.build(request, log, CancellationToken::new()).await.unwrap();
    let lines = all(lines).await;
    assert!(lines.contains(&(3_u64 << 30).to_string()), "{lines:#?}");
}

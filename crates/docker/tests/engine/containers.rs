//! The life of a site's container.

use crate::bench::{Bench, until};
use docker::{Error, EventKind, Health, Runtime};
use futures::StreamExt;
use std::time::Duration;

#[tokio::test]
async fn a_container_keeps_its_address_and_name_over_a_restart() {
    let bench = Bench::new();
    let network = bench.network("net").await;
    let spec = bench.container("www", &network, 5, "sleep 300");
    bench.engine.start_site_container(&spec).await.unwrap();
    let peer = bench.container("peer", &network, 6, "sleep 300");
    bench.engine.start_site_container(&peer).await.unwrap();

    bench.engine.stop(&spec.name, Duration::from_secs(1)).await.unwrap();
    let stopped = bench.engine.inspect(&spec.name).await.unwrap().unwrap();
    assert!(!stopped.running);
    assert_eq!(stopped.address, Some(spec.address));
    bench.engine.start(&spec.name).await.unwrap();
    bench.engine.start(&spec.name).await.unwrap();

    let started = bench.engine.inspect(&spec.name).await.unwrap().unwrap();
    assert!(started.running);
    assert_eq!((started.address, started.exit_code), (Some(spec.address), None));
    assert!(started.started_at > stopped.started_at);
    let found = bench.exec(&peer.name, &["getent", "hosts", "www"]).await;
    assert!(found.stdout.starts_with(&spec.address.to_string()), "{found:?}");
}

#[tokio::test]
async fn a_taken_name_or_address_says_so_and_changes_nothing() {
    let bench = Bench::new();
    let network = bench.network("net").await;
    let spec = bench.container("www", &network, 5, "sleep 300");
    let id = bench.engine.start_site_container(&spec).await.unwrap();

    let same_name = bench.container("www", &network, 6, "sleep 300");
    let error = bench.engine.start_site_container(&same_name).await.unwrap_err();
    assert!(matches!(error, Error::Conflict(_)), "{error:?}");
    let same_address = bench.container("other", &network, 5, "sleep 300");
    let error = bench.engine.start_site_container(&same_address).await.unwrap_err();
    assert!(matches!(error, Error::AddressInUse(_)), "{error:?}");

    let left = bench.engine.list_containers(&bench.labels()).await.unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!((left[0].id.as_str(), left[0].running), (id.as_str(), true));
    assert_eq!(left[0].address, Some(spec.address));
}

#[tokio::test]
async fn what_cannot_start_is_not_left_behind() {
    let bench = Bench::new();
    let network = bench.network("net").await;
    let mut spec = bench.container("www", &network, 5, "");
    spec.command = Some(vec!["/no/such/program".into()]);
    // With an init process in front the engine starts that one; the program's absence shows as an exit code.
    match bench.engine.start_site_container(&spec).await {
        Err(error) => {
            assert!(error.to_string().contains("no such file"), "{error}");
            assert_eq!(bench.engine.inspect(&spec.name).await.unwrap(), None);
        }
        Ok(_) => {
            until("it ended", || async {
                let state = bench.engine.inspect(&spec.name).await.unwrap().unwrap();
                state.restart_count > 0 || state.exit_code == Some(127)
            })
            .await;
        }
    }
    let mut spec = bench.container("none", &network, 6, "");
    spec.image = "webmeteor-test/no-such-image:1".into();
    let error = bench.engine.start_site_container(&spec).await.unwrap_err();
    assert!(matches!(error, Error::NotFound(_)), "{error:?}");
    spec.name = "no/name".into();
    assert!(matches!(bench.engine.start_site_container(&spec).await, Err(Error::InvalidName(_))));
}

#[tokio::test]
async fn a_container_that_nobody_waits_for_any_more_is_not_left_behind() {
    let bench = Bench::new();
    let network = bench.network("net").await;
    let spec = bench.container("www", &network, 5, "sleep 300");
    let mut events = bench.engine.events(&bench.labels()).await.unwrap();
    // Long enough to ask, too short for an answer.
    let asked = tokio::time::timeout(Duration::from_millis(5), bench.engine.start_site_container(&spec)).await;
    assert!(asked.is_err(), "{asked:?}");
    let mut seen = vec![];
    while seen.last() != Some(&EventKind::Destroyed) {
        let next = tokio::time::timeout(Duration::from_secs(30), events.next()).await;
        seen.push(next.unwrap_or_else(|_| panic!("it stays: {seen:?}")).unwrap().unwrap().kind);
    }
    assert_eq!(seen, [EventKind::Created, EventKind::Destroyed]);
}

#[tokio::test]
async fn a_container_that_ends_shows_its_code_and_is_started_again() {
    let bench = Bench::new();
    let network = bench.network("net").await;
    let spec = bench.container("www", &network, 5, "echo last words >&2; exit 3");
    bench.engine.start_site_container(&spec).await.unwrap();
    until("it was started again", || async {
        bench.engine.inspect(&spec.name).await.unwrap().unwrap().restart_count > 0
    })
    .await;
    until("it ended with 3", || async {
        bench.engine.inspect(&spec.name).await.unwrap().unwrap().exit_code == Some(3)
    })
    .await;
    let last = bench.engine.logs_tail(&spec.name, 1).await.unwrap();
    assert_eq!(last[0].text, "last words");
}

#[tokio::test]
async fn a_container_without_memory_left_is_told_from_a_crash() {
    let bench = Bench::new();
    let network = bench.network("net").await;
    let mut spec = bench.container("www", &network, 5, "exec perl -e '$x = \"a\" x (256 << 20); sleep 300'");
    spec.memory_bytes = 32 << 20;
    bench.engine.start_site_container(&spec).await.unwrap();
    until("it ran out of memory", || async {
        let state = bench.engine.inspect(&spec.name).await.unwrap().unwrap();
        state.oom_killed && state.exit_code == Some(137)
    })
    .await;
}

#[tokio::test]
async fn a_container_takes_another_name() {
    let bench = Bench::new();
    let network = bench.network("net").await;
    let spec = bench.container("www.new", &network, 5, "sleep 300");
    let id = bench.engine.start_site_container(&spec).await.unwrap();
    bench.engine.rename(&spec.name, &bench.name("www")).await.unwrap();
    assert_eq!(bench.engine.inspect(&bench.name("www")).await.unwrap().unwrap().id, id);
    assert_eq!(bench.engine.inspect(&spec.name).await.unwrap(), None);
    assert_eq!(bench.engine.inspect(&id).await.unwrap().unwrap().name, bench.name("www"));
}

#[tokio::test]
async fn stopping_and_removing_what_is_gone_is_done() {
    let bench = Bench::new();
    let network = bench.network("net").await;
    let spec = bench.container("www", &network, 5, "sleep 300");
    bench.engine.start_site_container(&spec).await.unwrap();
    assert!(matches!(bench.engine.remove(&spec.name, false).await, Err(Error::Conflict(_))));
    for _ in 0..2 {
        bench.engine.stop(&spec.name, Duration::from_secs(1)).await.unwrap();
    }
    for _ in 0..2 {
        bench.engine.remove(&spec.name, true).await.unwrap();
    }
    bench.engine.stop(&spec.name, Duration::from_secs(1)).await.unwrap();
    assert_eq!(bench.engine.inspect(&spec.name).await.unwrap(), None);
}

#[tokio::test]
async fn a_program_that_ignores_the_signal_is_killed_after_its_grace() {
    let bench = Bench::new();
    let network = bench.network("net").await;
    let spec = bench.container("www", &network, 5, "trap '' TERM; echo ready; while :; do sleep 1; done");
    bench.engine.start_site_container(&spec).await.unwrap();
    until("it is ready", || async { !bench.engine.logs_tail(&spec.name, 1).await.unwrap().is_empty() }).await;
    bench.engine.stop(&spec.name, Duration::from_secs(1)).await.unwrap();
    let state = bench.engine.inspect(&spec.name).await.unwrap().unwrap();
    assert_eq!((state.running, state.exit_code), (false, Some(137)));
}

#[tokio::test]
async fn a_health_command_turns_green_and_red() {
    let bench = Bench::new();
    let network = bench.network("net").await;
    let mut spec = bench.container("www", &network, 5, "touch /tmp/well; sleep 300");
    spec.health = Some(docker::HealthCommand {
        argv: vec!["test".into(), "-e".into(), "/tmp/well".into()],
        interval: Duration::from_millis(200),
        timeout: Duration::from_secs(5),
        retries: 1,
        start_period: Duration::ZERO,
    });
    bench.engine.start_site_container(&spec).await.unwrap();
    let health = || async { bench.engine.inspect(&spec.name).await.unwrap().unwrap().health };
    until("it is well", || async { health().await == Some(docker::Health::Healthy) }).await;
    bench.exec(&spec.name, &["rm", "/tmp/well"]).await;
    until("it is ill", || async { health().await == Some(docker::Health::Unhealthy) }).await;
}

#[tokio::test]
async fn a_health_command_that_fails_while_the_container_starts_is_told_from_one_that_does_not_end() {
    let bench = Bench::new();
    let network = bench.network("net").await;
    for (what, address, argv, wanted) in
        [("fails", 5, &["false"][..], Health::Unhealthy), ("hangs", 6, &["sleep", "9"], Health::Slow)]
    {
        let mut spec = bench.container(what, &network, address, "sleep 300");
        spec.health = Some(docker::HealthCommand {
            argv: argv.iter().map(|&word| word.into()).collect(),
            interval: Duration::from_millis(200),
            timeout: Duration::from_millis(500),
            retries: 3,
            start_period: Duration::from_mins(5),
        });
        bench.engine.start_site_container(&spec).await.unwrap();
        let health = || async { bench.engine.inspect(&spec.name).await.unwrap().unwrap().health };
        until("its first check", || async { health().await != Some(Health::Starting) }).await;
        assert_eq!(health().await, Some(wanted), "{what}");
    }
}

//! What goes wrong on the way: some of it is tried again, some takes too long, some is wrong for good.

use crate::{
    cancel::{Stuck, slow_to_make},
    pipeline::{Site, docker},
    stand::{Stand, State},
    support::{Setup, Wire, until},
};
use serde_json::json;
use std::{fs, process::Command};

#[tokio::test(flavor = "multi_thread")]
async fn what_may_be_well_again_is_tried_again_ever_later_and_what_is_wrong_for_good_is_not() {
    let mut wire = Wire::new();
    let app = Setup::new().await.by_way_of(&wire).start().await;
    let stand = Stand::on(app, None).await;
    let caught = stand.catch(State::Building, "tried").await;
    wire.cut().await;
    let next = async |words: &str| {
        until(words, async || stand.log(&caught.id).await.into_iter().find(|(_, line)| line.contains(words))).await
    };
    let (second, _) = next("Next try, 2 of 6, in 2 s.").await;
    let (third, _) = next("Next try, 3 of 6, in 4 s.").await;
    assert!((third - second).as_seconds_f64() >= 2.0, "{second} {third}");
    let (fourth, _) = next("Next try, 4 of 6, in 8 s.").await;
    assert!((fourth - third).as_seconds_f64() >= 4.0, "{third} {fourth}");
    wire.mend();
    stand.until_sound(&caught).await;

    stand.commit(&[("Dockerfile", "FROM debian:bookworm-slim\nRUN exit 7\n".to_owned())]).await;
    let wrong = stand.deploy().await;
    until("its end", async || (stand.status(&wrong).await == ("failed".into(), 1)).then_some(())).await;
    let log = stand.log(&wrong).await;
    assert!(!log.iter().any(|(_, line)| line.contains("Next try")), "{log:?}");
}

/// Processes of the proxy are told to stop, which the engine does not notice, or to go on.
fn signal_proxy(site: &Site, signal: &str) {
    let instance = fs::read_to_string(site.app.data().join("instance")).unwrap();
    let processes = docker(&["top", &format!("webmeteor-{}-proxy", instance.trim()), "-o", "pid"]);
    for pid in processes.iter().filter(|line| line.trim().parse::<u32>().is_ok()) {
        assert!(Command::new("kill").args(["-s", signal, "--", pid.trim()]).status().unwrap().success());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_takes_too_long_fails_with_a_code_of_its_own() {
    let mut site = Site::live().await;
    let plain = "[services.www]\nbuild = \".\"\nport = 8080\n".to_owned();
    let slow_build =
        [("Dockerfile", "FROM debian:bookworm-slim\nRUN sleep 60\n".to_owned()), ("webmeteor.toml", plain.clone())];
    // What it says last is not hidden by the step's own end, which comes in the same moment.
    let deaf = [
        ("Dockerfile", "FROM debian:bookworm-slim\nCMD [\"sh\", \"-c\", \"echo last words; sleep 600\"]\n".to_owned()),
        ("webmeteor.toml", plain.clone()),
    ];
    let quick = [
        (
            "Dockerfile",
            "FROM debian:bookworm-slim\nCMD [\"perl\", \"-MIO::Socket::INET\", \"-e\", \
             \"$s = IO::Socket::INET->new(LocalPort => 8080, Listen => 9); $s->accept while 1\"]\n"
                .to_owned(),
        ),
        ("webmeteor.toml", format!("{plain}healthcheck = {{ command = [\"true\"] }}\n")),
    ];
    for (name, usual, seconds, files, code, step) in [
        ("FETCH_SECONDS", "600", "1", &deaf[..0], "fetch_timeout", "fetch"),
        ("BUILD_SECONDS", "600", "1", &slow_build[..], "build_timeout", "build"),
        ("START_SECONDS", "600", "1", &slow_to_make(40_000)[..], "start_timeout", "start"),
        ("VERIFY_SECONDS", "600", "3", &deaf[..], "not_listening", "verify"),
        ("SWITCH_SECONDS", "600", "1", &quick[..], "switch_failed", "switch"),
    ] {
        site.app.restart_with(name, seconds).await;
        site.app.until_ready().await;
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
        site.commit(&[&[("changed", code)][..], &files].concat()).await;
        let repository = site.app.data().join("repositories").join(format!("{}.git", site.id));
        let stuck = (step == "fetch").then(|| Stuck::repository(&repository));
        if step == "switch" {
            signal_proxy(&site, "STOP");
        }
        let deployment = site.deploy().await;
        let ended = site.ended(&deployment).await;
        signal_proxy(&site, "CONT");
        drop(stuck);
        assert_eq!((&ended["status"], &ended["error"]["code"]), (&json!("failed"), &json!(code)), "{ended:#}");
        assert_eq!(ended["error"]["step"], step, "{ended:#}");
        assert!(!ended["error"]["message"].as_str().unwrap().is_empty());
        if step == "verify" {
            assert_eq!(ended["error"]["service"], "www", "{ended:#}");
            let log = site.log(&deployment).await;
            assert!(log.iter().any(|line| line == "last words"), "{log:#?}");
        }
        site.until_page("Morrow Studio").await;
        site.until_settled().await;
        site.app.restart_with(name, usual).await;
    }
}

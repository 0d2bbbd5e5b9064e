//! Builds that run wild or look around: they fail with words of their own, and sites do not notice.

use crate::{
    pipeline::{Site, Visitors, docker},
    support::{Setup, until},
};
use serde_json::json;
use std::path::{Path, PathBuf};

async fn small() -> Setup {
    Setup::new().await.set("BUILD_MEMORY_MB", "128").set("BUILD_PROCESSES", "100")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_forks_or_eats_memory_without_end_fails_and_the_site_serves() {
    let site = Site::live_on(small().await).await;
    let visitors = Visitors::of(&site);
    for (dockerfile, code) in [
        ("FROM debian:bookworm-slim\nRUN perl -e '$x .= \"x\" x 1_000_000 while 1'\n", "build_out_of_memory"),
        (
            "FROM debian:bookworm-slim\nRUN sh -c 'perl -e \"\\$x .= 1 x 1_000_000 while 1\"; exit 5'\n",
            "build_out_of_memory",
        ),
        ("FROM debian:bookworm-slim\nRUN for i in $(seq 300); do sleep 600 & done\n", "build_too_many_processes"),
        ("FROM debian:bookworm-slim\nRUN perl -e 'while (1) { fork }'\n", "build_too_many_processes"),
        ("FROM debian:bookworm-slim\nRUN exit 137\n", "build_failed"),
    ] {
        site.commit(&[("Dockerfile", dockerfile)]).await;
        let deployment = site.deploy().await;
        let ended = site.ended(&deployment).await;
        assert_eq!((&ended["status"], &ended["error"]["code"]), (&json!("failed"), &json!(code)), "{ended:#}");
        assert!(!ended["error"]["remedy"].as_str().unwrap().is_empty());
        assert!(site.page().await.is_some_and(|page| page.contains("Morrow Studio")), "{code}");
    }
    let (served, failed) = visitors.counts();
    assert!(served > 100 && failed == 0, "{served} served, {failed} failed");
    let all = group_of_all_builds(&site);
    assert!(all.is_dir(), "{}", all.display());
    until("no control group of a build", async || {
        let inner = std::fs::read_dir(&all).unwrap().flatten();
        (inner.filter(|entry| entry.path().is_dir()).count() == 0).then_some(())
    })
    .await;
}

/// Where the kernel shows the control group of all the installation's builds.
fn group_of_all_builds(site: &Site) -> PathBuf {
    let instance = std::fs::read_to_string(site.app.data().join("instance")).unwrap();
    let name = format!("webmeteor-{}", instance.trim());
    let engine = docker(&["info", "--format", "{{.CgroupDriver}} {{.CgroupVersion}}"]).remove(0);
    let root = Path::new("/sys/fs/cgroup");
    match engine.as_str() {
        "cgroupfs 1" => root.join("pids").join(name),
        "cgroupfs 2" => root.join(name),
        "systemd 2" => root.join("webmeteor.slice").join(format!("{name}.slice")),
        "systemd 1" => root.join("pids/webmeteor.slice").join(format!("{name}.slice")),
        other => panic!("control groups of an unknown kind: {other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_reaches_neither_sites_nor_the_clouds_metadata() {
    let site = Site::live().await;
    let name = site.containers().remove(0);
    let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
    let address = docker(&["inspect", "--format", format, &name]).remove(0);
    let port =
        docker(&["inspect", "--format", "{{range $p, $_ := .Config.ExposedPorts}}{{$p}}{{end}}", &name]).remove(0);
    let port = port.split('/').next().unwrap().to_owned();
    // Reachable at all: from the machine itself.
    tokio::net::TcpStream::connect(format!("{address}:{port}")).await.unwrap();
    let knock = |what: &str, address: &str, port: &str| {
        format!(
            "RUN timeout 3 bash -c 'exec 3<>/dev/tcp/{address}/{port}' 2>/dev/null && echo {what} open || echo {what} shut\n"
        )
    };
    let dockerfile = format!(
        "FROM debian:bookworm-slim\nSHELL [\"/bin/bash\", \"-c\"]\n{}{}RUN echo {} && exit 7\n",
        knock("site", &address, &port),
        knock("metadata", "169.254.169.254", "80"),
        site.slug,
    );
    site.commit(&[("Dockerfile", &dockerfile)]).await;
    let deployment = site.deploy().await;
    assert_eq!(site.ended(&deployment).await["error"]["code"], "build_failed");
    let log = site.app.get(&format!("/api/v1/deployments/{deployment}/log"), Some(&site.token)).await.1.to_string();
    assert!(log.contains("\"site shut\""), "{log}");
    assert!(log.contains("\"metadata shut\""), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_a_build_left_behind_is_removed() {
    let site = Site::live().await;
    let instance = std::fs::read_to_string(site.app.data().join("instance")).unwrap();
    let network = format!("webmeteor-{}-builds", instance.trim());
    let name = format!("left-{}", uuid::Uuid::new_v4().simple());
    docker(&[
        "run",
        "--detach",
        "--name",
        &name,
        "--label",
        "webmeteor.test=it",
        "--network",
        &network,
        "debian:bookworm-slim",
        "sleep",
        "600",
    ]);
    until("it is gone", async || {
        docker(&["ps", "--all", "--quiet", "--filter", &format!("name={name}")]).is_empty().then_some(())
    })
    .await;
}

//! Sites are kept apart, at every moment.

use crate::pipeline::{Site, docker};
use serde_json::json;
use std::process::Command;

/// What the rule between sites has kept back, in packets.
fn kept_back(instance: &str) -> u64 {
    let rules = Command::new("iptables").args(["-t", "mangle", "-w", "5", "-nvxL", "FORWARD"]).output().unwrap();
    let rules = String::from_utf8_lossy(&rules.stdout).into_owned();
    let mark = format!("/* webmeteor-{instance} */");
    let rule = rules.lines().find(|line| line.contains(&mark)).unwrap_or_else(|| panic!("{mark} is not in\n{rules}"));
    rule.split_whitespace().next().unwrap().parse().unwrap()
}

/// The engine's own rules come after this one, so whatever they let through for a moment was kept back before.
#[tokio::test(flavor = "multi_thread")]
async fn no_site_reaches_another_whatever_the_engine_does_to_its_rules() {
    let mut site = Site::live().await;
    let instance = std::fs::read_to_string(site.app.data().join("instance")).unwrap().trim().to_owned();
    // It gets its own name once the release before it is gone.
    site.until_settled().await;
    let there = site.containers().remove(0);
    let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
    let address = docker(&["inspect", "--format", format, &there]).remove(0);
    let made = site.another(&json!({"template": "static"})).await;
    assert_eq!(site.ended(made["deployment_id"].as_str().unwrap()).await["status"], "live");
    site.until_settled().await;
    let here = site.containers().remove(0);

    let knock = format!("timeout 2 bash -c 'exec 3<>/dev/tcp/{address}/8080'");
    let knocks = |from: &str| Command::new("docker").args(["exec", from, "bash", "-c", &knock]).output().unwrap();
    assert!(knocks(&there).status.success(), "it is open for those of its own");
    assert_eq!(kept_back(&instance), 0);
    assert!(!knocks(&here).status.success());
    assert!(kept_back(&instance) > 0);
}

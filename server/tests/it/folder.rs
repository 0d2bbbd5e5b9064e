//! The folder of a live site, from which `docker compose up -d` would make what runs.

use crate::pipeline::{Site, docker};
use std::{fs, os::unix::fs::PermissionsExt};

#[tokio::test(flavor = "multi_thread")]
async fn a_live_site_has_a_private_folder_that_says_what_runs() {
    let site = Site::live().await;
    site.until_settled().await;
    let teams: Vec<_> = fs::read_dir(site.app.data().join("sites")).unwrap().map(|e| e.unwrap().path()).collect();
    let [team] = &teams[..] else { panic!("{teams:?}") };
    let folder = team.join(&site.id).join("production");
    for (name, mode) in [("", 0o700), ("docker-compose.yaml", 0o600), (".env", 0o600)] {
        let found = fs::metadata(folder.join(name)).unwrap().permissions().mode();
        assert_eq!(found & 0o777, mode, "{name}: {found:o}");
    }

    let name = site.containers().remove(0);
    let inspect = |format: &str| docker(&["inspect", "--format", format, &name]);
    let facts = inspect(
        "{{.Config.Image}} {{range $network, $at := .NetworkSettings.Networks}}{{$network}} {{$at.IPAddress}}{{end}}",
    )
    .remove(0);
    let compose = fs::read_to_string(folder.join("docker-compose.yaml")).unwrap();
    for fact in facts.split_whitespace().chain([name.as_str(), "env_file", "no-new-privileges:true"]) {
        assert!(compose.contains(fact), "{fact} is missing:\n{compose}");
    }

    let given = inspect("{{range .Config.Env}}{{println .}}{{end}}");
    let env = fs::read_to_string(folder.join(".env")).unwrap();
    let (names, lines): (Vec<&str>, Vec<String>) = env
        .lines()
        .map(|line| line.split_once('=').unwrap())
        .map(|(name, value)| (name, format!("{name}={}", value.trim_matches('\''))))
        .unzip();
    assert_eq!(names, ["APP_DOMAIN", "APP_ENV", "APP_URL", "JWT_SECRET", "SESSION_SECRET"]);
    assert!(lines.iter().all(|line| given.contains(line)), "the container was given other ones");
}

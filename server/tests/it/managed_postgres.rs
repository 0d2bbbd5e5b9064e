//! The managed PostgreSQL: made, kept, adopted, started again, stopped.

use crate::support::{App, Setup, until};
use std::{fs, process::Command};

fn postgres_pid(app: &App) -> Option<String> {
    let text = fs::read_to_string(app.data().join("postgres/cluster/postmaster.pid")).ok()?;
    text.lines().next().map(str::to_owned)
}

/// It runs; one that has ended may keep its number until its parent takes note.
fn exists(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

async fn sign_in_works(app: &App, email: &str) -> bool {
    let body = serde_json::json!({"email": email, "password": "tide lamp orbit 7"});
    app.post("/api/v1/auth/token", None, &body).await.0 == 200
}

#[tokio::test]
async fn it_survives_a_kill_of_the_platform_and_is_adopted() {
    let mut app = Setup::bare().without_docker().start().await;
    app.register("ada@example.org").await;
    let before = postgres_pid(&app).unwrap();
    app.kill();
    assert!(exists(&before), "the database goes on");
    app.restart().await;
    assert_eq!(postgres_pid(&app).unwrap(), before, "the same server");
    assert!(app.log().contains("took over"), "{}", app.log());
    assert!(sign_in_works(&app, "ada@example.org").await);
    assert!(app.stop().await.success());
    assert!(!exists(&before), "a clean stop stops it too");
}

#[tokio::test]
async fn after_a_kill_of_both_what_was_committed_is_there() {
    let mut app = Setup::bare().without_docker().start().await;
    app.register("ada@example.org").await;
    let postgres = postgres_pid(&app).unwrap();
    app.kill();
    assert!(Command::new("kill").args(["-9", "--", &postgres]).status().unwrap().success());
    until("the database's end", async || (!exists(&postgres)).then_some(())).await;
    app.restart().await;
    assert!(sign_in_works(&app, "ada@example.org").await);
}

#[tokio::test]
async fn when_it_dies_it_is_started_again() {
    let app = Setup::bare().without_docker().start().await;
    app.register("ada@example.org").await;
    let before = postgres_pid(&app).unwrap();
    assert!(Command::new("kill").args(["-9", "--", &before]).status().unwrap().success());
    until("another server", async || postgres_pid(&app).filter(|pid| *pid != before)).await;
    until("an answer from it", async || sign_in_works(&app, "ada@example.org").await.then_some(())).await;
}

#[tokio::test]
async fn it_is_private_and_opens_no_port() {
    use std::os::unix::fs::PermissionsExt;
    let app = Setup::bare().without_docker().start().await;
    for folder in ["postgres", "postgres/socket", "postgres/cluster"] {
        let mode = fs::metadata(app.data().join(folder)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{folder}");
    }
    let lines = fs::read_to_string(app.data().join("postgres/cluster/postmaster.pid")).unwrap();
    assert_eq!(lines.lines().nth(5), Some(""), "listen_addresses");
}

#[test]
fn missing_programs_are_told_with_the_remedy() {
    let empty = tempfile::tempdir().unwrap();
    let output = Setup::bare().without_docker().set("POSTGRES_BIN", empty.path().display().to_string()).output();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("WEBMETEOR_POSTGRES_BIN") && text.contains("WEBMETEOR_DATABASE_URL"), "{text}");
}

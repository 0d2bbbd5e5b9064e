//! The Dockerfiles that are made for known projects: built and run by the real engine, with every capability dropped.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use forge::discover::discover;
use model::site::ServiceSource;
use std::{
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

const LABEL: &str = "webmeteor.test=forge-recipes";
/// A container that was started answers within this, or never.
const DEADLINE: Duration = Duration::from_secs(30);

fn docker(args: &[&str]) -> String {
    let run = Command::new("docker").args(args).env("DOCKER_BUILDKIT", "0").output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "docker {args:?}\n{out}\n{err}");
    out.trim().to_owned()
}

/// A site built from its generated Dockerfile and running; gone when dropped.
struct Running {
    image: String,
    container: String,
    address: String,
}

impl Running {
    fn start(name: &str, files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let site = discover(folder.path()).unwrap();
        let ServiceSource::Build { generated: Some(text), .. } = &site.services[0].source else { panic!() };
        let dockerfile = folder.path().with_extension("dockerfile");
        std::fs::write(&dockerfile, text).unwrap();
        let image = format!("webmeteor-test-recipe-{name}-{}", std::process::id());
        let context = folder.path().to_str().unwrap();
        let file = dockerfile.to_str().unwrap();
        docker(&["build", "--label", LABEL, "--tag", &image, "--file", file, "--", context]);
        std::fs::remove_file(Path::new(file)).unwrap();
        let container = docker(&[
            "run",
            "--detach",
            "--label",
            LABEL,
            "--cap-drop",
            "ALL",
            "--security-opt",
            "no-new-privileges",
            "--memory",
            "256m",
            "--pids-limit",
            "128",
            "--publish",
            "127.0.0.1::8080",
            &image,
        ]);
        let address = docker(&["port", &container, "8080/tcp"]).lines().next().unwrap().to_owned();
        Self { image, container, address }
    }

    /// Status and body, once the program answers.
    fn get(&self, path: &str) -> (u16, String) {
        let started = Instant::now();
        loop {
            if let Some(answer) = self.try_get(path) {
                return answer;
            }
            assert!(started.elapsed() < DEADLINE, "no answer; it says:\n{}", docker(&["logs", &self.container]));
            std::thread::yield_now();
        }
    }

    fn try_get(&self, path: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        stream.set_read_timeout(Some(DEADLINE)).ok()?;
        write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").ok()?;
        let mut text = String::new();
        stream.read_to_string(&mut text).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
    }

    /// Ends by the image's own signal, well before it would be killed.
    fn stops_by_itself(&self) -> bool {
        docker(&["stop", "--time", "20", &self.container]);
        docker(&["inspect", "--format", "{{.State.ExitCode}}", &self.container]) != "137"
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for args in [["rm", "--force", self.container.as_str()], ["rmi", "--force", self.image.as_str()]] {
            let _ = Command::new("docker").args(args).output();
        }
    }
}

#[test]
fn pages_are_served_and_nothing_hidden_is() {
    let site = Running::start(
        "static",
        &[
            ("index.html", "<p>hello"),
            ("about.html", "<p>about"),
            ("404.html", "<p>lost"),
            (".env", "SECRET=1"),
            (".well-known/security.txt", "mailto:a@example.org"),
        ],
    );
    assert_eq!(site.get("/"), (200, "<p>hello".into()));
    assert_eq!(site.get("/about"), (200, "<p>about".into()));
    assert_eq!(site.get("/nope"), (404, "<p>lost".into()));
    assert_eq!(site.get("/.env").0, 404);
    assert_eq!(site.get("/.well-known/security.txt").0, 200);
    assert!(site.stops_by_itself());
}

#[test]
fn php_runs_and_gets_every_path() {
    let site = Running::start(
        "php",
        &[
            (
                "index.php",
                "<?php echo 'path ', $_SERVER['REQUEST_URI'], ' ', extension_loaded('pdo_pgsql') ? 'pg' : '';",
            ),
            ("style.css", "p {}"),
            (".env", "SECRET=1"),
            (".htaccess", "RewriteEngine On\nRewriteRule ^old$ /new [R=301,L]\n"),
        ],
    );
    assert_eq!(site.get("/"), (200, "path / pg".into()));
    assert_eq!(site.get("/shop/1?x=2"), (200, "path /shop/1?x=2 pg".into()));
    assert_eq!(site.get("/style.css"), (200, "p {}".into()));
    assert_eq!(site.get("/.env").0, 403);
    assert_eq!(site.get("/old").0, 301);
    assert!(site.stops_by_itself());
}

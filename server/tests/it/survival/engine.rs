//! A Docker daemon of a test's own, which may be killed: the machine's other containers are not its.

use crate::support::{LOOK_AGAIN, PATIENCE};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Instant,
};
use tempfile::TempDir;

/// What the tests' sites and the proxy are made of.
const IMAGES: [&str; 2] = ["debian:bookworm-slim", "traefik:v3"];

/// What becomes of containers while the daemon is away.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Containers {
    /// With `live-restore`, as the platform's set-up starts it.
    RunOn,
    /// Without, and when the machine restarts.
    EndWithIt,
}

/// The daemon. It leaves the host's packet filter alone and has
/// a bridge of its own, for there it would get into the way of the other one: told to use no bridge, it removes that
/// one's.
pub struct Engine {
    root: TempDir,
    bridge: String,
    containers: Containers,
    daemon: Option<Child>,
}

impl Engine {
    /// Starts one that has the images.
    pub fn start(containers: Containers) -> Self {
        let root = tempfile::Builder::new().prefix("webmeteor-engine-").tempdir().unwrap();
        let chance = uuid::Uuid::new_v4();
        let bridge = format!("wm-{}", &chance.simple().to_string()[..8]);
        let address = format!("10.199.{}.1/24", chance.as_bytes()[0]);
        ip(&["link", "add", "name", &bridge, "type", "bridge"]);
        ip(&["address", "add", &address, "dev", &bridge]);
        ip(&["link", "set", &bridge, "up"]);
        let mut engine = Self { root, bridge, containers, daemon: None };
        engine.launch();
        engine.docker(&["load", "--quiet", "--input", &images().display().to_string()]);
        engine
    }

    /// Its address.
    pub fn host(&self) -> String {
        format!("unix://{}", self.path("docker.sock").display())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Starts the daemon (again) and waits until it answers.
    pub fn launch(&mut self) {
        // What a killed daemon leaves keeps the next one from starting.
        for stale in ["docker.pid", "exec/containerd/containerd.pid"] {
            let _ = fs::remove_file(self.path(stale));
        }
        let log = File::options().create(true).append(true).open(self.path("log")).unwrap();
        let mut command = Command::new("dockerd");
        // The machine's own settings are not this daemon's; one that stands there and here keeps it from starting.
        fs::write(self.path("daemon.json"), "{}").unwrap();
        let paths = [
            ("--data-root", "data"),
            ("--exec-root", "exec"),
            ("--pidfile", "docker.pid"),
            ("--config-file", "daemon.json"),
        ];
        for (flag, name) in paths {
            command.arg(flag).arg(self.path(name));
        }
        command
            .args(["--bridge", &self.bridge, "--iptables=false", "--ip-forward=false", "--ip-masq=false"])
            .args((self.containers == Containers::RunOn).then_some("--live-restore"))
            .args(["--host", &self.host()])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        self.daemon = Some(command.spawn().expect("dockerd is installed"));
        let deadline = Instant::now() + PATIENCE;
        while !self.command(&["version"]).output().unwrap().status.success() {
            assert!(Instant::now() < deadline, "it does not start:\n{}", self.log());
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// What `kill -9` does.
    pub fn kill(&mut self) {
        let mut daemon = self.daemon.take().expect("it runs");
        daemon.kill().unwrap();
        daemon.wait().unwrap();
    }

    /// Ends it as the machine's end does, and waits for that.
    pub fn stop(&mut self) {
        let mut daemon = self.daemon.take().expect("it runs");
        let _ = Command::new("kill").args(["-s", "TERM", "--", &daemon.id().to_string()]).status();
        let _ = daemon.wait();
    }

    /// What it said.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command.env("DOCKER_HOST", self.host()).args(arguments);
        command
    }

    fn docker(&self, arguments: &[&str]) -> String {
        let out = self.command(arguments).output().unwrap();
        String::from_utf8_lossy(&out.stdout).into_owned()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if self.daemon.is_none() {
            self.launch();
        }
        for (list, remove) in [(&["ps", "--all", "--quiet"][..], "rm"), (&["network", "ls", "--quiet"][..], "network")]
        {
            let found = self.docker(list);
            let ids: Vec<&str> = found.lines().collect();
            let arguments = if remove == "rm" { vec!["rm", "--force"] } else { vec!["network", "rm"] };
            if !ids.is_empty() {
                self.docker(&[arguments, ids].concat());
            }
        }
        self.stop();
        ip(&["link", "delete", &self.bridge]);
        // What it mounts within its folders would keep them from being removed.
        for mounted in ["data", "exec/netns/default"] {
            let _ = Command::new("umount").arg(self.path(mounted)).stderr(Stdio::null()).status();
        }
    }
}

fn ip(arguments: &[&str]) {
    let _ = Command::new("ip").args(arguments).status();
}

/// The images of the machine's own engine in one file, kept between runs.
fn images() -> PathBuf {
    let ids = Command::new("docker").args(["inspect", "--format", "{{slice .Id 7 19}}"]).args(IMAGES).output().unwrap();
    let ids = String::from_utf8_lossy(&ids.stdout).split_whitespace().collect::<Vec<_>>().join("-");
    let path = std::env::temp_dir().join(format!("webmeteor-images-{ids}.tar"));
    if !path.exists() {
        let half = tempfile::NamedTempFile::new().unwrap();
        save(half.path());
        half.persist(&path).unwrap();
    }
    path
}

fn save(to: &Path) {
    let done = Command::new("docker").args(["save", "--output"]).arg(to).args(IMAGES).status().unwrap();
    assert!(done.success(), "the images {IMAGES:?} are there: run scripts/setup");
}

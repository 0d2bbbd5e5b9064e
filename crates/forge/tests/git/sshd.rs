//! A forge that is reached over SSH: OpenSSH's server with settings of its own, on a port of its own, and a repository.

use forge::{
    git::{HostKey, KeyPair, SshAccess},
    hosted::{self, Author, FileChange},
};
use model::names::{BranchName, CommitSha, RepoUrl};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Lets a login in, holds it while a file is there, and runs what it asks for.
const GATE: &str = "#!/bin/sh
touch \"$(dirname \"$0\")/entered\"
while [ -e \"$(dirname \"$0\")/hold\" ]; do sleep 0.02; done
exec sh -c \"$SSH_ORIGINAL_COMMAND\"
";

/// A running server; it ends with this.
pub struct Sshd {
    pub folder: TempDir,
    pub port: u16,
    child: Option<Child>,
}

fn run(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output().unwrap();
    assert!(output.status.success(), "{program}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

impl Sshd {
    /// A server with a repository `site.git` with one commit on `main`; it lets nobody in yet.
    pub async fn start() -> (Self, CommitSha) {
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut sshd = Self { folder, port, child: None };
        let gate = sshd.at("gate");
        fs::write(&gate, GATE).unwrap();
        fs::set_permissions(&gate, fs::Permissions::from_mode(0o755)).unwrap();
        hosted::create_empty(&sshd.repository()).await.unwrap();
        let commit = sshd.commit("main", &[("index.html", "one")]).await;
        sshd.write("authorized_keys", "");
        sshd.new_host_key();
        (sshd, commit)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.at(name), text).unwrap();
    }

    pub fn repository(&self) -> PathBuf {
        self.at("site.git")
    }

    pub async fn commit(&self, branch: &str, files: &[(&str, &str)]) -> CommitSha {
        let text = |text: &str| FileChange::Write(text.as_bytes().to_vec());
        let files = files.iter().map(|(path, body)| ((*path).to_owned(), text(body))).collect();
        let author = Author { name: "Ada".into(), email: "ada@example.org".into() };
        let branch = BranchName::parse(branch).unwrap();
        hosted::commit_files(&self.repository(), &branch, &files, "A message", &author).await.unwrap()
    }

    /// Begins anew with another host key, on the same port; the key.
    pub fn new_host_key(&mut self) -> HostKey {
        self.stop();
        let key = self.at("host_key");
        let _ = fs::remove_file(&key);
        run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key.to_str().unwrap()]);
        let config = format!(
            "Port {}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nUsePAM no\n\
             StrictModes no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n\
             LogLevel VERBOSE\nMaxStartups 100\n",
            self.port,
            key.display(),
            self.at("authorized_keys").display(),
        );
        self.write("sshd_config", &config);
        // The server wants this folder where it runs as root; the package's service makes it.
        if run("id", &["-u"]) == "0" {
            fs::create_dir_all("/run/sshd").unwrap();
        }
        let before = self.connections();
        let log = fs::OpenOptions::new().create(true).append(true).open(self.at("log")).unwrap();
        let mut sshd = Command::new("/usr/sbin/sshd");
        sshd.args(["-D", "-e", "-f"]).arg(self.at("sshd_config")).stdin(Stdio::null()).stderr(log);
        self.child = Some(sshd.spawn().expect("openssh-server is installed by scripts/setup --tests"));
        let deadline = Instant::now() + Duration::from_secs(20);
        let mut is_there = false;
        // It is noted a little after it was answered.
        while !is_there || self.connections() == before {
            assert!(Instant::now() < deadline, "sshd does not answer: {}", self.log());
            is_there = is_there || std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok();
            std::thread::sleep(Duration::from_millis(10));
        }
        self.host_key()
    }

    pub fn host_key(&self) -> HostKey {
        HostKey::parse(&fs::read_to_string(self.at("host_key.pub")).unwrap()).unwrap()
    }

    /// This key alone is let in.
    pub fn authorize(&self, public_key: &str) {
        let line = format!("restrict,command=\"{}\" {public_key}\n", self.at("gate").display());
        self.write("authorized_keys", &line);
    }

    /// A new key that is let in, and what opens the repository with it.
    pub fn access(&self) -> SshAccess {
        let pair = KeyPair::generate().unwrap();
        self.authorize(&pair.public_key);
        SshAccess { private_key: pair.private_key, public_key: pair.public_key, host_key: self.host_key() }
    }

    /// Logins wait inside until they are let go.
    pub fn hold(&self) {
        let _ = fs::remove_file(self.at("entered"));
        self.write("hold", "");
    }

    pub fn has_entered(&self) -> bool {
        self.at("entered").exists()
    }

    pub fn let_go(&self) {
        let _ = fs::remove_file(self.at("hold"));
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.at("log")).unwrap_or_default()
    }

    /// How many connections it noted.
    pub fn connections(&self) -> usize {
        self.log().matches("Connection from").count()
    }

    /// The repository's address at this host.
    pub fn url_at(&self, host: &str) -> RepoUrl {
        self.url_of(host, &self.repository())
    }

    pub fn url_of(&self, host: &str, repository: &Path) -> RepoUrl {
        let user = run("id", &["-un"]);
        RepoUrl::parse(&format!("ssh://{user}@{host}:{}{}", self.port, repository.display())).unwrap()
    }

    pub fn url(&self) -> RepoUrl {
        self.url_at("127.0.0.1")
    }

    /// Nothing answers on its port any more.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.let_go();
        self.stop();
    }
}

//! One run of git: arguments, an environment of our own, limits, and an end for every process it began.

use rustix::process::{Pid, Signal, kill_process_group};
use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::{Child, Command},
};
use tokio_util::sync::CancellationToken;

/// Standard error is kept up to here; git's last words matter, a server's chatter does not.
pub(crate) const MAX_STDERR: usize = 64 * 1024;
const MAX_STDOUT: usize = 1024 * 1024;
const TIMEOUT: Duration = Duration::from_mins(1);

/// Settings of every run. Nothing of the user's or the system's configuration is read.
const CONFIG: &[(&str, &str)] = &[
    ("protocol.allow", "never"),
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.quotePath", "false"),
    ("credential.helper", ""),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("submodule.recurse", "false"),
    ("fetch.recurseSubmodules", "false"),
    ("commit.gpgSign", "false"),
    ("log.showSignature", "false"),
    ("init.defaultBranch", "main"),
    ("advice.detachedHead", "false"),
];

/// Variables taken over from our own environment: where programs are, and whom TLS trusts.
const INHERITED: &[&str] = &["PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO", "GIT_EXEC_PATH"];

/// Why git did not do it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GitError {
    #[error("git could not be started ({0}); it has to be installed beside the platform")]
    Start(std::io::Error),
    #[error("git could not be talked to: {0}")]
    Pipe(std::io::Error),
    #[error("git did not finish within {} s", .0.as_secs())]
    TimedOut(Duration),
    #[error("cancelled")]
    Cancelled,
    #[error("the repository holds more than can be listed")]
    TooMuchOutput,
    #[error("git: {}", last_words(stderr))]
    Exit { code: Option<i32>, stderr: String },
}

/// The line of git's messages that says what went wrong.
fn last_words(stderr: &str) -> &str {
    let lines = || stderr.lines().map(str::trim).filter(|line| !line.is_empty());
    lines()
        .find_map(|line| line.strip_prefix("fatal: ").or_else(|| line.strip_prefix("error: ")))
        .or_else(|| lines().next_back())
        .unwrap_or("ended with an error and said nothing")
}

/// A run of git that is being put together.
pub(crate) struct Git {
    args: Vec<OsString>,
    env: Vec<(&'static str, OsString)>,
    config: Vec<(String, String)>,
    stdin: Option<Vec<u8>>,
    folder: PathBuf,
    max_stdout: usize,
    timeout: Duration,
    cancel: CancellationToken,
    is_killed: bool,
}

impl Git {
    /// `git {subcommand}`; what comes from outside is added after `--` or as a value that cannot begin with a hyphen.
    pub(crate) fn new<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Self {
        Self {
            args: args.into_iter().map(|arg| arg.as_ref().to_owned()).collect(),
            env: Vec::new(),
            config: Vec::new(),
            stdin: None,
            folder: PathBuf::from("/"),
            max_stdout: MAX_STDOUT,
            timeout: TIMEOUT,
            cancel: CancellationToken::new(),
            is_killed: true,
        }
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }
    /// The repository, named outright, so that none is searched for in the folders above.
    pub(crate) fn repository(self, path: &Path) -> Self {
        self.env("GIT_DIR", path)
    }
    pub(crate) fn work_tree(self, path: &Path) -> Self {
        self.env("GIT_WORK_TREE", path)
    }
    pub(crate) fn index(self, path: &Path) -> Self {
        self.env("GIT_INDEX_FILE", path)
    }
    pub(crate) fn env(mut self, key: &'static str, value: impl AsRef<OsStr>) -> Self {
        self.env.push((key, value.as_ref().to_owned()));
        self
    }
    /// A setting for this run alone. It travels in the environment: arguments can be read by every user of the machine.
    pub(crate) fn config(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.config.push((key.into(), value.into()));
        self
    }
    pub(crate) fn stdin(mut self, bytes: Vec<u8>) -> Self {
        self.stdin = Some(bytes);
        self
    }
    /// Where it runs, for those few commands that take paths relative to it.
    pub(crate) fn in_folder(mut self, path: &Path) -> Self {
        path.clone_into(&mut self.folder);
        self
    }
    pub(crate) fn max_stdout(mut self, bytes: usize) -> Self {
        self.max_stdout = bytes;
        self
    }
    pub(crate) fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
    pub(crate) fn cancel(mut self, cancel: &CancellationToken) -> Self {
        self.cancel = cancel.clone();
        self
    }

    /// Where nobody waits for it any longer it is not killed: it may hold locks, which then nobody would remove.
    pub(crate) fn left_to_end(mut self) -> Self {
        self.is_killed = false;
        self
    }

    fn command(&self) -> Command {
        let mut command = Command::new("git");
        command.args(&self.args).env_clear();
        for name in INHERITED {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
            .env("HOME", "/nonexistent")
            .env("LC_ALL", "C.UTF-8")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_ATTR_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_LFS_SKIP_SMUDGE", "1")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .envs(self.env.iter().map(|(key, value)| (key, value)));
        let fixed = CONFIG.iter().copied();
        let own = self.config.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let mut count = 0;
        for (key, value) in fixed.chain(own) {
            command.env(format!("GIT_CONFIG_KEY_{count}"), key).env(format!("GIT_CONFIG_VALUE_{count}"), value);
            count += 1;
        }
        command
            .env("GIT_CONFIG_COUNT", count.to_string())
            .current_dir(&self.folder)
            .process_group(0)
            .kill_on_drop(self.is_killed)
            .stdin(if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs it; what it wrote to standard output.
    ///
    /// # Errors
    /// See [`GitError`]; whatever the outcome, no process is left.
    pub(crate) async fn run(self) -> Result<Vec<u8>, GitError> {
        if self.cancel.is_cancelled() {
            return Err(GitError::Cancelled);
        }
        let mut child = self.command().spawn().map_err(GitError::Start)?;
        let mut group = Group::of(&child);
        let work = talk(&mut child, self.stdin.as_deref().unwrap_or_default(), self.max_stdout);
        let (status, stdout, stderr) = tokio::select! {
            done = work => done?,
            () = self.cancel.cancelled() => return Err(GitError::Cancelled),
            () = tokio::time::sleep(self.timeout) => return Err(GitError::TimedOut(self.timeout)),
        };
        group.has_ended();
        let stderr = String::from_utf8_lossy(&stderr).into_owned();
        if status.success() { Ok(stdout) } else { Err(GitError::Exit { code: status.code(), stderr }) }
    }

    /// Starts it with all three pipes open, for a conversation that is longer than memory. The time limit and the
    /// token of [`Git::run`] do not apply; whoever holds the group ends it.
    pub(crate) fn start(self) -> Result<(Child, Group), GitError> {
        let child = self.command().stdin(Stdio::piped()).spawn().map_err(GitError::Start)?;
        let group = if self.is_killed { Group::of(&child) } else { Group(None) };
        Ok((child, group))
    }

    /// Runs it; standard output as one trimmed text.
    pub(crate) async fn text(self) -> Result<String, GitError> {
        Ok(String::from_utf8_lossy(&self.run().await?).trim().to_owned())
    }
}

/// Feeds and reads a child until it ends; both pipes are read at once, so that neither fills up and blocks it.
async fn talk(
    child: &mut Child,
    stdin: &[u8],
    max_stdout: usize,
) -> Result<(std::process::ExitStatus, Vec<u8>, Vec<u8>), GitError> {
    let (input, output, errors) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let feed = async {
        if let Some(mut input) = input {
            // A child that ends early closes its end; its exit code says why.
            let _ = input.write_all(stdin).await;
        }
        Ok(())
    };
    let (stdout, stderr, ()) = tokio::try_join!(
        async {
            let bytes = read(output, max_stdout + 1).await?;
            if bytes.len() > max_stdout { Err(GitError::TooMuchOutput) } else { Ok(bytes) }
        },
        async {
            let mut errors = errors;
            let kept = read(errors.as_mut(), MAX_STDERR).await?;
            if let Some(rest) = errors.as_mut() {
                tokio::io::copy(rest, &mut tokio::io::sink()).await.map_err(GitError::Pipe)?;
            }
            Ok(kept)
        },
        feed
    )?;
    Ok((child.wait().await.map_err(GitError::Pipe)?, stdout, stderr))
}

pub(crate) async fn read(pipe: Option<impl AsyncRead + Unpin>, max: usize) -> Result<Vec<u8>, GitError> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        pipe.take(max as u64).read_to_end(&mut bytes).await.map_err(GitError::Pipe)?;
    }
    Ok(bytes)
}

/// The child's process group; ends with it whatever git started, also when the future is dropped.
pub(crate) struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw))
    }

    /// Both pipes are closed and the child is waited for: its number may soon be another's.
    pub(crate) fn has_ended(&mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(pid) = self.0 {
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn git_sees_nothing_of_our_environment_and_our_settings_alone() {
        let listed = Git::new(["config", "--list", "--show-scope"]).config("user.name", "x").text().await.unwrap();
        assert!(listed.lines().all(|line| line.starts_with("command")), "{listed}");
        assert!(listed.contains("protocol.allow=never"));
    }

    #[tokio::test]
    async fn a_transport_that_was_not_allowed_is_refused() {
        for url in ["file:///etc", "ext::true", "git://127.0.0.1/x", "ssh://127.0.0.1/x", "http://127.0.0.1/x"] {
            let Err(GitError::Exit { stderr, .. }) = Git::new(["ls-remote", "--", url]).run().await else {
                panic!("{url} was tried")
            };
            assert!(stderr.contains("not allowed"), "{url}: {stderr}");
        }
    }

    #[tokio::test]
    async fn a_run_ends_when_cancelled_and_when_it_says_too_much() {
        let cancel = CancellationToken::new();
        cancel.cancel();
        assert!(matches!(Git::new(["version"]).cancel(&cancel).run().await, Err(GitError::Cancelled)));
        assert!(matches!(Git::new(["version"]).max_stdout(3).run().await, Err(GitError::TooMuchOutput)));
    }

    /// A server that takes the connection and says nothing; what it sees tells whether the client is gone.
    async fn silent_server() -> (tokio::net::TcpListener, String) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/a.git", listener.local_addr().unwrap());
        (listener, url)
    }

    #[tokio::test]
    async fn no_helper_of_git_outlives_a_cancelled_run() {
        let (listener, url) = silent_server().await;
        let cancel = CancellationToken::new();
        let run = Git::new(["ls-remote", "--", &url]).config("protocol.http.allow", "always").cancel(&cancel).run();
        let client_is_gone = async {
            let (mut connection, _) = listener.accept().await.unwrap();
            cancel.cancel();
            // Reads the request and then the end of the stream, which comes when the helper's socket closes.
            tokio::io::copy(&mut connection, &mut tokio::io::sink()).await
        };
        let (outcome, _) = tokio::join!(run, tokio::time::timeout(Duration::from_secs(10), client_is_gone));
        assert!(matches!(outcome, Err(GitError::Cancelled)));
    }

    #[tokio::test]
    async fn a_run_that_is_late_is_ended() {
        let (_listener, url) = silent_server().await;
        let run = Git::new(["ls-remote", "--", &url])
            .config("protocol.http.allow", "always")
            .timeout(Duration::from_millis(300));
        assert!(matches!(run.run().await, Err(GitError::TimedOut(_))));
    }

    #[test]
    fn the_reason_is_taken_from_gits_messages() {
        assert_eq!(last_words("remote: hello\nfatal: no such ref\n"), "no such ref");
        assert_eq!(last_words("hm\n"), "hm");
        assert!(!last_words("").is_empty());
    }
}

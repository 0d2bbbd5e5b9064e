//! Git's own server programs, one run for each request over HTTP (gitprotocol-http): they read and write a hosted
//! repository, and this side carries bytes only.

use crate::git::{FetchError, Git, GitError, Group, MAX_STDERR, read};
use std::path::Path;
use tokio::{
    io::AsyncRead,
    process::{Child, ChildStdin, ChildStdout},
    task::JoinHandle,
};

/// The longest pack that a push may bring, in bytes.
pub const MAX_PACK: u64 = 512 * 1024 * 1024;

/// Which way commits travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// To the client: clone and fetch.
    UploadPack,
    /// From the client: push.
    ReceivePack,
}

impl Service {
    /// The service of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::UploadPack, Self::ReceivePack].into_iter().find(|service| service.name() == name)
    }

    /// The name in addresses and media types.
    pub fn name(self) -> &'static str {
        match self {
            Self::UploadPack => "git-upload-pack",
            Self::ReceivePack => "git-receive-pack",
        }
    }

    fn git(self) -> Git {
        let git = match self {
            Self::UploadPack => {
                Git::new(["upload-pack", "--strict", "--stateless-rpc"]).config("uploadpack.allowFilter", "true")
            }
            Self::ReceivePack => Git::new(["receive-pack", "--stateless-rpc"])
                .left_to_end()
                .config("receive.fsckObjects", "true")
                .config("receive.maxInputSize", MAX_PACK.to_string())
                .config("receive.advertisePushOptions", "false")
                .config("receive.autogc", "false"),
        };
        // The repository was made by the platform, perhaps under another user than today's. Large files are streamed, and
        // deltas looked for in so much memory, whatever is pushed and however many do.
        git.config("safe.directory", "*")
            .config("core.bigFileThreshold", "16m")
            .config("pack.windowMemory", "64m")
            .config("pack.threads", "2")
    }
}

/// The version that a client asks for in `Git-Protocol` (gitprotocol-v2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Protocol(Option<String>);

impl Protocol {
    /// Reads the header; what does not look like one is left out, and the oldest version is spoken.
    pub fn from_header(value: Option<&str>) -> Self {
        let is_plain = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'=' | b':' | b'-' | b'_' | b'.');
        Self(value.filter(|text| text.len() <= 256 && text.bytes().all(is_plain)).map(str::to_owned))
    }

    /// Whether version 2 is among what is asked for.
    pub fn is_v2(&self) -> bool {
        self.0.as_deref().is_some_and(|text| text.split(':').any(|key| key == "version=2"))
    }
}

/// A run of git. Dropped before its end, one that sends is killed with all that it began; one that takes is not, for it
/// may hold locks and moves branches: it finds its pipes closed and ends by itself.
pub struct Running {
    /// What the client sends; closed once it is taken and dropped.
    pub input: Option<ChildStdin>,
    /// What the client is sent.
    pub output: Option<ChildStdout>,
    errors: JoinHandle<Vec<u8>>,
    child: Child,
    group: Group,
}

impl Running {
    /// Begins to tell which references the repository has, and what git can do.
    ///
    /// # Errors
    /// If git cannot be started.
    pub fn advertise(repository: &Path, service: Service, protocol: &Protocol) -> Result<Self, FetchError> {
        Self::start(service.git().arg("--advertise-refs"), repository, protocol)
    }

    /// Begins to answer a request.
    ///
    /// # Errors
    /// If git cannot be started.
    pub fn answer(repository: &Path, service: Service, protocol: &Protocol) -> Result<Self, FetchError> {
        Self::start(service.git(), repository, protocol)
    }

    fn start(git: Git, repository: &Path, protocol: &Protocol) -> Result<Self, FetchError> {
        let git = match &protocol.0 {
            Some(version) => git.env("GIT_PROTOCOL", version),
            None => git,
        };
        let (mut child, group) = git.arg("--").arg(repository).start()?;
        let (input, output, errors) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        Ok(Self { input, output, errors: tokio::spawn(last_words(errors)), child, group })
    }

    /// Waits for the end; both pipes have to be taken and closed, or git waits for its part.
    ///
    /// # Errors
    /// With what git said if it ended with an error.
    pub async fn end(mut self) -> Result<(), FetchError> {
        let status = self.child.wait().await.map_err(GitError::Pipe)?;
        self.group.has_ended();
        if status.success() {
            return Ok(());
        }
        let stderr = self.errors.await.unwrap_or_default();
        Err(GitError::Exit { code: status.code(), stderr: String::from_utf8_lossy(&stderr).into_owned() }.into())
    }
}

/// Reads to the end, so that git never waits for us, and keeps the beginning.
async fn last_words(errors: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut errors = errors;
    let kept = read(errors.as_mut(), MAX_STDERR).await.unwrap_or_default();
    if let Some(rest) = errors.as_mut() {
        let _ = tokio::io::copy(rest, &mut tokio::io::sink()).await;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosted::{Author, FileChange, branch_tip, commit_files};
    use model::names::BranchName;
    use std::{collections::BTreeMap, time::Duration};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[test]
    fn a_protocol_that_does_not_look_like_one_is_the_oldest() {
        assert!(Protocol::from_header(Some("version=2")).is_v2());
        assert!(Protocol::from_header(Some("object-format=sha1:version=2")).is_v2());
        assert!(!Protocol::from_header(Some("version=1")).is_v2());
        for odd in ["version=2\n", "version=2 x", "version=2;x", &"a".repeat(257)] {
            assert_eq!(Protocol::from_header(Some(odd)), Protocol::default(), "{odd:?}");
        }
    }

    #[test]
    fn a_service_is_found_by_its_name_alone() {
        for service in [Service::UploadPack, Service::ReceivePack] {
            assert_eq!(Service::from_name(service.name()), Some(service));
        }
        for other in ["", "upload-pack", "git-upload-archive", "git-upload-pack "] {
            assert_eq!(Service::from_name(other), None);
        }
    }

    #[tokio::test]
    async fn a_repository_tells_its_references() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.git");
        crate::hosted::create_empty(&path).await.unwrap();
        let mut running = Running::advertise(&path, Service::ReceivePack, &Protocol::default()).unwrap();
        drop(running.input.take());
        let mut told = String::new();
        running.output.take().unwrap().read_to_string(&mut told).await.unwrap();
        running.end().await.unwrap();
        assert!(told.contains("side-band-64k") && !told.contains("push-options"), "{told}");
    }

    #[tokio::test]
    async fn a_push_that_is_whole_is_stored_though_nobody_waits_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.git");
        crate::hosted::create_empty(&path).await.unwrap();
        let main = BranchName::parse("main").unwrap();
        let file = BTreeMap::from([("a".to_owned(), FileChange::Write(b"a".to_vec()))]);
        let commit = commit_files(&path, &main, &file, "First", &Author::platform()).await.unwrap();
        let command = format!("{} {commit} refs/heads/copy\0report-status", "0".repeat(40));
        let command = format!("{:04x}{command}0000", command.len() + 4);
        // The pack without any object.
        let pack = hex::decode("5041434b0000000200000000029d08823bd8a8eab510ad6ac75c823cfd3ed31e").unwrap();
        let mut running = Running::answer(&path, Service::ReceivePack, &Protocol::default()).unwrap();
        running.input.as_mut().unwrap().write_all(&[command.as_bytes(), &pack].concat()).await.unwrap();
        drop(running);
        let copy = BranchName::parse("copy").unwrap();
        let arrived = async {
            while branch_tip(&path, &copy).await.unwrap().is_none() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), arrived).await.expect("git goes on");
    }

    #[tokio::test]
    async fn what_is_no_repository_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let mut running = Running::answer(folder.path(), Service::UploadPack, &Protocol::default()).unwrap();
        drop((running.input.take(), running.output.take()));
        assert!(running.end().await.unwrap_err().message.contains("does not appear to be a git repository"));
    }
}

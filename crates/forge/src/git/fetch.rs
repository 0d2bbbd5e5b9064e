//! Fetching one commit of a remote repository into a folder: shallow, bounded in size and time.

use super::{
    CheckedOut, Credentials, FetchError, Git, GitError, LogFn,
    checkout::{too_large, write_tree_to},
    remote::Way,
};
use model::{
    deployment::FailureCode,
    names::{BranchName, CommitSha, RepoUrl},
};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// How often the folder is measured while data comes in.
const MEASURE: Duration = Duration::from_millis(200);
/// How far a branch is followed back for a commit that its server does not hand out by id.
const DEPTHS: [&str; 2] = ["--depth=100", "--depth=5000"];
/// Where the fetched branch stands, in the temporary repository.
const BRANCH: &str = "refs/heads/fetched";

/// What to fetch.
#[derive(Debug, Clone)]
pub struct FetchRequest<'a> {
    /// The repository.
    pub url: RepoUrl,
    /// What opens it.
    pub credentials: Credentials,
    /// The branch.
    pub branch: BranchName,
    /// Where the forge keeps the pull request that is meant; `None`: the branch is.
    pub head: Option<PullHead>,
    /// A certain commit of it; `None` is its newest.
    pub commit: Option<CommitSha>,
    /// Where the files go; made if missing, removed again if anything fails. Its parent exists, on the same disk.
    pub into: &'a Path,
    /// Private networks and plain HTTP are allowed.
    pub allow_private: bool,
    /// Most that may be transferred, and most that the files may take.
    pub max_bytes: u64,
    /// How long the transfer may take.
    pub timeout: Duration,
}

/// Where a forge keeps the newest commit of a pull or merge request in the repository that it is for, whichever
/// repository it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullHead {
    /// GitHub's
    /// (<https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/reviewing-changes-in-pull-requests/checking-out-pull-requests-locally>),
    /// Gitea's and Forgejo's.
    Pull(u64),
    /// GitLab's (<https://docs.gitlab.com/user/project/merge_requests/reviews/#checkout-merge-requests-locally-through-the-head-ref>).
    MergeRequest(u64),
}

impl std::fmt::Display for PullHead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Pull(number) => write!(f, "refs/pull/{number}/head"),
            Self::MergeRequest(number) => write!(f, "refs/merge-requests/{number}/head"),
        }
    }
}

/// Fetches the commit and writes its files, without a `.git` folder, without submodules, and with large files (LFS) as
/// their pointers.
///
/// # Errors
/// `fetch_failed`, `ref_not_found`, `repository_refused` (too large, links that lead out), `disk_full`; after a
/// cancellation any error, which means nothing.
pub async fn fetch(
    request: FetchRequest<'_>,
    cancel: &CancellationToken,
    log: LogFn<'_>,
) -> Result<CheckedOut, FetchError> {
    let FetchRequest { url, credentials, branch, head, commit, into, allow_private, max_bytes, timeout } = request;
    let way = Way::check(&url, credentials, allow_private, timeout, cancel).await?;
    let (place, name) = match head {
        Some(head) => (head.to_string(), head.to_string()),
        None => (format!("refs/heads/{branch}"), branch.to_string()),
    };
    log(&format!("Fetching {} of {url}.", commit.as_ref().map_or(name.as_str(), AsRef::as_ref)));
    let beside = into.parent().unwrap_or(Path::new("."));
    let home = tempfile::Builder::new()
        .prefix(".fetch-")
        .tempdir_in(beside)
        .map_err(|e| FetchError::disk("No temporary folder could be made", &e))?;
    let repository = home.path().join("repository.git");
    Git::new(["init", "--quiet", "--bare", "--template=", "--"]).arg(&repository).run().await?;

    let transfer = Transfer { way, repository: &repository };
    let commit = tokio::select! {
        done = transfer.get((&place, &name), commit) => done?,
        () = outgrown(&repository, max_bytes) => return Err(too_large(max_bytes)),
    };
    write_tree_to(&repository, &commit, into, max_bytes, cancel, log).await
}

struct Transfer<'a> {
    way: Way,
    repository: &'a Path,
}

impl Transfer<'_> {
    /// Gets the commit from where it stands, which errors call by this name.
    async fn get(&self, (place, name): (&str, &str), commit: Option<CommitSha>) -> Result<CommitSha, FetchError> {
        let reference = format!("+{place}:{BRANCH}");
        let Some(commit) = commit else {
            self.fetch("--depth=1", &reference).await.map_err(|error| name_branch(error, name))?;
            return self.resolve(BRANCH).await?.ok_or_else(|| not_there(name));
        };
        // Most servers hand out a commit by its id; for the others the branch is followed back.
        if self.fetch("--depth=1", commit.as_str()).await.is_ok() {
            return Ok(commit);
        }
        for depth in DEPTHS {
            self.fetch(depth, &reference).await.map_err(|error| name_branch(error, name))?;
            if let Some(found) = self.resolve(commit.as_str()).await? {
                return Ok(found);
            }
        }
        Err(not_there(commit.as_str()))
    }

    async fn fetch(&self, depth: &str, what: &str) -> Result<(), FetchError> {
        self.way
            .run(|url| {
                Git::new(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", depth, "--", url, what])
                    .repository(self.repository)
                    // One pack instead of a file per object: quick to measure, quick to remove.
                    .config("fetch.unpackLimit", "1")
            })
            .await
            .map(drop)
    }

    async fn resolve(&self, revision: &str) -> Result<Option<CommitSha>, FetchError> {
        resolve(self.repository, revision).await
    }
}

/// The commit that a revision stands for; `None` if it is not in the repository.
pub(crate) async fn resolve(repository: &Path, revision: &str) -> Result<Option<CommitSha>, FetchError> {
    let peeled = format!("{revision}^{{commit}}");
    let found = Git::new(["rev-parse", "--verify", "--quiet", "--end-of-options", &peeled]).repository(repository);
    match found.text().await {
        // `--end-of-options` itself is echoed by older versions.
        Ok(text) => Ok(text.lines().last().and_then(|line| CommitSha::parse(line).ok())),
        Err(GitError::Exit { code: Some(1 | 128), .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn name_branch(error: FetchError, branch: &str) -> FetchError {
    if error.code == FailureCode::RefNotFound { not_there(branch) } else { error }
}

fn not_there(what: &str) -> FetchError {
    FetchError::new(FailureCode::RefNotFound, format!("“{what}” is not in the repository."))
}

/// Ends once the folder holds more than `max` bytes.
async fn outgrown(folder: &Path, max: u64) {
    loop {
        tokio::time::sleep(MEASURE).await;
        let folder = folder.to_owned();
        let size = tokio::task::spawn_blocking(move || size_of(folder)).await.unwrap_or(0);
        if size > max {
            return;
        }
    }
}

/// Bytes in a folder's files; what vanishes while it is measured counts as nothing.
fn size_of(folder: PathBuf) -> u64 {
    let (mut total, mut folders) = (0_u64, vec![folder]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(facts) if facts.is_dir() => folders.push(entry.path()),
                Ok(facts) => total = total.saturating_add(facts.len()),
                Err(_) => {}
            }
        }
    }
    total
}

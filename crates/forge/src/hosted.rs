//! Repositories that the platform keeps itself: bare, written with Git's plumbing, never with a working copy.

use crate::git::{
    CheckedOut, Checkout, FetchError, Git, LogFn, commit_and_message, commit_info, resolve, write_tree_to,
};
use model::{
    deployment::FailureCode,
    names::{BranchName, CommitSha},
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// The branch of a new repository.
pub const DEFAULT_BRANCH: &str = "main";
/// Packing a repository may take so long.
const PACK_LIMIT: Duration = Duration::from_mins(10);
/// Stands for “there is no such branch yet” when a reference is moved.
const NO_COMMIT: &str = "0000000000000000000000000000000000000000";

/// Who makes a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// Name.
    pub name: String,
    /// Address.
    pub email: String,
}

impl Author {
    /// The platform itself.
    pub fn platform() -> Self {
        Self { name: "WebMeteor".into(), email: "webmeteor@localhost".into() }
    }
}

/// What happens to a file in a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileChange {
    /// Its new content.
    Write(Vec<u8>),
    /// It goes.
    Remove,
}

/// Makes an empty bare repository; its parent folder is made if missing.
///
/// # Errors
/// If there already is something at `path`, or the disk refuses. Nothing half made is left.
pub async fn create_empty(path: &Path) -> Result<(), FetchError> {
    let fresh = Fresh::begin(path).await?;
    fresh.keep(path).await
}

/// Makes a bare repository whose branch `main` has one commit: the files of a template folder.
///
/// # Errors
/// As [`create_empty`], or if the template cannot be read.
pub async fn create_from_template(path: &Path, template: &Path, author: &Author) -> Result<CommitSha, FetchError> {
    let fresh = Fresh::begin(path).await?;
    let template = template.canonicalize().map_err(|e| FetchError::disk("The template cannot be read", &e))?;
    let index = fresh.0.path().join("index");
    Git::new(["add", "--all", "--", "."])
        .repository(&fresh.repository())
        .work_tree(&template)
        .index(&index)
        .env("GIT_LITERAL_PATHSPECS", "1")
        .in_folder(&template)
        .run()
        .await?;
    let repository = fresh.repository();
    let commit = commit_index(&repository, &index, None, "Begin with the template", author).await?;
    move_branch(&repository, DEFAULT_BRANCH, &commit, None).await?;
    fresh.keep(path).await?;
    Ok(commit)
}

/// A repository that is being made beside its place, so that it appears there whole or not at all.
struct Fresh(tempfile::TempDir);

impl Fresh {
    async fn begin(path: &Path) -> Result<Self, FetchError> {
        let parent = path.parent().unwrap_or(Path::new("."));
        let disk = |e| FetchError::disk("The repository could not be made", &e);
        tokio::fs::create_dir_all(parent).await.map_err(disk)?;
        let fresh = Self(tempfile::Builder::new().prefix(".new-").tempdir_in(parent).map_err(disk)?);
        let branch = format!("--initial-branch={DEFAULT_BRANCH}");
        Git::new(["init", "--quiet", "--bare", "--template=", &branch, "--"]).arg(fresh.repository()).run().await?;
        Ok(fresh)
    }

    fn repository(&self) -> PathBuf {
        self.0.path().join("repository.git")
    }

    async fn keep(self, path: &Path) -> Result<(), FetchError> {
        if tokio::fs::try_exists(path).await.unwrap_or(true) {
            return Err(FetchError::new(FailureCode::Internal, "There already is a repository at this place."));
        }
        let moved = tokio::fs::rename(self.repository(), path).await;
        moved.map_err(|e| FetchError::disk("The repository could not be put in its place", &e))
    }
}

/// Makes a commit on a branch (made if missing) from changed files; all other files stay as they are.
///
/// # Errors
/// If a path leads out of the repository or into `.git`, or the branch moved meanwhile.
pub async fn commit_files(
    path: &Path,
    branch: &BranchName,
    files: &BTreeMap<String, FileChange>,
    message: &str,
    author: &Author,
) -> Result<CommitSha, FetchError> {
    if let Some(path) = files.keys().find(|path| !stays_inside(path)) {
        return Err(FetchError::new(
            FailureCode::RepositoryRefused,
            format!("“{}” is not a path in the repository.", path.escape_debug()),
        ));
    }
    let scratch = tempfile::tempdir().map_err(|e| FetchError::disk("No temporary folder could be made", &e))?;
    let index = scratch.path().join("index");
    let parent = branch_tip(path, branch).await?;
    if let Some(parent) = &parent {
        Git::new(["read-tree", parent.as_str()]).repository(path).index(&index).run().await?;
    }
    let modes = executable_files(path, parent.as_ref()).await?;
    let mut changes = Vec::new();
    for (name, change) in files {
        let entry = match change {
            FileChange::Remove => format!("0 {NO_COMMIT}"),
            FileChange::Write(content) => {
                let blob = Git::new(["hash-object", "-w", "--stdin"]).repository(path).stdin(content.clone()).text();
                let mode = if modes.contains(name) { "100755" } else { "100644" };
                format!("{mode} {}", blob.await?)
            }
        };
        changes.extend_from_slice(format!("{entry}\t{name}\0").as_bytes());
    }
    Git::new(["update-index", "-z", "--index-info"]).repository(path).index(&index).stdin(changes).run().await?;
    let commit = commit_index(path, &index, parent.as_ref(), message, author).await?;
    move_branch(path, branch.as_str(), &commit, parent.as_ref()).await?;
    Ok(commit)
}

/// Git itself leaves such paths out with no more than a warning.
fn stays_inside(path: &str) -> bool {
    !path.contains('\0')
        && path.split('/').all(|part| !matches!(part, "" | "." | "..") && !part.eq_ignore_ascii_case(".git"))
}

/// Files that may be executed stay so when their content changes.
async fn executable_files(path: &Path, commit: Option<&CommitSha>) -> Result<Vec<String>, FetchError> {
    let Some(commit) = commit else { return Ok(Vec::new()) };
    let listing = Git::new(["ls-tree", "-r", "-z", "--full-tree", commit.as_str()])
        .repository(path)
        .max_stdout(48 * 1024 * 1024)
        .run()
        .await?;
    Ok(String::from_utf8_lossy(&listing)
        .split('\0')
        .filter(|entry| entry.starts_with("100755"))
        .filter_map(|entry| entry.split_once('\t').map(|(_, name)| name.to_owned()))
        .collect())
}

async fn commit_index(
    repository: &Path,
    index: &Path,
    parent: Option<&CommitSha>,
    message: &str,
    author: &Author,
) -> Result<CommitSha, FetchError> {
    let tree = Git::new(["write-tree"]).repository(repository).index(index).text().await?;
    let mut git = Git::new(["commit-tree", "-F", "-"]);
    if let Some(parent) = parent {
        git = git.arg("-p").arg(parent.as_str());
    }
    let commit = git
        .arg(&tree)
        .repository(repository)
        .env("GIT_AUTHOR_NAME", &author.name)
        .env("GIT_AUTHOR_EMAIL", &author.email)
        .env("GIT_COMMITTER_NAME", Author::platform().name)
        .env("GIT_COMMITTER_EMAIL", Author::platform().email)
        .stdin(format!("{message}\n").into_bytes())
        .text()
        .await?;
    CommitSha::parse(&commit).map_err(|e| FetchError::new(FailureCode::Internal, e.message))
}

/// Moves a branch, but only from where it was seen.
async fn move_branch(
    repository: &Path,
    branch: &str,
    to: &CommitSha,
    from: Option<&CommitSha>,
) -> Result<(), FetchError> {
    let reference = format!("refs/heads/{branch}");
    let from = from.map_or(NO_COMMIT, CommitSha::as_str);
    Git::new(["update-ref", &reference, to.as_str(), from]).repository(repository).run().await?;
    Ok(())
}

/// Where a branch stands; `None` if there is no such branch.
///
/// # Errors
/// If the repository cannot be read.
pub async fn branch_tip(path: &Path, branch: &BranchName) -> Result<Option<CommitSha>, FetchError> {
    exists(path).await?;
    resolve(path, &format!("refs/heads/{branch}")).await
}

/// Makes a branch the one that a clone begins with; it need not be there yet.
///
/// # Errors
/// If the repository cannot be written.
pub async fn set_head(path: &Path, branch: &BranchName) -> Result<(), FetchError> {
    exists(path).await?;
    Git::new(["symbolic-ref", "HEAD", &format!("refs/heads/{branch}")]).repository(path).run().await?;
    Ok(())
}

/// A commit's message and author.
///
/// # Errors
/// `ref_not_found` if it is not in the repository.
pub async fn commit_info_of(path: &Path, commit: &CommitSha) -> Result<CheckedOut, FetchError> {
    exists(path).await?;
    let found = resolve(path, commit.as_str()).await?.ok_or_else(|| not_there(commit.as_str()))?;
    commit_info(path, &found).await
}

/// What a push did to a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// Where the branch stands now.
    pub commit: CheckedOut,
    /// The words in its message that ask for no deployment.
    pub skip: Option<&'static str>,
    /// The paths that differ from the first of the commits that it was compared with and that is here; `None` where
    /// there is none, or where they are too many to tell.
    pub changed: Option<Vec<String>>,
}

/// Looks at a push after it was stored, beside the first of these commits that is here.
///
/// # Errors
/// `ref_not_found` if the commit is not in the repository.
pub async fn pushed(path: &Path, since: &[Option<&CommitSha>], to: &CommitSha) -> Result<Pushed, FetchError> {
    let changes = async {
        for from in since.iter().flatten() {
            if resolve(path, from.as_str()).await?.is_some() {
                return Ok(changed_paths(path, from, to).await);
            }
        }
        Ok(None)
    };
    exists(path).await?;
    let ((commit, message), changed) = tokio::try_join!(commit_and_message(path, to), changes)?;
    Ok(Pushed { commit, skip: crate::skip::mark(&message), changed })
}

/// `None` where they are too many to tell.
async fn changed_paths(path: &Path, from: &CommitSha, to: &CommitSha) -> Option<Vec<String>> {
    let git = Git::new(["diff-tree", "-r", "-z", "--name-only", "--no-renames", from.as_str(), to.as_str()]);
    let names = git.repository(path).run().await.ok()?;
    let names = String::from_utf8_lossy(&names);
    Some(names.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

/// Writes the files of a branch or commit to `into`, without a `.git` folder and without submodules.
///
/// # Errors
/// `ref_not_found`; `repository_refused` if the files would take more than `max_bytes` or a symbolic link leads out.
/// `into` is removed after an error that came while it was written.
pub async fn checkout(
    path: &Path,
    what: &Checkout,
    into: &Path,
    max_bytes: u64,
    cancel: &CancellationToken,
    log: LogFn<'_>,
) -> Result<CheckedOut, FetchError> {
    exists(path).await?;
    let (revision, name) = match what {
        Checkout::Branch(branch) => (format!("refs/heads/{branch}"), branch.as_str()),
        Checkout::Commit(commit) => (commit.to_string(), commit.as_str()),
    };
    let commit = resolve(path, &revision).await?.ok_or_else(|| not_there(name))?;
    write_tree_to(path, &commit, into, max_bytes, cancel, log).await
}

/// Packs what pushes have left in many small files, where Git thinks it is worth it; does no harm beside a push.
///
/// # Errors
/// Git's.
pub async fn pack(path: &Path) -> Result<(), FetchError> {
    // In the foreground, so that nothing goes on when this has ended; the defaults keep what is young.
    let git = Git::new(["gc", "--auto", "--quiet"]).config("gc.autoDetach", "false").repository(path);
    git.timeout(PACK_LIMIT).run().await.map(|_| ()).map_err(FetchError::from)
}

/// Removes a repository; one that is gone already is no error.
///
/// # Errors
/// If the disk refuses.
pub async fn remove(path: &Path) -> std::io::Result<()> {
    match tokio::fs::remove_dir_all(path).await {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

async fn exists(path: &Path) -> Result<(), FetchError> {
    if tokio::fs::try_exists(path.join("HEAD")).await.unwrap_or(false) {
        return Ok(());
    }
    Err(FetchError::new(FailureCode::FetchFailed, "The site's repository is missing on this machine."))
}

fn not_there(what: &str) -> FetchError {
    FetchError::new(FailureCode::RefNotFound, format!("“{what}” is not in the repository."))
}

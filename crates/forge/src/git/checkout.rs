//! From a commit in a repository to plain files in a folder, after a look at what the files would be.

use super::{FetchError, Git, LogFn};
use model::{
    deployment::FailureCode,
    names::{BranchName, CommitSha},
};
use std::{
    fs::File,
    io::{self, Read},
    path::{Component, Path, PathBuf},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

const MAX_FILES: usize = 200_000;
/// Room for the listing of [`MAX_FILES`] files with long names.
const MAX_LISTING: usize = 48 * 1024 * 1024;
const TIMEOUT: Duration = Duration::from_mins(5);
/// A pointer of Git LFS is smaller, and begins like this
/// (<https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md>).
const LARGEST_POINTER: u64 = 1024;
const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/v1";
/// So many files are named in one line of the log.
const NAMED: usize = 5;

/// What to check out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checkout {
    /// The newest commit of a branch.
    Branch(BranchName),
    /// This commit.
    Commit(CommitSha),
}

/// A commit whose files are in the folder now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedOut {
    /// Its full id.
    pub commit: CommitSha,
    /// First line of its message.
    pub message: String,
    /// Its author's name.
    pub author: String,
}

/// What a person is told of a commit.
pub(crate) async fn commit_info(repository: &Path, commit: &CommitSha) -> Result<CheckedOut, FetchError> {
    commit_and_message(repository, commit).await.map(|(told, _)| told)
}

/// The same, and the whole of its message.
pub(crate) async fn commit_and_message(
    repository: &Path,
    commit: &CommitSha,
) -> Result<(CheckedOut, String), FetchError> {
    let format = "--format=%an%x00%s%x00%B";
    let told = Git::new(["log", "-1", "--no-notes", format, "--end-of-options", commit.as_str(), "--"])
        .repository(repository)
        .text()
        .await?;
    let mut parts = told.splitn(3, '\0');
    let mut next = || parts.next().unwrap_or_default();
    let plain = |raw: &str| raw.chars().filter(|c| !c.is_control()).take(200).collect();
    let (author, message) = (plain(next()), plain(next()));
    Ok((CheckedOut { commit: commit.clone(), message, author }, next().to_owned()))
}

/// Writes the files of a commit to `into` (made if it is missing), without a `.git` folder. Submodules are left out.
///
/// # Errors
/// If the files would take more than `max_bytes`, or a symbolic link leads out of the folder; `into` is removed then.
pub(crate) async fn write_tree_to(
    repository: &Path,
    commit: &CommitSha,
    into: &Path,
    max_bytes: u64,
    cancel: &CancellationToken,
    log: LogFn<'_>,
) -> Result<CheckedOut, FetchError> {
    let listing = Git::new(["ls-tree", "-r", "-l", "-z", "--full-tree", commit.as_str()])
        .repository(repository)
        .max_stdout(MAX_LISTING)
        .timeout(TIMEOUT)
        .cancel(cancel)
        .run()
        .await?;
    let Entries { links, small } = judge(&listing, max_bytes, log)?;
    tokio::fs::create_dir_all(into).await.map_err(|e| FetchError::disk("The folder could not be made", &e))?;
    let (written, told) = tokio::join!(write(repository, commit, into, links, cancel), commit_info(repository, commit));
    if written.is_err() {
        // What is half there must not be taken for a checkout; a failure to remove it changes nothing about the answer.
        let _ = tokio::fs::remove_dir_all(into).await;
    }
    written?;
    let root = into.to_owned();
    let pointers: Vec<PathBuf> =
        tokio::task::spawn_blocking(move || small.into_iter().filter(|at| is_pointer(&root.join(at))).collect())
            .await
            .map_err(|e| FetchError::new(FailureCode::Internal, e.to_string()))?;
    if let Some(words) = pointers_left(&pointers) {
        log(&words);
    }
    told
}

/// What stands there in place of a large file is a pointer of Git LFS to it.
fn is_pointer(file: &Path) -> bool {
    let mut begin = [0; POINTER.len()];
    File::open(file).and_then(|mut file| file.read_exact(&mut begin)).is_ok() && begin == *POINTER
}

/// Tells which files are deployed as pointers.
fn pointers_left(pointers: &[PathBuf]) -> Option<String> {
    let (count, more) = (pointers.len(), if pointers.len() > NAMED { ", …" } else { "" });
    let plain = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    let names: Vec<String> =
        pointers.iter().take(NAMED).map(|at| at.to_string_lossy().chars().map(plain).collect()).collect();
    let are = match count {
        0 => return None,
        1 => "1 file is kept by Git LFS and is not fetched".to_owned(),
        _ => format!("{count} files are kept by Git LFS and are not fetched"),
    };
    Some(format!("{are}: {}{more}", names.join(", ")))
}

async fn write(
    repository: &Path,
    commit: &CommitSha,
    into: &Path,
    links: Vec<PathBuf>,
    cancel: &CancellationToken,
) -> Result<(), FetchError> {
    let scratch = tempfile::tempdir().map_err(|e| FetchError::disk("No temporary folder could be made", &e))?;
    let index = scratch.path().join("index");
    let git = |args: &[&str]| {
        Git::new(args).repository(repository).work_tree(into).index(&index).timeout(TIMEOUT).cancel(cancel)
    };
    git(&["read-tree", commit.as_str()]).run().await?;
    git(&["checkout-index", "--all", "--force"]).run().await?;
    let root = into.to_owned();
    tokio::task::spawn_blocking(move || links.iter().try_for_each(|link| stays_inside(&root, link)))
        .await
        .map_err(|e| FetchError::new(FailureCode::Internal, e.to_string()))?
}

/// What of a commit is looked at again once it is written.
#[derive(Debug, Default, PartialEq, Eq)]
struct Entries {
    /// Symbolic links.
    links: Vec<PathBuf>,
    /// Files that are small enough to be pointers of Git LFS.
    small: Vec<PathBuf>,
}

/// Reads `git ls-tree -l -z`.
fn judge(listing: &[u8], max_bytes: u64, log: LogFn<'_>) -> Result<Entries, FetchError> {
    let mut found = Entries::default();
    let (mut bytes, mut files) = (0_u64, 0_usize);
    for entry in listing.split(|b| *b == 0).filter(|entry| !entry.is_empty()) {
        let entry = String::from_utf8_lossy(entry);
        let Some((facts, path)) = entry.split_once('\t') else { continue };
        let mut facts = facts.split_ascii_whitespace();
        let mode = facts.next().unwrap_or_default();
        let size = facts.nth(2).and_then(|size| size.parse().ok()).unwrap_or(0);
        bytes = bytes.saturating_add(size);
        files += 1;
        match mode {
            "120000" => found.links.push(PathBuf::from(path)),
            "160000" => log(&format!("The submodule {path} is left out: submodules are not fetched.")),
            _ if (POINTER.len() as u64..=LARGEST_POINTER).contains(&size) => found.small.push(PathBuf::from(path)),
            _ => {}
        }
    }
    if bytes > max_bytes || files > MAX_FILES {
        return Err(too_large(max_bytes));
    }
    Ok(found)
}

pub(super) fn too_large(max_bytes: u64) -> FetchError {
    let megabytes = max_bytes / (1024 * 1024);
    FetchError::new(
        FailureCode::RepositoryRefused,
        format!(
            "The repository is larger than the {megabytes} MB, or has more than the {MAX_FILES} files, that are allowed."
        ),
    )
}

/// A symbolic link that leads out of the tree could bring the host's files into an image.
fn stays_inside(root: &Path, link: &Path) -> Result<(), FetchError> {
    let leads_out = || {
        FetchError::new(
            FailureCode::RepositoryRefused,
            format!("The symbolic link {} leads out of the repository; remove it or make it relative.", link.display()),
        )
    };
    let unreadable = |e: io::Error| FetchError::disk("A symbolic link could not be read", &e);
    let at = root.join(link);
    let target = std::fs::read_link(&at).map_err(unreadable)?;
    match (at.canonicalize(), root.canonicalize()) {
        (Ok(real), Ok(root)) if real.starts_with(&root) => Ok(()),
        // Leads nowhere: its words are judged instead.
        (Err(e), Ok(_)) if e.kind() == io::ErrorKind::NotFound && stays_below(link, &target) => Ok(()),
        _ => Err(leads_out()),
    }
}

/// Whether a relative target, read from the link's folder, never climbs above the root.
fn stays_below(link: &Path, target: &Path) -> bool {
    let folder = link.parent().unwrap_or(Path::new(""));
    let mut depth = 0_usize;
    for part in folder.components().chain(target.components()) {
        match part {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir if depth > 0 => depth -= 1,
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_tree_that_is_too_large_is_refused_before_it_is_written() {
        let listing = b"100644 blob 0123456789012345678901234567890123456789     600\ta.txt\x00120000 blob 0123456789012345678901234567890123456789     600\tl\0";
        let found = judge(listing, 1200, &|_| ()).unwrap();
        assert_eq!((found.links, found.small), (vec![PathBuf::from("l")], vec![PathBuf::from("a.txt")]));
        assert_eq!(judge(listing, 1199, &|_| ()).unwrap_err().code, FailureCode::RepositoryRefused);
    }

    #[test]
    fn pointers_are_counted_and_a_few_are_named() {
        let names: Vec<PathBuf> = (1..=6).map(|n| PathBuf::from(format!("{n}\n.bin"))).collect();
        let told = |count: usize| pointers_left(&names[..count]);
        assert_eq!(told(0), None);
        assert_eq!(told(1).unwrap(), "1 file is kept by Git LFS and is not fetched: 1\u{fffd}.bin");
        let many = told(6).unwrap();
        assert!(many.starts_with("6 files are kept by Git LFS and are not fetched: 1"), "{many}");
        assert!(many.ends_with("5\u{fffd}.bin, …"), "{many}");
    }

    #[test]
    fn a_link_may_lead_anywhere_within_and_nowhere_without() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("tree");
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        std::fs::write(dir.path().join("secret"), "x").unwrap();
        std::fs::write(root.join("a/file"), "x").unwrap();
        let mut at = 0;
        let mut link = |folder: &str, target: &str| {
            at += 1;
            let path = PathBuf::from(folder).join(format!("l{at}"));
            symlink(target, root.join(&path)).unwrap();
            path
        };
        for (folder, target) in [("", "a/file"), ("a/b", "../file"), ("a", "b"), ("a/b", "../.."), ("", "not/there")] {
            assert!(stays_inside(&root, &link(folder, target)).is_ok(), "{target}");
        }
        for (folder, target) in [
            ("", "/etc/passwd"),
            ("", "../secret"),
            ("a/b", "../../../secret"),
            ("", "../not-there"),
            ("", "/not/there"),
            ("", ".."),
        ] {
            assert!(stays_inside(&root, &link(folder, target)).is_err(), "{target}");
        }
        symlink("../..", root.join("a/b/up")).unwrap();
        assert!(stays_inside(&root, &link("", "a/b/up/../secret")).is_err(), "by way of another link");
    }
}

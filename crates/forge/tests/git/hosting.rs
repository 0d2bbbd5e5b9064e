//! Repositories that the platform keeps itself.

use crate::support::{branch, commit, files};
use forge::{
    git::{CheckedOut, Checkout, FetchError},
    hosted::{self, Author, FileChange},
};
use model::{
    deployment::FailureCode,
    names::{BranchName, CommitSha},
};
use std::{
    collections::BTreeMap,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let repository = folder.path().join("repositories/site.git");
    (folder, repository)
}

async fn check_out(repository: &Path, what: Checkout, into: &Path) -> Result<CheckedOut, FetchError> {
    hosted::checkout(repository, &what, into, 10 << 20, &CancellationToken::new(), &|_| ()).await
}

fn main_branch() -> BranchName {
    branch("main")
}

#[tokio::test]
async fn a_template_becomes_the_first_commit_of_main() {
    let (folder, repository) = place();
    let template = folder.path().join("template");
    std::fs::create_dir_all(template.join("bin")).unwrap();
    std::fs::write(template.join("index.html"), "hi").unwrap();
    std::fs::write(template.join("--odd name.txt"), "odd").unwrap();
    std::fs::write(template.join("bin/run"), "#!/bin/sh\n").unwrap();
    std::fs::set_permissions(template.join("bin/run"), PermissionsExt::from_mode(0o755)).unwrap();
    let first = hosted::create_from_template(&repository, &template, &Author::platform()).await.unwrap();
    assert_eq!(hosted::branch_tip(&repository, &main_branch()).await.unwrap(), Some(first.clone()));
    let info = hosted::commit_info_of(&repository, &first).await.unwrap();
    assert_eq!(info.author, "WebMeteor");

    let into = folder.path().join("out");
    assert_eq!(check_out(&repository, Checkout::Branch(main_branch()), &into).await.unwrap(), info);
    assert_eq!(files(&into).keys().collect::<Vec<_>>(), ["--odd name.txt", "bin/run", "index.html"]);
    assert_eq!(into.join("bin/run").metadata().unwrap().permissions().mode() & 0o111, 0o111);
    assert!(!template.join(".git").exists(), "the template is only read");
}

#[tokio::test]
async fn files_are_written_changed_and_removed_in_commits() {
    let (folder, repository) = place();
    hosted::create_empty(&repository).await.unwrap();
    assert_eq!(hosted::branch_tip(&repository, &main_branch()).await.unwrap(), None);
    let first = commit(&repository, "main", &[("a", "1"), ("keep", "k"), ("gone", "g")]).await;
    let changes = BTreeMap::from([
        ("a".to_owned(), FileChange::Write(Vec::new())),
        ("gone".to_owned(), FileChange::Remove),
        ("new/ü \"x\".txt".to_owned(), FileChange::Write(b"n".to_vec())),
    ]);
    let author = Author { name: "Ada".into(), email: "ada@example.org".into() };
    let second = hosted::commit_files(&repository, &main_branch(), &changes, "Second", &author).await.unwrap();
    for (what, names) in [
        (Checkout::Commit(second), &["a", "keep", "new/ü \"x\".txt"][..]),
        (Checkout::Commit(first), &["a", "gone", "keep"]),
    ] {
        let into = folder.path().join(format!("{what:?}"));
        check_out(&repository, what, &into).await.unwrap();
        assert_eq!(files(&into).keys().collect::<Vec<_>>(), names);
    }
}

#[tokio::test]
async fn a_file_outside_the_repository_or_in_gits_own_folder_cannot_be_written() {
    let (_folder, repository) = place();
    hosted::create_empty(&repository).await.unwrap();
    for path in ["../x", "a/../../x", "/etc/x", ".git/config", "a/.git/hooks/x", ""] {
        let changes = BTreeMap::from([(path.to_owned(), FileChange::Write(b"x".to_vec()))]);
        let made = hosted::commit_files(&repository, &main_branch(), &changes, "x", &Author::platform()).await;
        assert!(made.is_err(), "{path}");
    }
    assert_eq!(hosted::branch_tip(&repository, &main_branch()).await.unwrap(), None);
}

#[tokio::test]
async fn a_repository_is_not_made_over_another_and_is_removed_once_and_again() {
    let (_folder, repository) = place();
    hosted::create_empty(&repository).await.unwrap();
    let first = commit(&repository, "main", &[("a", "1")]).await;
    assert!(hosted::create_empty(&repository).await.is_err());
    assert_eq!(hosted::branch_tip(&repository, &main_branch()).await.unwrap(), Some(first));
    assert_eq!(std::fs::read_dir(repository.parent().unwrap()).unwrap().count(), 1, "nothing half made is left");
    hosted::remove(&repository).await.unwrap();
    hosted::remove(&repository).await.unwrap();
    assert!(!repository.exists());
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let (folder, repository) = place();
    let into = folder.path().join("out");
    let error = check_out(&repository, Checkout::Branch(main_branch()), &into).await.unwrap_err();
    assert_eq!((error.code, error.message.contains("missing")), (FailureCode::FetchFailed, true));
    hosted::create_empty(&repository).await.unwrap();
    let error = check_out(&repository, Checkout::Branch(main_branch()), &into).await.unwrap_err();
    assert_eq!(error.code, FailureCode::RefNotFound);
    let commit = CommitSha::parse("1111111111111111111111111111111111111111").unwrap();
    assert_eq!(hosted::commit_info_of(&repository, &commit).await.unwrap_err().code, FailureCode::RefNotFound);
    assert!(!into.exists());
}

#[tokio::test]
async fn a_submodule_is_left_out_and_said_so() {
    let (folder, repository) = place();
    hosted::create_empty(&repository).await.unwrap();
    let first = commit(&repository, "main", &[("a", "1")]).await;
    let index = folder.path().join("index");
    let git = |args: &[&str]| {
        let run = Command::new("git")
            .args(args)
            .env("GIT_DIR", &repository)
            .env("GIT_INDEX_FILE", &index)
            .env("GIT_AUTHOR_NAME", "x")
            .env("GIT_AUTHOR_EMAIL", "x@example.org")
            .env("GIT_COMMITTER_NAME", "x")
            .env("GIT_COMMITTER_EMAIL", "x@example.org")
            .output()
            .unwrap();
        assert!(run.status.success(), "{run:?}");
        String::from_utf8(run.stdout).unwrap().trim().to_owned()
    };
    git(&["read-tree", first.as_str()]);
    git(&["update-index", "--add", "--cacheinfo", &format!("160000,{first},vendor/lib")]);
    let tree = git(&["write-tree"]);
    let with_submodule = CommitSha::parse(&git(&["commit-tree", "-m", "x", &tree])).unwrap();

    let lines = std::sync::Mutex::new(Vec::new());
    let say = |line: &str| lines.lock().unwrap().push(line.to_owned());
    let into = folder.path().join("out");
    let what = Checkout::Commit(with_submodule);
    hosted::checkout(&repository, &what, &into, 10 << 20, &CancellationToken::new(), &say).await.unwrap();
    assert_eq!(files(&into).keys().collect::<Vec<_>>(), ["a"]);
    assert!(lines.lock().unwrap().iter().any(|line| line.contains("vendor/lib")));
}

#[tokio::test]
async fn pointers_to_large_files_are_told_here_too() {
    let folder = tempfile::tempdir().unwrap();
    let (repository, into) = (folder.path().join("a.git"), folder.path().join("out"));
    hosted::create_empty(&repository).await.unwrap();
    commit(&repository, "main", &[("film.mp4", "version https://git-lfs.github.com/spec/v1\nsize 1\n")]).await;
    let lines = std::sync::Mutex::new(Vec::new());
    let say = |line: &str| lines.lock().unwrap().push(line.to_owned());
    let what = Checkout::Branch(branch("main"));
    hosted::checkout(&repository, &what, &into, 10 << 20, &CancellationToken::new(), &say).await.unwrap();
    assert_eq!(lines.into_inner().unwrap(), ["1 file is kept by Git LFS and is not fetched: film.mp4"]);
}

//! What a git that was killed leaves in a hosted repository: locks, which keep every later one from writing, and what it
//! had received of a pack, which takes room.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// Whether a git is at work on a repository that may write to it, whoever began it: also one that outlived the platform
/// that began it. Where that cannot be told, one is.
///
/// The repository's name stands among the arguments of such a git, or in its environment; all that this crate starts
/// names it outright. What only reads takes no lock and moves no branch.
pub fn is_at_work(repository: &Path) -> bool {
    let Some(name) = repository.file_name().map(|name| name.as_encoded_bytes().to_vec()) else { return true };
    let Ok(processes) = fs::read_dir("/proc") else { return true };
    processes.flatten().any(|process| {
        let read = |file| fs::read(process.path().join(file)).unwrap_or_default();
        let command = read("cmdline");
        let program = command.split(|byte| *byte == 0).next().unwrap_or_default();
        let is_git = Path::new(String::from_utf8_lossy(program).as_ref())
            .file_name()
            .is_some_and(|program| program.as_encoded_bytes().starts_with(b"git"));
        is_git && !has(&command, b"upload-pack") && (has(&command, &name) || has(&read("environ"), &name))
    })
}

fn has(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Removes locks and parts of packs of at least this age that are no git's any more; what is gone.
///
/// They are listed first and the processes looked at afterwards: what made a lock that was seen is seen at work, unless
/// it has ended. And while the lock is there no other git makes it again, so what is removed is what was seen.
pub fn remove_stale(repository: &Path, age: Duration) -> Vec<PathBuf> {
    let mut found = Vec::new();
    locks_in(repository, false, &mut found);
    locks_in(&repository.join("refs"), true, &mut found);
    quarantines_in(&repository.join("objects"), &mut found);
    found.retain(|path| is_as_old(path, age));
    if found.is_empty() || is_at_work(repository) {
        return Vec::new();
    }
    found.retain(|path| if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.is_ok());
    found
}

/// Where git keeps what it receives until it has judged it; a folder of its own for each push.
fn quarantines_in(objects: &Path, found: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(objects).into_iter().flatten().flatten();
    let is_one = |name: &OsStr| name.as_encoded_bytes().starts_with(b"tmp_objdir-");
    found.extend(entries.filter(|entry| is_one(&entry.file_name())).map(|entry| entry.path()));
}

/// No branch is named like a lock (git-check-ref-format).
fn locks_in(folder: &Path, with_folders: bool, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, Ok(kind)) = (entry.path(), entry.file_type()) else { continue };
        if kind.is_dir() && with_folders {
            locks_in(&path, true, found);
        } else if kind.is_file() && path.extension().is_some_and(|extension| extension == "lock") {
            found.push(path);
        }
    }
}

fn is_as_old(file: &Path, age: Duration) -> bool {
    let made = fs::metadata(file).and_then(|data| data.modified());
    age.is_zero() || made.is_ok_and(|made| SystemTime::now().duration_since(made).is_ok_and(|old| old >= age))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        hosted,
        serve::{Protocol, Running, Service},
    };

    fn plant(repository: &Path, name: &str) -> PathBuf {
        let lock = repository.join(name);
        fs::create_dir_all(lock.parent().unwrap()).unwrap();
        fs::write(&lock, "").unwrap();
        lock
    }

    #[tokio::test]
    async fn what_is_nobodys_goes_and_what_a_git_at_work_has_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(format!("{}.git", std::process::id()));
        hosted::create_empty(&path).await.unwrap();
        let names = ["packed-refs.lock", "refs/heads/main.lock", "refs/heads/a/b.lock", "objects/tmp_objdir-x/pack"];
        let planted = names.map(|name| plant(&path, name));
        let running = Running::answer(&path, Service::ReceivePack, &Protocol::default()).unwrap();
        // Between its beginning and its first own instruction it is still this process.
        while !is_at_work(&path) {
            tokio::task::yield_now().await;
        }
        assert_eq!(remove_stale(&path, Duration::ZERO), [] as [PathBuf; 0]);
        drop(running);
        while is_at_work(&path) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(remove_stale(&path, Duration::from_mins(1)), [] as [PathBuf; 0], "they are young");
        assert_eq!(remove_stale(&path, Duration::ZERO).len(), 4);
        assert!(planted.iter().all(|lock| !lock.exists()) && path.join("HEAD").exists());
    }
}

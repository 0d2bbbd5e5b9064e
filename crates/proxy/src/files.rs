//! The folder that Traefik watches: files appear whole, by rename, or not at all.

use crate::{Error, Result};
use std::{
    fs,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

/// Traefik reads files with this ending and no others.
const ENDING: &str = "yml";

#[derive(Debug, Clone)]
pub(crate) struct Files {
    folder: PathBuf,
}

impl Files {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    fn path(&self, key: &str) -> PathBuf {
        self.folder.join(format!("{key}.{ENDING}"))
    }

    /// Writes a file unless it is there with this very text.
    pub(crate) async fn put(&self, key: &str, text: String) -> Result<bool> {
        let path = self.path(key);
        blocking(move || {
            if fs::read_to_string(&path).is_ok_and(|there| there == text) {
                return Ok(false);
            }
            replace(&path, text.as_bytes(), None)?;
            Ok(true)
        })
        .await
    }

    pub(crate) async fn remove(&self, key: &str) -> Result<()> {
        let path = self.path(key);
        blocking(move || match fs::remove_file(&path) {
            Ok(()) => Ok(()),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
            Err(source) => Err(Error::File { path, source }),
        })
        .await
    }

    pub(crate) async fn list(&self) -> Result<Vec<String>> {
        let folder = self.folder.clone();
        blocking(move || {
            let entries = match fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(e) if e.kind() == ErrorKind::NotFound => return Ok(vec![]),
                Err(source) => return Err(Error::File { path: folder, source }),
            };
            Ok(entries
                .filter_map(|entry| {
                    let path = entry.ok()?.path();
                    (path.extension()? == ENDING).then(|| path.file_stem()?.to_str().map(str::to_owned))?
                })
                .collect())
        })
        .await
    }
}

/// Writes a file whole: under a name that nobody reads, to the disk, then renamed into place.
pub(crate) fn replace(path: &Path, content: &[u8], mode: Option<u32>) -> Result<()> {
    let file = |source| Error::File { path: path.to_owned(), source };
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(file)?;
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("file");
    let beside = folder.join(format!(".{name}.{}.tmp", std::process::id()));
    let write = || {
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        if let Some(mode) = mode {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(mode);
        }
        let mut out = options.open(&beside)?;
        out.write_all(content)?;
        out.sync_all()?;
        fs::rename(&beside, path)
    };
    write().map_err(|source| {
        // What is half written is of no use to anybody.
        let _ = fs::remove_file(&beside);
        file(source)
    })
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(e) => Err(Error::Format(e.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_there_just_so_is_not_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::new(folder.path().join("dynamic"));
        assert!(files.put("a", "x: 1\n".into()).await.unwrap());
        assert!(!files.put("a", "x: 1\n".into()).await.unwrap());
        assert!(files.put("a", "x: 2\n".into()).await.unwrap());
        assert_eq!(files.list().await.unwrap(), ["a"]);
        files.remove("a").await.unwrap();
        files.remove("a").await.unwrap();
        assert!(files.list().await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn nothing_half_written_is_left_or_listed() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(".a.yml.1.tmp"), "half").unwrap();
        let files = Files::new(folder.path().to_owned());
        assert!(files.list().await.unwrap().is_empty());
        files.put("a", "whole".into()).await.unwrap();
        let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "{names:?}");
    }
}

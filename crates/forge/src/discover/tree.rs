//! The repository's files, read without ever leaving its folder.

use super::DiscoverError;
use model::deployment::FailureCode;
use std::{
    io,
    path::{Path, PathBuf},
};

/// No file that describes a project is larger.
const MAX_FILE: u64 = 512 * 1024;
/// How a pointer of Git LFS begins (git-lfs specification, “The Pointer”).
const LFS_POINTER: &str = "version https://git-lfs.github.com/spec/";

/// A folder whose files may be read.
pub(super) struct Tree(PathBuf);

impl Tree {
    pub(super) fn open(root: &Path) -> Result<Self, DiscoverError> {
        root.canonicalize().map(Self).map_err(|e| {
            DiscoverError::new(FailureCode::Internal, format!("The repository's files cannot be read: {e}."))
        })
    }

    /// Where a path really is, if it is there and inside the tree.
    fn locate(&self, path: &str) -> Option<PathBuf> {
        self.0.join(path).canonicalize().ok().filter(|real| real.starts_with(&self.0))
    }

    pub(super) fn has_folder(&self, path: &str) -> bool {
        self.locate(path).is_some_and(|real| real.is_dir())
    }

    pub(super) fn has_file(&self, path: &str) -> bool {
        self.locate(path).is_some_and(|real| real.is_file())
    }

    /// The names in a folder, sorted; empty if it is not there.
    pub(super) fn names(&self, folder: &str) -> Vec<String> {
        let entries = self.locate(folder).and_then(|real| std::fs::read_dir(real).ok());
        let mut names: Vec<String> =
            entries.into_iter().flatten().flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        names
    }

    /// A file's text; `None` if there is no such file inside the tree.
    ///
    /// # Errors
    /// If it is too large to be what it is named, is not text, or only points to where Git LFS keeps it.
    pub(super) fn file(&self, path: &str) -> Result<Option<String>, DiscoverError> {
        let Some(real) = self.locate(path).filter(|real| real.is_file()) else { return Ok(None) };
        let refused = |message: String| DiscoverError::new(FailureCode::RepositoryRefused, message);
        let unreadable = |e: io::Error| refused(format!("{path} cannot be read: {e}."));
        if real.metadata().map_err(unreadable)?.len() > MAX_FILE {
            return Err(refused(format!("{path} is larger than {} kB.", MAX_FILE / 1024)));
        }
        let bytes = std::fs::read(&real).map_err(unreadable)?;
        let text = String::from_utf8(bytes).map_err(|_| refused(format!("{path} is not text in UTF-8.")))?;
        if text.starts_with(LFS_POINTER) {
            return Err(refused(format!("{path} is kept by Git LFS, which is not fetched; commit the file itself.")));
        }
        Ok(Some(text))
    }
}

/// A path below a folder; `.` is the root.
pub(super) fn below(folder: &str, name: &str) -> String {
    if folder == "." { name.to_owned() } else { format!("{folder}/{name}") }
}

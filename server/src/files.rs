//! Small private files of the data folder.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, fchown},
    path::Path,
};

/// The text of a file; where there is none, it is made with this content and mode 0600. A file that is there is never
/// changed, and one that is made is whole from the first moment that it is there.
///
/// # Errors
/// Of the file system.
pub fn read_or_create(path: &Path, content: impl FnOnce() -> String) -> io::Result<String> {
    match fs::read_to_string(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        found => return found,
    }
    let text = content();
    write_private(path, &text, None)?;
    Ok(text)
}

/// Writes a file of mode 0600 in one step, so that a reader finds the old or the new one, never a part. It belongs to
/// whom the folder's files belong to, if `like` is one of them: root may do this for a platform that is not root.
///
/// # Errors
/// Of the file system.
pub fn write_private(path: &Path, text: &str, like: Option<&Path>) -> io::Result<()> {
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    if let Some(like) = like {
        let (like, own) = (fs::metadata(like)?, file.metadata()?);
        if (like.uid(), like.gid()) != (own.uid(), own.gid()) {
            fchown(&file, Some(like.uid()), Some(like.gid()))?;
        }
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    // The name is on the disk too, before anything relies on it.
    path.parent().map_or(Ok(()), |folder| fs::File::open(folder)?.sync_all())
}

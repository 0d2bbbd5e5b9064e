//! Files that are there whole or not at all.

use std::{
    fs::{File, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
    time::Instant,
};

/// Writes a file beside the target, syncs it, and renames it into place: whoever reads sees the old text or the new
/// one, after a power cut too. The name of the file beside begins with a dot and has no ending that Traefik or
/// compose reads.
pub(crate) fn write(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    write_before(path, content, mode, None)
}

/// The same, unless this moment has passed: it is looked at last of all, so that a process that was stopped on the way
/// does not go on where it was.
pub(crate) fn write_before(path: &Path, content: &[u8], mode: u32, end: Option<Instant>) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let mut file = tempfile::Builder::new()
        .prefix(".")
        .suffix(".tmp")
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(folder)?;
    file.write_all(content)?;
    // Not left to the umask.
    file.as_file().set_permissions(Permissions::from_mode(mode))?;
    file.as_file().sync_all()?;
    if end.is_some_and(|end| Instant::now() >= end) {
        return Err(io::Error::new(io::ErrorKind::TimedOut, "it took too long, and another one may have written it"));
    }
    file.persist(path)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mode_is_the_one_that_was_asked_for_and_nothing_is_left_beside() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(".env");
        for (text, mode) in [("A=1", 0o600), ("A=2", 0o644)] {
            write(&path, text.as_bytes(), mode).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, mode);
        }
        assert_eq!(dir.path().read_dir().unwrap().count(), 1);
    }
}

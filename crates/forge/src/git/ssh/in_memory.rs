//! Files for a child process that are on no disk.

use crate::git::FetchError;
use model::deployment::FailureCode;
use rustix::fs::{MemfdFlags, Mode, fchmod, memfd_create};
use std::{fs::File, io::Write, os::fd::AsRawFd};

/// A file in memory that this user alone may read. It is gone as soon as this is dropped, or this process ends in
/// whatever way: nothing of it is left to be swept up
/// (<https://man7.org/linux/man-pages/man2/memfd_create.2.html>).
pub(super) struct InMemory(File);

impl InMemory {
    /// A file with these bytes.
    ///
    /// # Errors
    /// If the system has no memory or no file number left.
    pub(super) fn new(bytes: &[u8]) -> Result<Self, FetchError> {
        let failed = |e: std::io::Error| {
            FetchError::new(FailureCode::Internal, format!("A key could not be handed to ssh: {e}."))
        };
        let number = memfd_create("webmeteor", MemfdFlags::CLOEXEC).map_err(|e| failed(e.into()))?;
        fchmod(&number, Mode::RUSR | Mode::WUSR).map_err(|e| failed(e.into()))?;
        let mut file = File::from(number);
        file.write_all(bytes).map_err(failed)?;
        Ok(Self(file))
    }

    /// Where the processes of this user find it: digits and slashes only.
    pub(super) fn path(&self) -> String {
        format!("/proc/{}/fd/{}", std::process::id(), self.0.as_raw_fd())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn it_is_read_by_its_path_by_its_owner_alone_and_gone_afterwards() {
        let file = InMemory::new(b"hush").unwrap();
        let path = file.path();
        assert_eq!(std::fs::read(&path).unwrap(), b"hush");
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        let place = std::fs::read_link(&path).unwrap();
        assert!(place.to_string_lossy().contains("memfd:webmeteor"), "on no disk: {place:?}");
        drop(file);
        assert_ne!(std::fs::read(&path).unwrap_or_default(), b"hush");
    }
}

//! One platform per data folder: a lock that the kernel releases however the process ends.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

/// Who may hold the lock at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// Nobody else.
    Alone,
    /// Others that hold it like this: processes with a part of the roles each.
    WithParts,
}

/// Why the lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error(
        "another WebMeteor ({holder}) uses the data folder {}; stop it, or set WEBMETEOR_DATA_DIR to another folder",
        folder.display()
    )]
    Held {
        /// The data folder.
        folder: PathBuf,
        /// What the holder wrote about itself.
        holder: String,
    },
    /// The file system refused.
    #[error("the data folder {} cannot be used ({source}); make it writable or set WEBMETEOR_DATA_DIR", folder.display())]
    Io {
        /// The data folder.
        folder: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

/// The lock; released when dropped, or when the process ends in whatever way.
#[derive(Debug)]
pub struct DataLock {
    _file: File,
}

/// Takes the lock of a data folder without waiting.
///
/// # Errors
/// [`LockError::Held`] names the process that has it.
pub fn take(folder: &Path, share: Share) -> Result<DataLock, LockError> {
    let io = |source| LockError::Io { folder: folder.to_owned(), source };
    let path = folder.join("webmeteor.lock");
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(io)?;
    let taken = match share {
        Share::Alone => file.try_lock(),
        Share::WithParts => file.try_lock_shared(),
    };
    match taken {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let _ = file.read_to_string(&mut holder);
            return Err(LockError::Held { folder: folder.to_owned(), holder: holder.trim().to_owned() });
        }
        Err(TryLockError::Error(source)) => return Err(io(source)),
    }
    file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0))).map_err(io)?;
    writeln!(file, "process {}", std::process::id()).map_err(io)?;
    Ok(DataLock { _file: file })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_platform_or_several_parts_of_one() {
        let folder = tempfile::tempdir().unwrap();
        let alone = take(folder.path(), Share::Alone).unwrap();
        let told = take(folder.path(), Share::WithParts).unwrap_err().to_string();
        assert!(told.contains(&std::process::id().to_string()) && told.contains("WEBMETEOR_DATA_DIR"), "{told}");
        drop(alone);
        let _web = take(folder.path(), Share::WithParts).unwrap();
        let _worker = take(folder.path(), Share::WithParts).unwrap();
        assert!(matches!(take(folder.path(), Share::Alone), Err(LockError::Held { .. })));
    }
}

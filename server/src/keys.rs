//! The master key: from its setting, or from a file that is made at first start.

use crate::files;
use base64::Engine as _;
use secrecy::{ExposeSecret, SecretString};
use std::path::Path;

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file holds something else.
    #[error("{0} does not hold a key of 64 hexadecimal digits; restore it from a backup, or set WEBMETEOR_MASTER_KEY")]
    Unreadable(String),
    /// The file system refused.
    #[error("the master key {path}: {source}; make the data folder writable or set WEBMETEOR_MASTER_KEY")]
    Io {
        /// The file.
        path: String,
        /// What it said.
        source: std::io::Error,
    },
}

/// 32 bytes given as 64 hexadecimal digits or as base64.
pub fn decode(text: &str) -> Option<[u8; 32]> {
    let text = text.trim();
    let bytes = hex::decode(text).ok().or_else(|| base64::engine::general_purpose::STANDARD.decode(text).ok())?;
    bytes.try_into().ok()
}

/// The key of this installation; made in the data folder with mode 0600 where there is none yet.
///
/// # Errors
/// [`KeyError`], each with its remedy.
pub fn master_key(setting: Option<&SecretString>, data_dir: &Path) -> Result<[u8; 32], KeyError> {
    let path = data_dir.join("master.key");
    let shown = path.display().to_string();
    if let Some(key) = setting.and_then(|s| decode(s.expose_secret())) {
        return Ok(key);
    }
    let io = |source| KeyError::Io { path: shown.clone(), source };
    let text = files::read_or_create(&path, platform::vault::random_secret).map_err(io)?;
    decode(&text).ok_or(KeyError::Unreadable(shown))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_key_is_made_once_and_is_private() {
        let data = tempfile::tempdir().unwrap();
        let first = master_key(None, data.path()).unwrap();
        assert_eq!(master_key(None, data.path()).unwrap(), first);
        let mode = std::fs::metadata(data.path().join("master.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_key_is_32_bytes_in_either_spelling() {
        assert_eq!(decode(&"07".repeat(32)), Some([7; 32]));
        assert_eq!(decode("BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="), Some([7; 32]));
        assert_eq!(decode("hush"), None);
    }

    #[test]
    fn a_damaged_file_is_never_replaced() {
        let data = tempfile::tempdir().unwrap();
        std::fs::write(data.path().join("master.key"), "damaged").unwrap();
        assert!(matches!(master_key(None, data.path()), Err(KeyError::Unreadable(_))));
        assert_eq!(std::fs::read_to_string(data.path().join("master.key")).unwrap(), "damaged");
    }
}

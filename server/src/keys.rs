//! The master keys: from their settings, or from files in the data folder; the first one is made at the first start.
//!
//! `master.key` seals. `master.key.old` holds those before it, one a line, for as long as anything sealed with them may be
//! around. A file is replaced in one step, the old keys' first, so a process that reads at any moment finds every key that
//! anything is sealed with, at the latest when it reads again.

use crate::{config::Config, files};
use base64::Engine as _;
use platform::vault::{KeySource, MasterKeys, key_id, random_secret};
use secrecy::{ExposeSecret, SecretString};
use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file holds something else.
    #[error("{0} does not hold keys of 64 hexadecimal digits; restore it from a backup, or set WEBMETEOR_MASTER_KEY")]
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

/// Where the master keys of an installation are.
#[derive(Debug, Clone)]
pub struct Place {
    setting: Option<SecretString>,
    old_setting: Vec<SecretString>,
    data_dir: PathBuf,
}

impl Place {
    /// As the settings have it.
    pub fn of(config: &Config) -> Self {
        Self {
            setting: config.master_key.clone(),
            old_setting: config.old_master_keys.clone(),
            data_dir: config.data_dir.clone(),
        }
    }

    /// The present key is in a setting, so only who sets it can replace it.
    pub fn is_set(&self) -> bool {
        self.setting.is_some()
    }

    /// The file of the present key.
    pub fn file(&self) -> PathBuf {
        self.data_dir.join("master.key")
    }

    /// The file of the keys before it.
    pub fn old_file(&self) -> PathBuf {
        self.data_dir.join("master.key.old")
    }

    /// Makes the first key in the data folder, with mode 0600, where there is none and none is set.
    ///
    /// # Errors
    /// [`KeyError`], each with its remedy.
    pub fn prepare(&self) -> Result<(), KeyError> {
        if !self.is_set() {
            let path = self.file();
            files::read_or_create(&path, random_secret).map_err(io(&path))?;
        }
        self.read().map(|_| ())
    }

    /// The keys. Nothing is ever made by this.
    ///
    /// # Errors
    /// [`KeyError`], each with its remedy.
    pub fn read(&self) -> Result<MasterKeys, KeyError> {
        let present = match self.setting.as_ref().and_then(|key| decode(key.expose_secret())) {
            Some(key) => key,
            None => one_of(&self.file())?,
        };
        let mut older: Vec<_> = self.old_setting.iter().filter_map(|key| decode(key.expose_secret())).collect();
        match all_of(&self.old_file()) {
            Err(KeyError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {}
            found => older.extend(found?),
        }
        older.retain(|key| *key != present);
        Ok(MasterKeys { present, older })
    }

    /// For a vault, which reads them again when they may have changed.
    pub fn source(&self) -> KeySource {
        let place = self.clone();
        Box::new(move || Ok(place.read()?))
    }

    /// Puts a new key in the place of the present one, which is kept with the old ones; answers their short names, the
    /// new one's last.
    ///
    /// # Errors
    /// [`KeyError`], each with its remedy. The present key stays in its place then.
    pub fn replace(&self) -> Result<(String, String), KeyError> {
        let (file, old_file) = (self.file(), self.old_file());
        let keys = self.read()?;
        let kept: Vec<String> = [&keys.present].into_iter().chain(&keys.older).map(hex::encode).collect();
        files::write_private(&old_file, &format!("{}\n", kept.join("\n")), Some(&file)).map_err(io(&old_file))?;
        let new = random_secret();
        files::write_private(&file, &new, Some(&file)).map_err(io(&file))?;
        let new = decode(&new).ok_or_else(|| KeyError::Unreadable(file.display().to_string()))?;
        Ok((key_id(&keys.present), key_id(&new)))
    }
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> KeyError {
    let path = path.display().to_string();
    move |source| KeyError::Io { path, source }
}

fn one_of(path: &Path) -> Result<[u8; 32], KeyError> {
    let text = std::fs::read_to_string(path).map_err(io(path))?;
    decode(&text).ok_or_else(|| KeyError::Unreadable(path.display().to_string()))
}

fn all_of(path: &Path) -> Result<Vec<[u8; 32]>, KeyError> {
    let text = std::fs::read_to_string(path).map_err(io(path))?;
    let keys = text.lines().filter(|line| !line.trim().is_empty()).map(decode);
    keys.collect::<Option<_>>().ok_or_else(|| KeyError::Unreadable(path.display().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use platform::vault::Vault;
    use std::{fs, os::unix::fs::PermissionsExt};

    fn place(data: &Path) -> Place {
        Place { setting: None, old_setting: Vec::new(), data_dir: data.to_owned() }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn the_key_is_made_once_and_is_private() {
        let data = tempfile::tempdir().unwrap();
        let place = place(data.path());
        assert!(place.read().is_err(), "reading makes none");
        place.prepare().unwrap();
        let first = place.read().unwrap().present;
        place.prepare().unwrap();
        assert_eq!(place.read().unwrap().present, first);
        assert_eq!(mode(&place.file()), 0o600);
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
        let place = place(data.path());
        fs::write(place.file(), "damaged").unwrap();
        assert!(matches!(place.prepare(), Err(KeyError::Unreadable(_))));
        assert!(matches!(place.replace(), Err(KeyError::Unreadable(_))));
        assert_eq!(fs::read_to_string(place.file()).unwrap(), "damaged");
        fs::write(place.file(), "07".repeat(32)).unwrap();
        fs::write(place.old_file(), "damaged").unwrap();
        assert!(matches!(place.replace(), Err(KeyError::Unreadable(_))), "an old key may be needed");
    }

    #[test]
    fn a_replaced_key_is_kept_with_those_before_it() {
        let data = tempfile::tempdir().unwrap();
        let place = place(data.path());
        place.prepare().unwrap();
        let first = place.read().unwrap().present;
        let (old, new) = place.replace().unwrap();
        let second = place.read().unwrap();
        assert_eq!((key_id(&first), key_id(&second.present)), (old, new));
        assert_eq!(second.older, [first]);
        place.replace().unwrap();
        assert_eq!(place.read().unwrap().older, [second.present, first]);
        assert_eq!((mode(&place.file()), mode(&place.old_file())), (0o600, 0o600));
    }

    #[test]
    fn a_vault_on_the_files_takes_the_new_key_without_a_restart() {
        let data = tempfile::tempdir().unwrap();
        let place = place(data.path());
        place.prepare().unwrap();
        let running = Vault::of(place.source()).unwrap();
        let before = running.seal("r", b"before").unwrap();
        place.replace().unwrap();
        let other = Vault::of(place.source()).unwrap();
        let after = other.seal("r", b"after").unwrap();
        assert_ne!(before[..5], after[..5]);
        assert_eq!(running.open("r", &after).unwrap(), b"after");
        assert_eq!(running.seal("r", b"x").unwrap()[..5], after[..5]);
        // Stopped between the two files: the present key is among the old ones, and nothing has changed.
        let present = fs::read_to_string(place.file()).unwrap();
        fs::write(place.old_file(), format!("{present}\n{}\n", fs::read_to_string(place.old_file()).unwrap())).unwrap();
        assert_eq!(Vault::of(place.source()).unwrap().open("r", &before).unwrap(), b"before");
        // Once nothing needs the old one it goes, and running processes go on.
        fs::remove_file(place.old_file()).unwrap();
        assert_eq!(running.open("r", &after).unwrap(), b"after");
        assert!(Vault::of(place.source()).unwrap().open("r", &before).is_err());
    }

    #[test]
    fn keys_of_the_settings_come_first_and_old_ones_open() {
        let data = tempfile::tempdir().unwrap();
        let key = |byte: &str| SecretString::from(byte.repeat(32));
        let place = Place { setting: Some(key("08")), old_setting: vec![key("07"), key("08")], ..place(data.path()) };
        place.prepare().unwrap();
        assert!(!place.file().exists());
        let keys = place.read().unwrap();
        assert_eq!((keys.present, keys.older), ([8; 32], vec![[7; 32]]));
    }
}

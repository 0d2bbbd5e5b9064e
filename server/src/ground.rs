//! What every command stands on: the data folder, its lock, the master key, the database with its schema.

use crate::{
    config::Config,
    database::{Database, DatabaseError},
    files,
    keys::{self, KeyError},
    lock::{self, DataLock, LockError, Share},
    state,
};
use platform::{Platform, vault::Vault};
use std::{
    fs, io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

/// Why nothing can be begun.
#[derive(Debug, thiserror::Error)]
pub enum GroundError {
    /// The data folder cannot be made or written.
    #[error("the data folder {} cannot be used ({source}); make it writable or set WEBMETEOR_DATA_DIR", folder.display())]
    Folder {
        /// Which.
        folder: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// Another platform is there.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// No master key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// No database.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// Takes possession of the data folder, and makes it where there is none.
///
/// # Errors
/// [`GroundError::Lock`] where another platform has it.
pub fn claim(config: &Config, share: Share) -> Result<DataLock, GroundError> {
    make_folder(&config.data_dir)?;
    Ok(lock::take(&config.data_dir, share)?)
}

/// The ground under a command.
pub struct Ground {
    /// Sets apart what several installations on one machine make.
    pub instance: String,
    /// The database, its schema up to date.
    pub database: Database,
    keys: keys::Place,
    _lock: Option<DataLock>,
}

impl Ground {
    /// For the platform itself, which has the lock.
    ///
    /// # Errors
    /// [`GroundError`], each with its remedy.
    pub async fn with_lock(config: &Config, lock: DataLock) -> Result<Self, GroundError> {
        Self::stand(config, Some(lock)).await
    }

    /// For commands beside the platform: uses its database while it runs, and starts the database where it does not.
    ///
    /// # Errors
    /// [`GroundError`], each with its remedy.
    pub async fn beside(config: &Config) -> Result<Self, GroundError> {
        match claim(config, Share::Alone) {
            Ok(lock) => Self::stand(config, Some(lock)).await,
            Err(GroundError::Lock(LockError::Held { .. })) => Self::stand(config, None).await,
            Err(error) => Err(error),
        }
    }

    async fn stand(config: &Config, lock: Option<DataLock>) -> Result<Self, GroundError> {
        let keys = keys::Place::of(config);
        keys.prepare()?;
        let instance = instance(&config.data_dir)?;
        let database = match lock {
            Some(_) => Database::open(config, &instance).await?,
            None => Database::join(config, &instance).await?,
        };
        if let Err(error) = database.migrate().await {
            database.close().await;
            return Err(error.into());
        }
        Ok(Self { instance, database, keys, _lock: lock })
    }

    /// The use cases' platform on this ground.
    ///
    /// # Errors
    /// If no HTTP client can be made for the proxy's API.
    pub fn platform(&self, config: &Config) -> anyhow::Result<Platform> {
        state::platform(config, &self.instance, self.database.pool(), Vault::of(self.keys.source())?)
    }

    /// Gives everything back; the managed database is stopped.
    pub async fn leave(self) {
        self.database.close().await;
    }
}

/// Others may pass through the folder and not look into it: the database runs as another user.
fn make_folder(folder: &Path) -> Result<(), GroundError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o711)
        .create(folder)
        .map_err(|source| GroundError::Folder { folder: folder.to_owned(), source })
}

/// Sets apart what several installations on one machine make: eight hexadecimal digits, made at first start, that stay
/// the same where the folder is moved.
///
/// # Errors
/// [`GroundError::Folder`].
fn instance(folder: &Path) -> Result<String, GroundError> {
    let fresh = || uuid::Uuid::new_v4().simple().to_string()[..8].to_owned();
    let text = files::read_or_create(&folder.join("instance"), fresh)
        .map_err(|source| GroundError::Folder { folder: folder.to_owned(), source })?;
    let text = text.trim();
    if text.len() == 8 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(text.to_owned());
    }
    let source = io::Error::new(io::ErrorKind::InvalidData, "its file `instance` does not hold 8 hexadecimal digits");
    Err(GroundError::Folder { folder: folder.to_owned(), source })
}

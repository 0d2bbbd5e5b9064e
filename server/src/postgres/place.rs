//! Where the managed database lives, and whom it belongs to.

use super::{Error, io_error};
use nix::unistd::{Gid, Uid, User, chown};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use std::{
    fs,
    io::{Read, Seek, SeekFrom},
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// The platform's database.
pub const DATABASE: &str = "webmeteor";
/// The database that every cluster has.
pub const MAINTENANCE: &str = "postgres";
/// The role; nobody but the owner of the socket's folder (and root) can reach it.
pub const ROLE: &str = "webmeteor";
/// Names the socket's file; no TCP port is opened.
pub const PORT: u16 = 5432;
/// A socket's path has at most 107 bytes (unix(7)); some room is left.
const SOCKET_PATH_MAX: usize = 100;
/// Where the database goes when its user cannot reach the data folder.
const ELSEWHERE: &str = "/var/lib/webmeteor";
/// A log longer than this is put aside at the next start.
const LOG_MAX: u64 = 10 * 1024 * 1024;

/// The user that PostgreSQL runs as when the platform runs as root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    pub uid: u32,
    pub gid: u32,
}

/// Where everything of the managed database is.
#[derive(Debug, Clone)]
pub struct Place {
    /// Holds the two below.
    pub folder: PathBuf,
    /// PostgreSQL's own data.
    pub cluster: PathBuf,
    /// The folder of the socket.
    pub socket: PathBuf,
    /// What it says.
    pub log: PathBuf,
    /// `None`: the platform's own user.
    pub account: Option<Account>,
}

impl Place {
    /// Decides where the database of a data folder is. One that is there already stays where it is.
    pub fn find(data_dir: &Path, instance: &str) -> Result<Self, Error> {
        let account = account()?;
        let inside = data_dir.join("postgres");
        let outside = Path::new(ELSEWHERE).join(format!("postgres-{instance}"));
        let reachable = account.is_none_or(|account| can_pass(data_dir, account));
        let is_inside = has_cluster(&inside);
        if is_inside && !reachable {
            return Err(Error::Unreachable(inside));
        }
        let folder = if is_inside || (reachable && !has_cluster(&outside)) { inside } else { outside };
        let socket = socket_folder(&folder, instance, account.is_some());
        Ok(Self { cluster: folder.join("cluster"), socket, log: data_dir.join("postgres.log"), account, folder })
    }

    /// Makes the folders, private to the database's user.
    pub fn prepare(&self) -> Result<(), Error> {
        if let Some(parent) = self.folder.parent().filter(|parent| !parent.exists()) {
            fs::DirBuilder::new().recursive(true).mode(0o711).create(parent).map_err(io_error(parent))?;
        }
        if self.folder.starts_with(ELSEWHERE) && !self.folder.exists() {
            tracing::warn!(
                folder = %self.folder.display(),
                "the user `postgres` cannot reach the data folder; the database is kept here instead"
            );
        }
        self.private(&self.folder)?;
        self.private(&self.socket)?;
        if fs::metadata(&self.log).is_ok_and(|log| log.len() > LOG_MAX) {
            fs::rename(&self.log, self.log.with_extension("log.1")).map_err(io_error(&self.log))?;
        }
        Ok(())
    }

    /// Makes a folder of mode 0700 that belongs to the database's user.
    fn private(&self, path: &Path) -> Result<(), Error> {
        if !path.exists() {
            fs::DirBuilder::new().mode(0o700).create(path).map_err(io_error(path))?;
            if let Some(account) = self.account {
                let (uid, gid) = (Uid::from_raw(account.uid), Gid::from_raw(account.gid));
                chown(path, Some(uid), Some(gid)).map_err(|e| io_error(path)(e.into()))?;
            }
        }
        let found = fs::symlink_metadata(path).map_err(io_error(path))?;
        let owner = self.account.map_or_else(|| Uid::effective().as_raw(), |account| account.uid);
        if !found.is_dir() || found.uid() != owner || found.permissions().mode() & 0o077 != 0 {
            return Err(Error::Foreign(path.to_owned()));
        }
        Ok(())
    }

    /// The version that made the cluster; `None` where there is no cluster yet.
    pub fn version(&self) -> Option<u32> {
        fs::read_to_string(self.cluster.join("PG_VERSION")).ok()?.trim().parse().ok()
    }

    /// How to reach one of its databases. Nothing is taken from the environment.
    pub fn options(&self, database: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .host("localhost")
            .socket(&self.socket)
            .port(PORT)
            .username(ROLE)
            .database(database)
            .ssl_mode(PgSslMode::Disable)
    }

    /// The error of a server that does not come up, with the end of its log.
    pub fn not_starting(&self, reason: String) -> Error {
        Error::NotStarting { reason, log: self.log.clone(), tail: tail(&self.log).unwrap_or_default() }
    }
}

/// As root, PostgreSQL gets a user of its own.
fn account() -> Result<Option<Account>, Error> {
    if !Uid::effective().is_root() {
        return Ok(None);
    }
    let user = User::from_name("postgres").ok().flatten().ok_or(Error::NoUser)?;
    Ok(Some(Account { uid: user.uid.as_raw(), gid: user.gid.as_raw() }))
}

fn has_cluster(folder: &Path) -> bool {
    folder.join("cluster").join("PG_VERSION").exists()
}

/// The account may pass through this folder and all above it. A folder that is not there yet is made passable.
fn can_pass(folder: &Path, account: Account) -> bool {
    folder.ancestors().all(|path| {
        let Ok(found) = fs::metadata(path) else { return true };
        let shift = match (found.uid() == account.uid, found.gid() == account.gid) {
            (true, _) => 6,
            (false, true) => 3,
            (false, false) => 0,
        };
        (found.permissions().mode() >> shift) & 1 == 1
    })
}

fn socket_folder(folder: &Path, instance: &str, is_root: bool) -> PathBuf {
    let inside = folder.join("socket");
    let longest = inside.join(format!(".s.PGSQL.{PORT}.lock"));
    if longest.as_os_str().len() <= SOCKET_PATH_MAX {
        return inside;
    }
    let base = if is_root && Path::new("/run").is_dir() { PathBuf::from("/run") } else { std::env::temp_dir() };
    base.join(format!("webmeteor-{instance}"))
}

/// The last lines of a file.
fn tail(path: &Path) -> Option<String> {
    let mut file = fs::File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(2_000))).ok()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    Some(lines[lines.len().saturating_sub(8)..].join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_only_root_may_enter_is_not_passable() {
        let root = tempfile::tempdir().unwrap();
        let nobody = Account { uid: 65_534, gid: 65_534 };
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o711)).unwrap();
        assert!(can_pass(&root.path().join("data"), nobody));
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o700)).unwrap();
        assert!(!can_pass(&root.path().join("data"), nobody));
    }

    #[test]
    fn a_long_path_gets_a_short_socket() {
        let long = Path::new("/srv").join("x".repeat(90));
        assert!(socket_folder(&long, "0a1b2c3d", false).as_os_str().len() < 60);
        assert_eq!(socket_folder(Path::new("/srv/data"), "0a1b2c3d", true), Path::new("/srv/data/socket"));
    }
}

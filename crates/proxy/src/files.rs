//! The folder that Traefik reads: one file per environment.

use crate::{Error, Result, SiteRoutes, atomic, routes::is_key};
use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    time::{Instant, SystemTime},
};

/// Traefik reads files with this ending and passes over the half-written ones beside them.
const ENDING: &str = "yml";
/// No secret is in them, and Traefik may run as another user.
const MODE: u32 = 0o644;

/// The route files.
#[derive(Debug, Clone)]
pub struct ProxyFiles {
    dir: PathBuf,
}

impl ProxyFiles {
    /// Files in this folder, which is made with the first one.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// Writes the routes by atomic rename. `false`: they were there already, and nothing was touched.
    ///
    /// # Errors
    /// [`Error::NotRoutable`] before anything is written, [`Error::File`].
    pub async fn put(&self, routes: &SiteRoutes) -> Result<bool> {
        self.write(routes, None).await
    }

    /// The same, unless this moment has passed when everything but the rename is done.
    ///
    /// # Errors
    /// As [`ProxyFiles::put`], and [`Error::File`] where it is too late.
    pub async fn put_before(&self, routes: &SiteRoutes, end: Instant) -> Result<bool> {
        self.write(routes, Some(end)).await
    }

    async fn write(&self, routes: &SiteRoutes, end: Option<Instant>) -> Result<bool> {
        let text = routes.render()?;
        let path = self.path(&routes.key)?;
        blocking(path, move |path| {
            if fs::read(path).is_ok_and(|there| there == text.as_bytes()) {
                return Ok(false);
            }
            if let Some(dir) = path.parent() {
                fs::create_dir_all(dir)?;
            }
            atomic::write_before(path, text.as_bytes(), MODE, end).map(|()| true)
        })
        .await
    }

    /// Removes the routes with this key; none is fine.
    pub async fn remove(&self, key: &str) -> Result<()> {
        blocking(self.path(key)?, |path| match fs::remove_file(path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        })
        .await
    }

    /// All routes by their keys, as they are on disk; files that are not the platform's own are passed over.
    pub async fn read(&self) -> Result<BTreeMap<String, RouteFile>> {
        blocking(self.dir.clone(), |dir| {
            let entries = match dir.read_dir() {
                Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
                entries => entries?,
            };
            let mut routes = BTreeMap::new();
            for entry in entries {
                let path = entry?.path();
                let key = path.file_stem().and_then(|stem| stem.to_str()).filter(|stem| is_key(stem));
                let (Some(key), Some(ENDING)) = (key, path.extension().and_then(|ending| ending.to_str())) else {
                    continue;
                };
                match RouteFile::read(&path) {
                    Ok(file) => routes.insert(key.to_owned(), file),
                    Err(e) if e.kind() == io::ErrorKind::NotFound => None,
                    Err(e) => return Err(e),
                };
            }
            Ok(routes)
        })
        .await
    }

    fn path(&self, key: &str) -> Result<PathBuf> {
        if is_key(key) {
            Ok(self.dir.join(format!("{key}.{ENDING}")))
        } else {
            Err(Error::NotRoutable { what: "key", value: key.to_owned() })
        }
    }
}

/// A route file as it is on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteFile {
    /// What Traefik reads.
    pub text: Vec<u8>,
    /// Since when it says so.
    pub written: SystemTime,
}

impl RouteFile {
    fn read(path: &Path) -> io::Result<Self> {
        let mut file = fs::File::open(path)?;
        let mut text = vec![];
        file.read_to_end(&mut text)?;
        Ok(Self { text, written: file.metadata()?.modified()? })
    }
}

/// Runs file work off the async threads and names the file in its error.
async fn blocking<T: Send + 'static>(
    path: PathBuf,
    work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
) -> Result<T> {
    let on = path.clone();
    tokio::task::spawn_blocking(move || work(&on))
        .await
        .unwrap_or_else(|e| Err(io::Error::other(e)))
        .map_err(|source| Error::File { path, source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RouteService;

    fn routes(key: &str, port: u16) -> SiteRoutes {
        let service =
            RouteService { name: "www".into(), address: [10, 64, 0, 2].into(), port, path: "/".into(), strip: false };
        SiteRoutes { key: key.into(), hosts: vec!["a.localhost".into()], services: vec![service] }
    }

    #[tokio::test]
    async fn routes_are_written_listed_and_removed() {
        let dir = tempfile::tempdir().unwrap();
        let files = ProxyFiles::new(dir.path().join("routes"));
        let keys = async || files.read().await.unwrap().into_keys().collect::<Vec<_>>();
        assert_eq!(keys().await, Vec::<String>::new());
        files.put(&routes("b", 80)).await.unwrap();
        files.put(&routes("a", 80)).await.unwrap();
        fs::write(dir.path().join("routes/.x.tmp"), "").unwrap();
        fs::write(dir.path().join("routes/note.txt"), "").unwrap();
        assert_eq!(keys().await, ["a", "b"]);
        files.remove("a").await.unwrap();
        files.remove("a").await.unwrap();
        assert_eq!(keys().await, ["b"]);
    }

    #[tokio::test]
    async fn what_comes_too_late_is_not_written() {
        let dir = tempfile::tempdir().unwrap();
        let files = ProxyFiles::new(dir.path());
        let soon = Instant::now() + std::time::Duration::from_mins(1);
        assert!(files.put_before(&routes("a", 80), soon).await.unwrap());
        assert!(files.put_before(&routes("a", 81), Instant::now()).await.is_err());
        assert!(!files.put(&routes("a", 80)).await.unwrap(), "the one before stands");
        assert_eq!(dir.path().read_dir().unwrap().count(), 1, "nothing is left beside it");
    }

    #[tokio::test]
    async fn what_is_there_already_is_not_written_again() {
        let dir = tempfile::tempdir().unwrap();
        let files = ProxyFiles::new(dir.path());
        assert!(files.put(&routes("a", 80)).await.unwrap());
        assert!(!files.put(&routes("a", 80)).await.unwrap());
        assert!(files.put(&routes("a", 81)).await.unwrap());
    }

    #[tokio::test]
    async fn a_key_cannot_leave_the_folder() {
        let dir = tempfile::tempdir().unwrap();
        let files = ProxyFiles::new(dir.path().join("routes"));
        fs::write(dir.path().join("kept.yml"), "").unwrap();
        assert!(files.remove("../kept").await.is_err());
        assert!(files.put(&routes("../kept", 80)).await.is_err());
        assert!(dir.path().join("kept.yml").exists());
    }
}

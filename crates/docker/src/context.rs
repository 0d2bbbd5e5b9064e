//! The files of a build, streamed as a tar archive that is the same for the same files, so that layers are reused.

use crate::{BuildError, BuildRequest, Error, dockerfile, dockerignore::Rules};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use std::{
    ffi::OsStr,
    fs::{File, Metadata},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
};
use tar::{Builder, EntryType, Header, HeaderMode};
use tokio_util::io::{ReaderStream, SyncIoBridge};

/// The name under which the Dockerfile is sent, generated or not; no repository's file is in its way.
pub(crate) const SENT_DOCKERFILE: &str = ".webmeteor.Dockerfile";

/// Which files are left out.
const IGNORE: &str = ".dockerignore";

/// The folder's own Dockerfile; a link is followed inside the folder only. `None` where there is none.
fn own_dockerfile(folder: &Path) -> io::Result<Option<String>> {
    let path = match folder.join("Dockerfile").canonicalize() {
        Ok(path) if path.starts_with(folder) => path,
        Ok(_) => return Ok(None),
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e),
    };
    std::fs::read(path).map(|text| Some(String::from_utf8_lossy(&text).into_owned()))
}

/// Bytes on their way between the thread that reads files and the engine.
const IN_FLIGHT: usize = 256 * 1024;

/// A folder that was checked to lie inside its checkout.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    rules: Rules,
    ignored: String,
    dockerfile: dockerfile::Labelled,
}

impl Folder {
    /// Checks the folder and reads its `.dockerignore`. The labels become lines of the Dockerfile.
    pub(crate) fn open(request: &BuildRequest) -> Result<Self, BuildError> {
        let BuildRequest { context, dockerfile: generated, labels, layer_scope, .. } = request;
        let no_folder = || BuildError::NoFolder { folder: context.folder.clone() };
        let unreadable = |path: &Path, e: &io::Error| Error::Folder { path: path.to_owned(), message: e.to_string() };
        let root = context.root.canonicalize().map_err(|e| unreadable(&context.root, &e))?;
        let path = root.join(&context.folder).canonicalize().map_err(|_| no_folder())?;
        if !path.starts_with(&root) || !path.is_dir() {
            return Err(no_folder());
        }
        let text = match generated {
            Some(text) => text.clone(),
            None => own_dockerfile(&path)
                .map_err(|e| unreadable(&path.join("Dockerfile"), &e))?
                .ok_or_else(|| BuildError::NoDockerfile { folder: context.folder.clone() })?,
        };
        let dockerfile = dockerfile::Labelled::new(&text, layer_scope, labels);
        let ignore = path.join(IGNORE);
        // Only a plain file: a link could lead to a file that is not the repository's.
        let ignored = match ignore.symlink_metadata() {
            Ok(meta) if meta.is_file() => {
                let text = std::fs::read(&ignore).map_err(|e| unreadable(&ignore, &e))?;
                String::from_utf8_lossy(&text).into_owned()
            }
            _ => String::new(),
        };
        let rules = Rules::parse(&ignored);
        // The engine leaves these two out of what `COPY` sees: one is other with every build and would spoil the cache.
        let ignored = ignored + "\n" + SENT_DOCKERFILE + "\n" + IGNORE + "\n";
        Ok(Self { path, rules, ignored, dockerfile })
    }

    /// The engine's words on the Dockerfile that was sent, with the lines of the one that was written.
    pub(crate) fn translate(&self, message: &str) -> String {
        self.dockerfile.translate(message)
    }

    /// The archive, made while it is read; ends early when the reader goes away, and with an error when a file
    /// cannot be read.
    pub(crate) fn stream(self: Arc<Self>) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        let (reader, writer) = tokio::io::duplex(IN_FLIGHT);
        let writer = SyncIoBridge::new(writer);
        let task = tokio::task::spawn_blocking(move || self.write(writer));
        let outcome = futures::stream::once(task).filter_map(|done| {
            let failed = done.map_err(io::Error::other).and_then(|written| written).err();
            std::future::ready(failed.map(Err))
        });
        ReaderStream::with_capacity(reader, 64 * 1024).chain(outcome)
    }

    fn write(&self, out: impl Write) -> io::Result<()> {
        let mut tar = Builder::new(out);
        self.write_folder(&mut tar, Path::new(""))?;
        for (name, text) in [(SENT_DOCKERFILE, &self.dockerfile.text), (IGNORE, &self.ignored)] {
            let mut header = Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            tar.append_data(&mut header, name, text.as_bytes())?;
        }
        tar.into_inner()?.flush()
    }

    fn write_folder(&self, tar: &mut Builder<impl Write>, below: &Path) -> io::Result<()> {
        let mut names =
            self.path.join(below).read_dir()?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>()?;
        names.sort();
        for name in names {
            let relative = below.join(&name);
            let meta = self.path.join(&relative).symlink_metadata()?;
            // The rules are sent too, with two more: see `open`.
            let leave_out = is_git(below, &name) || relative == Path::new(IGNORE) || self.rules.leave_out(&relative);
            if leave_out && !meta.is_dir() {
                continue;
            }
            if meta.is_dir() {
                if !leave_out {
                    append(tar, &meta, |tar, header| tar.append_data(header, &relative, io::empty()))?;
                }
                if !leave_out || self.rules.bring_back_any() && !is_git(below, &name) {
                    self.write_folder(tar, &relative)?;
                }
            } else if meta.is_symlink() {
                let target = self.path.join(&relative).read_link()?;
                append(tar, &meta, |tar, header| {
                    header.set_size(0);
                    tar.append_link(header, &relative, &target)
                })?;
            } else if meta.is_file() {
                let file = File::open(self.path.join(&relative))?.take(meta.len());
                append(tar, &meta, |tar, header| tar.append_data(header, &relative, file))?;
            }
        }
        Ok(())
    }
}

/// The repository's own folder: it differs at every fetch, so that no layer would be reused.
fn is_git(below: &Path, name: &OsStr) -> bool {
    below.as_os_str().is_empty() && name == ".git"
}

/// Writes one entry whose header tells nothing about this machine: no owner, no time, of the mode only what may run.
fn append<W: Write>(
    tar: &mut Builder<W>,
    meta: &Metadata,
    write: impl FnOnce(&mut Builder<W>, &mut Header) -> io::Result<()>,
) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_metadata_in_mode(meta, HeaderMode::Deterministic);
    if meta.is_symlink() {
        header.set_entry_type(EntryType::Symlink);
    }
    write(tar, &mut header)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BuildContext;
    use std::{collections::BTreeMap, os::unix::fs::symlink};

    fn checkout(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        dir
    }

    fn open(dir: &Path, folder: &str, generated: Option<&str>) -> Result<Folder, BuildError> {
        let context = BuildContext { root: dir.to_owned(), folder: folder.into() };
        let mut request = BuildRequest::new(context, "t");
        request.dockerfile = generated.map(Into::into);
        Folder::open(&request)
    }

    fn bytes(folder: &Folder) -> Vec<u8> {
        let mut out = vec![];
        folder.write(&mut out).unwrap();
        out
    }

    /// Path → content, or `-> target` of a link.
    fn entries(folder: &Folder) -> BTreeMap<String, String> {
        let bytes = bytes(folder);
        tar::Archive::new(bytes.as_slice())
            .entries()
            .unwrap()
            .map(|entry| {
                let mut entry = entry.unwrap();
                let path = entry.path().unwrap().display().to_string();
                let link = entry.link_name().unwrap().map(|target| format!("-> {}", target.display()));
                let mut text = String::new();
                entry.read_to_string(&mut text).unwrap();
                (path, link.unwrap_or(text))
            })
            .collect()
    }

    #[test]
    fn only_what_is_wanted_is_sent() {
        let dir = checkout(&[
            ("Dockerfile", "FROM x"),
            (".dockerignore", "*.log\nDockerfile\nskip\n!skip/keep"),
            ("a.log", ""),
            ("src/a.txt", "a"),
            ("skip/keep", "k"),
            ("skip/other", "o"),
            (".git/HEAD", "ref"),
        ]);
        let sent = entries(&open(dir.path(), ".", None).unwrap());
        let paths: Vec<&str> = sent.keys().map(String::as_str).collect();
        assert_eq!(paths, [".dockerignore", SENT_DOCKERFILE, "skip/keep", "src", "src/a.txt"]);
        assert!(sent[SENT_DOCKERFILE].starts_with("FROM x\n"));
        assert!(sent[IGNORE].ends_with("\n.webmeteor.Dockerfile\n.dockerignore\n"));
    }

    #[test]
    fn a_link_stays_a_link_wherever_it_leads() {
        let dir = checkout(&[("Dockerfile", "FROM x")]);
        symlink("/etc/passwd", dir.path().join("secret")).unwrap();
        symlink("/etc", dir.path().join("folder")).unwrap();
        let sent = entries(&open(dir.path(), ".", None).unwrap());
        assert_eq!(sent["secret"], "-> /etc/passwd");
        assert_eq!(sent["folder"], "-> /etc");
        assert!(!sent.keys().any(|path| path.starts_with("folder/")));
    }

    #[test]
    fn a_folder_outside_the_checkout_is_refused() {
        let dir = checkout(&[("in/Dockerfile", "FROM x"), ("file", "")]);
        symlink("/etc", dir.path().join("out")).unwrap();
        for folder in ["..", "/etc", "out", "in/../..", "none", "file"] {
            assert_eq!(
                open(dir.path(), folder, Some("FROM x")).unwrap_err(),
                BuildError::NoFolder { folder: folder.into() }
            );
        }
        assert!(open(dir.path(), "in", None).is_ok());
    }

    #[test]
    fn without_a_dockerfile_it_says_so() {
        let dir = checkout(&[("index.html", "")]);
        assert_eq!(open(dir.path(), ".", None).unwrap_err(), BuildError::NoDockerfile { folder: ".".into() });
    }

    #[test]
    fn a_generated_dockerfile_goes_along() {
        let dir = checkout(&[("index.html", "hello")]);
        let sent = entries(&open(dir.path(), ".", Some("FROM y")).unwrap());
        assert!(sent[SENT_DOCKERFILE].starts_with("FROM y\n"));
        assert_eq!(sent["index.html"], "hello");
    }

    #[test]
    fn a_dockerfile_that_leads_out_of_the_folder_is_none() {
        let dir = checkout(&[("index.html", "")]);
        symlink("/etc/passwd", dir.path().join("Dockerfile")).unwrap();
        assert_eq!(open(dir.path(), ".", None).unwrap_err(), BuildError::NoDockerfile { folder: ".".into() });
    }

    #[test]
    fn the_same_files_give_the_same_archive() {
        let files = [("Dockerfile", "FROM x"), ("b", "2"), ("a", "1"), ("c/d", "3")];
        let (one, two) = (checkout(&files), checkout(&files));
        let later = std::time::SystemTime::now() + std::time::Duration::from_mins(5);
        File::open(two.path().join("a")).unwrap().set_modified(later).unwrap();
        assert_eq!(bytes(&open(one.path(), ".", None).unwrap()), bytes(&open(two.path(), ".", None).unwrap()));
    }
}

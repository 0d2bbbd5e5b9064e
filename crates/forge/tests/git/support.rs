//! A forge for tests: repositories in a folder, served over HTTP by git's own CGI program.

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, Response, StatusCode, header},
};
use forge::{
    git::{Credentials, FetchRequest, RemoteRequest},
    hosted::{self, Author, FileChange},
};
use model::names::{BranchName, CommitSha, RepoUrl};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::{io::AsyncWriteExt, process::Command};

/// How the server behaves.
#[derive(Debug, Clone, Default)]
pub struct Manners {
    /// Only this `Authorization` is let in.
    pub authorization: Option<String>,
    /// Speaks the oldest protocol, which hands out branches' tips alone.
    pub old: bool,
    /// Sends everybody to this address, path and query kept.
    pub moved_to: Option<String>,
    /// Sends names without `.git` to those with it, as GitLab does.
    pub adds_suffix: bool,
    /// Knows nothing of Git and hands out the repository's files; its `http-alternates` name this server for more.
    pub alternates: Option<String>,
    /// Takes requests and does not answer, until it behaves otherwise.
    pub stalls: bool,
}

struct Inner {
    root: PathBuf,
    manners: Mutex<Manners>,
    requests: AtomicUsize,
}

/// A running forge; it ends with the test's runtime.
pub struct Forge {
    /// `http://127.0.0.1:port`.
    pub base: String,
    folder: TempDir,
    inner: Arc<Inner>,
}

impl Forge {
    pub async fn start(manners: Manners) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let inner = Arc::new(Inner {
            root: folder.path().join("served"),
            manners: Mutex::new(manners),
            requests: AtomicUsize::new(0),
        });
        std::fs::create_dir(&inner.root).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = axum::Router::new().fallback(serve).with_state(inner.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { base, folder, inner }
    }

    /// A repository `site.git` with one commit on `main`.
    pub async fn with_site(manners: Manners) -> (Self, CommitSha) {
        let forge = Self::start(manners).await;
        hosted::create_empty(&forge.repository()).await.unwrap();
        let commit = forge.commit("main", &[("index.html", "one"), ("a/b.txt", "b")]).await;
        (forge, commit)
    }

    pub fn repository(&self) -> PathBuf {
        self.at("site.git")
    }

    /// The place of a repository that is served at this path.
    pub fn at(&self, path: &str) -> PathBuf {
        self.inner.root.join(path)
    }

    /// A place for a checkout.
    pub fn place(&self) -> PathBuf {
        self.folder.path().join("work").join("checkout")
    }

    /// From now on.
    pub fn behave(&self, manners: Manners) {
        *self.inner.manners.lock().unwrap() = manners;
    }

    pub fn requests(&self) -> usize {
        self.inner.requests.load(Ordering::SeqCst)
    }

    pub async fn commit(&self, branch: &str, files: &[(&str, &str)]) -> CommitSha {
        commit(&self.repository(), branch, files).await
    }

    /// Runs git in the repository.
    pub fn git(&self, arguments: &[&str]) {
        let mut git = std::process::Command::new("git");
        assert!(git.arg("-C").arg(self.repository()).args(arguments).status().unwrap().success(), "{arguments:?}");
    }

    pub fn fetch<'a>(&self, into: &'a Path) -> FetchRequest<'a> {
        std::fs::create_dir_all(into.parent().unwrap()).unwrap();
        FetchRequest {
            head: None,
            url: self.url("/site.git"),
            credentials: Credentials::None,
            branch: branch("main"),
            commit: None,
            into,
            allow_private: true,
            max_bytes: 100 << 20,
            timeout: Duration::from_secs(20),
        }
    }

    pub fn look(&self) -> RemoteRequest {
        RemoteRequest {
            url: self.url("/site.git"),
            credentials: Credentials::None,
            branch: None,
            allow_private: true,
            timeout: Duration::from_secs(20),
        }
    }

    pub fn url(&self, path: &str) -> RepoUrl {
        RepoUrl::parse(&format!("{}{path}", self.base)).unwrap()
    }
}

pub fn branch(name: &str) -> BranchName {
    BranchName::parse(name).unwrap()
}

pub async fn commit(repository: &Path, name: &str, files: &[(&str, &str)]) -> CommitSha {
    let files: BTreeMap<String, FileChange> =
        files.iter().map(|(path, text)| ((*path).to_owned(), FileChange::Write(text.as_bytes().to_vec()))).collect();
    let author = Author { name: "Ada".into(), email: "ada@example.org".into() };
    hosted::commit_files(repository, &branch(name), &files, "A message\n\nwith more", &author).await.unwrap()
}

/// The files below a folder, with their text.
pub fn files(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                let name = entry.path().strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.insert(name, std::fs::read_to_string(entry.path()).unwrap_or_default());
            }
        }
    }
    found
}

/// Nothing is left beside where the checkout would have been, and it is not there either.
pub fn nothing_is_left(into: &Path) -> bool {
    std::fs::read_dir(into.parent().unwrap()).unwrap().next().is_none()
}

async fn serve(State(inner): State<Arc<Inner>>, request: Request) -> Response<Body> {
    inner.requests.fetch_add(1, Ordering::SeqCst);
    let stalls = || inner.manners.lock().unwrap().stalls;
    while stalls() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let manners = inner.manners.lock().unwrap().clone();
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let empty = |status: StatusCode| Response::builder().status(status);
    if let Some(base) = manners.moved_to {
        let to = format!("{base}{path}?{query}");
        return empty(StatusCode::FOUND).header(header::LOCATION, to).body(Body::empty()).unwrap();
    }
    if manners.adds_suffix && !path.contains(".git/") {
        let to = format!("{}?{query}", path.replacen("/info", ".git/info", 1));
        return empty(StatusCode::MOVED_PERMANENTLY).header(header::LOCATION, to).body(Body::empty()).unwrap();
    }
    let sent = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if manners.authorization.is_some() && sent != manners.authorization.as_deref() {
        let ask = empty(StatusCode::UNAUTHORIZED).header(header::WWW_AUTHENTICATE, "Basic realm=\"forge\"");
        return ask.body(Body::empty()).unwrap();
    }
    if let Some(elsewhere) = &manners.alternates {
        let file = match path.strip_suffix("/objects/info/http-alternates") {
            Some(_) => Some(format!("{elsewhere}/site.git/objects\n").into_bytes()),
            None => std::fs::read(inner.root.join(path.trim_start_matches('/'))).ok(),
        };
        let status = if file.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
        return empty(status).body(Body::from(file.unwrap_or_default())).unwrap();
    }
    let body = axum::body::to_bytes(body, 10 << 20).await.unwrap();
    let text = |name: &str| parts.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let mut cgi = Command::new("git");
    cgi.arg("http-backend")
        .env("GIT_PROJECT_ROOT", &inner.root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("REQUEST_METHOD", parts.method.as_str())
        .env("CONTENT_TYPE", text("content-type"))
        .env("HTTP_CONTENT_ENCODING", text("content-encoding"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    if !manners.old {
        cgi.env("GIT_PROTOCOL", text("git-protocol"));
    }
    let mut child = cgi.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let feed = tokio::spawn(async move {
        let _ = input.write_all(&body).await;
    });
    let output = child.wait_with_output().await.unwrap().stdout;
    feed.await.unwrap();
    answer(&output.into())
}

/// A CGI program's output (RFC 3875, section 6) as a response.
fn answer(output: &Bytes) -> Response<Body> {
    let end = output.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let mut status = StatusCode::OK;
    let mut headers = HeaderMap::new();
    for line in std::str::from_utf8(&output[..end]).unwrap().lines() {
        let (name, value) = line.split_once(": ").unwrap();
        if name == "Status" {
            status = value[..3].parse().unwrap();
        } else {
            headers.insert(header::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
        }
    }
    let mut response = Response::new(Body::from(output.slice(end + 4..)));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

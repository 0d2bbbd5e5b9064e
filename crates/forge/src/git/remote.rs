//! What a remote repository offers, and the ways in which talking to one goes wrong.

use super::{FetchError, Git, GitError, SshAccess, address, address::Target, ssh};
use base64::{Engine, engine::general_purpose::STANDARD};
use model::{
    deployment::FailureCode,
    names::{BranchName, CommitSha, RepoUrl},
};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A listing of this size holds some 50,000 branches.
const MAX_LISTING: usize = 4 * 1024 * 1024;

/// What opens a private repository.
#[derive(Debug, Clone, Default)]
pub enum Credentials {
    /// Nothing: everybody may read it.
    #[default]
    None,
    /// Over HTTPS: a token, or `user:token` where the forge needs the name. Never in arguments, never on disk.
    Token(SecretString),
    /// Over SSH: a key. Never in arguments, never on disk.
    Key(SshAccess),
}

/// Which repository to ask.
#[derive(Debug, Clone)]
pub struct RemoteRequest {
    /// Its address.
    pub url: RepoUrl,
    /// What opens it.
    pub credentials: Credentials,
    /// The branch to look for; `None` is the repository's default branch.
    pub branch: Option<BranchName>,
    /// Private networks and plain HTTP are allowed.
    pub allow_private: bool,
    /// How long it may take.
    pub timeout: Duration,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// The branch that was asked for, or the default one.
    pub branch: BranchName,
    /// Where it stands.
    pub commit: CommitSha,
    /// The repository's own default branch, if it names one.
    pub default_branch: Option<BranchName>,
}

/// Asks a repository for a branch: it exists, it may be read, and this is where the branch stands.
///
/// # Errors
/// `fetch_failed` if it cannot be reached or read, or a token would be sent in the clear, `ref_not_found` with the branches that are there if the branch is not.
pub async fn ls_remote(request: &RemoteRequest, cancel: &CancellationToken) -> Result<Remote, FetchError> {
    let RemoteRequest { url, credentials, allow_private, timeout, .. } = request;
    let way = Way::check(url, credentials.clone(), *allow_private, *timeout, cancel).await?;
    let listing = way
        .run(|url| Git::new(["ls-remote", "--symref", "--", url, "HEAD", "refs/heads/*"]).max_stdout(MAX_LISTING))
        .await?;
    choose(&String::from_utf8_lossy(&listing), request.branch.as_ref())
}

/// Reads `git ls-remote --symref` and takes the branch.
fn choose(listing: &str, wanted: Option<&BranchName>) -> Result<Remote, FetchError> {
    let not_found = |message: String| FetchError::new(FailureCode::RefNotFound, message);
    let (mut default_branch, mut branches) = (None, Vec::new());
    for (left, name) in listing.lines().filter_map(|line| line.split_once('\t')) {
        if let Some(reference) = left.strip_prefix("ref: refs/heads/").filter(|_| name == "HEAD") {
            default_branch = BranchName::parse(reference).ok();
        } else if let (Some(branch), Ok(commit)) = (name.strip_prefix("refs/heads/"), CommitSha::parse(left)) {
            branches.push((branch, commit));
        }
    }
    if branches.is_empty() {
        return Err(not_found("The repository is empty: it has no branch yet.".into()));
    }
    let only_one = || match branches.as_slice() {
        [(only, _)] => BranchName::parse(only).ok(),
        _ => None,
    };
    let branch = wanted.cloned().or_else(|| default_branch.clone()).or_else(only_one);
    let found = branch.as_ref().and_then(|branch| branches.iter().find(|(name, _)| *name == branch.as_str()));
    if let (Some(branch), Some((_, commit))) = (&branch, found) {
        return Ok(Remote { branch: branch.clone(), commit: commit.clone(), default_branch });
    }
    let some: Vec<&str> = branches.iter().take(8).map(|(name, _)| *name).collect();
    let more = if branches.len() > some.len() { ", …" } else { "" };
    let missing = branch.map_or_else(
        || "The repository names no default branch".to_owned(),
        |branch| format!("The repository has no branch “{branch}”"),
    );
    Err(not_found(format!("{missing}; it has {}{more}.", some.join(", "))))
}

/// A checked way to a repository, over the one protocol that its address names.
pub(super) enum Way {
    Web(Connection),
    Ssh(ssh::Connection),
}

impl Way {
    /// Checks where an address leads, and that what opens it may be sent there.
    ///
    /// # Errors
    /// `fetch_failed` if it may not be fetched from; `deploy_key_refused` for an address of SSH without a key.
    pub(super) async fn check(
        url: &RepoUrl,
        credentials: Credentials,
        allow_private: bool,
        timeout: Duration,
        cancel: &CancellationToken,
    ) -> Result<Self, FetchError> {
        let cancel = cancel.clone();
        let Some(address) = url.ssh() else {
            let token = match credentials {
                Credentials::Token(token) => Some(token),
                Credentials::None | Credentials::Key(_) => None,
            };
            address::may_carry_token(url, token.is_some())?;
            let target = address::check(url, allow_private).await?;
            return Ok(Self::Web(Connection { target, token, timeout, cancel }));
        };
        let Credentials::Key(access) = credentials else {
            let message = "An SSH address takes a deploy key; make one in the site's settings.";
            return Err(FetchError::new(FailureCode::DeployKeyRefused, message));
        };
        let reach = address::check_ssh(&address, allow_private).await?;
        Ok(Self::Ssh(ssh::Connection { url: url.clone(), address, reach, access, timeout, cancel }))
    }

    /// Runs git against the repository.
    pub(super) async fn run(&self, git: impl Fn(&str) -> Git) -> Result<Vec<u8>, FetchError> {
        match self {
            Self::Web(connection) => connection.run(git).await,
            Self::Ssh(connection) => connection.run(git).await,
        }
    }
}

/// A checked way over HTTPS.
pub(super) struct Connection {
    pub(super) target: Target,
    pub(super) token: Option<SecretString>,
    pub(super) timeout: Duration,
    pub(super) cancel: CancellationToken,
}

impl Connection {
    /// Runs git against the repository. Redirects are not followed, since they lead past the checked address; GitLab
    /// redirects to the name with `.git`, so that one is tried too.
    pub(super) async fn run(&self, git: impl Fn(&str) -> Git) -> Result<Vec<u8>, FetchError> {
        let url = self.target.url.as_str();
        let outcome = self.attempt(git(url)).await;
        let outcome = match outcome {
            Err(GitError::Exit { stderr, .. }) if is_redirect(&stderr) && url.strip_suffix(".git").is_none() => {
                let full = format!("{}.git", url.trim_end_matches('/'));
                self.attempt(git(&full)).await
            }
            other => other,
        };
        outcome.map_err(|error| explain(error, self.token.is_some()))
    }

    async fn attempt(&self, git: Git) -> Result<Vec<u8>, GitError> {
        let url = &self.target.url;
        let mut git = git
            .config(format!("protocol.{}.allow", url.scheme()), "always")
            .config("http.followRedirects", "false")
            .config("http.lowSpeedLimit", "100")
            .config("http.lowSpeedTime", "30")
            .timeout(self.timeout)
            .cancel(&self.cancel);
        if let Some(pin) = &self.target.pin {
            git = git.config("http.curloptResolve", pin);
        }
        if let Some(token) = &self.token {
            let header = format!("Authorization: Basic {}", STANDARD.encode(credentials(url.host_str(), token)));
            git = git.config(format!("http.{}.extraHeader", url.origin().ascii_serialization()), header);
        }
        git.run().await
    }
}

/// `user:password` for Basic authentication. The forges ignore the user's name beside a token, but for Bitbucket, whose
/// access tokens want this one.
fn credentials(host: Option<&str>, token: &SecretString) -> String {
    let token = token.expose_secret();
    match host {
        _ if token.contains(':') => token.to_owned(),
        Some("bitbucket.org") => format!("x-token-auth:{token}"),
        _ => format!("oauth2:{token}"),
    }
}

fn is_redirect(stderr: &str) -> bool {
    ["301", "302", "303", "307", "308"].iter().any(|code| stderr.contains(&format!("returned error: {code}")))
}

/// What git says, in curl's words, when a server cannot be reached.
const NO_ANSWER: &[&str] = &[
    "Failed to connect",
    "Couldn't connect",
    "Could not connect",
    "Could not resolve host",
    "Connection refused",
    "Connection timed out",
    "Operation too slow",
    "No route to host",
];
/// … and when a connection ends too early.
pub(super) const BROKEN_OFF: &[&str] = &[
    "early EOF",
    "unexpected disconnect",
    "the remote end hung up unexpectedly",
    "Connection reset by peer",
    "Empty reply from server",
    "transfer closed with outstanding",
    "Recv failure",
];

/// Git's failure in words that say what to do.
fn explain(error: GitError, has_token: bool) -> FetchError {
    let GitError::Exit { stderr, .. } = &error else {
        return match error {
            GitError::TimedOut(limit) => FetchError::new(
                FailureCode::FetchTimeout,
                format!("The repository's server did not deliver within {} s.", limit.as_secs()),
            ),
            other => other.into(),
        };
    };
    let says = |words: &[&str]| words.iter().any(|word| stderr.contains(word));
    let (code, message) = if says(&["couldn't find remote ref", "not our ref", "unadvertised object"]) {
        (FailureCode::RefNotFound, "The branch or commit is not in the repository.")
    } else if says(&["could not read Username", "Authentication failed", "error: 401", "error: 403"]) {
        let message = if has_token {
            "The repository's server does not accept the token, or the token may not read this repository."
        } else {
            "The repository is private, or does not exist: its server asks for a sign-in. Give a token that may read it."
        };
        (FailureCode::FetchFailed, message)
    } else if says(&["not found", "error: 404"]) {
        (FailureCode::FetchFailed, "There is no repository at this address, or it is private and needs a token.")
    } else if is_redirect(stderr) {
        (FailureCode::FetchFailed, "The address leads to another one; give the one that the forge shows for cloning.")
    } else if says(&["SSL certificate", "certificate verification", "certificate problem"]) {
        (FailureCode::FetchFailed, "The certificate of the repository's server is not valid.")
    } else if says(NO_ANSWER) {
        return FetchError::temporary(FailureCode::FetchFailed, "The repository's server does not answer.");
    } else if says(BROKEN_OFF) {
        return FetchError::temporary(FailureCode::FetchFailed, "The repository's server broke off in the middle.");
    } else if says(&["error: 429", "error: 500", "error: 502", "error: 503", "error: 504"]) {
        return FetchError::temporary(FailureCode::FetchFailed, "The repository's server has an error of its own.");
    } else {
        return error.into();
    };
    FetchError::new(code, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA: &str = "b3f1c2d4e5a60718293a4b5c6d7e8f9001122334";

    fn branch(name: &str) -> BranchName {
        BranchName::parse(name).unwrap()
    }

    #[test]
    fn the_default_branch_is_taken_unless_another_is_asked_for() {
        let listing =
            format!("ref: refs/heads/trunk\tHEAD\n{SHA}\tHEAD\n{SHA}\trefs/heads/trunk\n{SHA}\trefs/heads/dev\n");
        let default = choose(&listing, None).unwrap();
        assert_eq!((default.branch, default.default_branch), (branch("trunk"), Some(branch("trunk"))));
        assert_eq!(choose(&listing, Some(&branch("dev"))).unwrap().branch, branch("dev"));
    }

    #[test]
    fn a_branch_that_is_missing_is_answered_with_those_that_are_there() {
        let listing = format!("{SHA}\trefs/heads/trunk\n{SHA}\trefs/heads/dev\n");
        let error = choose(&listing, Some(&branch("main"))).unwrap_err();
        assert_eq!(error.code, FailureCode::RefNotFound);
        assert!(error.message.contains("trunk, dev"), "{error}");
        assert!(choose("", None).unwrap_err().message.contains("empty"));
    }

    #[test]
    fn what_may_be_well_again_soon_is_told_from_what_will_not() {
        let explained = |stderr: &str| explain(GitError::Exit { code: Some(128), stderr: stderr.into() }, false);
        for stderr in [
            "fatal: unable to access 'https://x/': Could not resolve host: x",
            "fatal: unable to access 'https://x/': The requested URL returned error: 503",
            "error: RPC failed; curl 56 Recv failure: Connection reset by peer\nfatal: early EOF",
        ] {
            assert!(explained(stderr).temporary, "{stderr}");
        }
        for stderr in [
            "fatal: unable to access 'https://x/': The requested URL returned error: 403",
            "fatal: repository 'https://x/' not found",
            "fatal: couldn't find remote ref refs/heads/main",
            "fatal: unable to access 'https://x/': SSL certificate problem: certificate has expired",
        ] {
            assert!(!explained(stderr).temporary, "{stderr}");
        }
    }

    #[test]
    fn a_token_goes_with_the_user_name_that_the_forge_wants() {
        let token = SecretString::from("abc");
        assert_eq!(credentials(Some("gitlab.com"), &token), "oauth2:abc");
        assert_eq!(credentials(Some("bitbucket.org"), &token), "x-token-auth:abc");
        assert_eq!(credentials(Some("example.org"), &SecretString::from("me:abc")), "me:abc");
    }

    /// Answers one request for a repository's branches.
    async fn answer_once(listener: tokio::net::TcpListener) -> String {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(stream.read_u8().await.unwrap());
        }
        let body = format!(
            "001e# service=git-upload-pack\n0000003e{} refs/heads/main\0\n0000",
            "1111111111111111111111111111111111111111"
        );
        let head = "Content-Type: application/x-git-upload-pack-advertisement\r\nConnection: close";
        let answer = format!("HTTP/1.1 200 OK\r\n{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8(request).unwrap()
    }

    /// The name is in no DNS (RFC 6761, section 6.4), so that whoever finds it went by the pin.
    #[tokio::test]
    async fn git_connects_to_the_addresses_that_were_checked_and_looks_up_no_others() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connection = |pin: Option<String>| Connection {
            target: Target { url: format!("http://pinned.invalid:{port}/site.git").parse().unwrap(), pin },
            token: None,
            timeout: Duration::from_secs(20),
            cancel: CancellationToken::new(),
        };
        let look = |url: &str| Git::new(["ls-remote", "--", url]);
        let lost = connection(None).run(look).await.unwrap_err();
        assert!(lost.message.contains("does not answer"), "{lost}");

        let pinned = connection(Some(format!("pinned.invalid:{port}:127.0.0.1")));
        let asked = tokio::time::timeout(Duration::from_mins(1), answer_once(listener));
        let (request, listing) = tokio::join!(asked, pinned.run(look));
        let request = request.expect("git asks the pinned address");
        assert!(request.contains(&format!("Host: pinned.invalid:{port}")), "{request}");
        assert!(String::from_utf8(listing.unwrap()).unwrap().contains("refs/heads/main"));
    }
}

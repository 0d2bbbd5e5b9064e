//! The git program, started with arguments only: fetching remote repositories and reading hosted ones.

mod address;
mod checkout;
mod fetch;
mod remote;
mod run;
mod ssh;
mod version;

pub(crate) use address::look_up;
pub use address::{IN_THE_CLEAR, keeps_secrets, may_fetch, same_server};
pub use checkout::{CheckedOut, Checkout};
pub(crate) use checkout::{commit_and_message, commit_info, write_tree_to};
pub(crate) use fetch::resolve;
pub use fetch::{FetchRequest, PullHead, fetch};
pub use remote::{Credentials, Remote, RemoteRequest, ls_remote};
pub(crate) use run::{Git, GitError, Group, MAX_STDERR, read};
pub use ssh::{HostKey, KeyPair, SshAccess, fingerprint, learn_host_key, published_host_key, ssh_version};
pub use version::{Version, version};

use model::deployment::FailureCode;

/// Takes each line that a person should see in the deployment's log.
pub type LogFn<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// Why a commit could not be had, in words for the person who deploys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FetchError {
    /// Stable; brings its remedy along.
    pub code: FailureCode,
    /// What happened.
    pub message: String,
    /// Another try later may help, without anything being changed.
    pub temporary: bool,
    /// With `host_key_changed`: the fingerprint of the key that the server shows.
    pub offered_host_key: Option<String>,
}

impl FetchError {
    pub(crate) fn new(code: FailureCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), temporary: false, offered_host_key: None }
    }

    pub(crate) fn temporary(code: FailureCode, message: impl Into<String>) -> Self {
        Self { temporary: true, ..Self::new(code, message) }
    }

    pub(crate) fn disk(what: &str, error: &std::io::Error) -> Self {
        let code = match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => FailureCode::DiskFull,
            _ => FailureCode::Internal,
        };
        Self::new(code, format!("{what}: {error}."))
    }
}

impl From<GitError> for FetchError {
    fn from(error: GitError) -> Self {
        let code = match &error {
            GitError::Exit { stderr, .. } if stderr.contains("No space left on device") => FailureCode::DiskFull,
            GitError::TimedOut(_) | GitError::Exit { .. } => FailureCode::FetchFailed,
            GitError::TooMuchOutput => FailureCode::RepositoryRefused,
            GitError::Start(_) | GitError::Pipe(_) | GitError::Cancelled => FailureCode::Internal,
        };
        Self::new(code, error.to_string())
    }
}

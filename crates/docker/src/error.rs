//! Why the engine did not do what was asked.

use std::path::PathBuf;

/// What every call answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed; each keeps the engine's own words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The engine cannot be reached or did not answer in time; worth another try later.
    #[error("the container engine does not answer: {0}")]
    Unavailable(String),
    /// The image, network, volume or container that was named is not there.
    #[error("{0}")]
    NotFound(String),
    /// The name is taken, or the thing is still in use.
    #[error("{0}")]
    Conflict(String),
    /// The static address is used by another container.
    #[error("{0}")]
    AddressInUse(String),
    /// The subnet overlaps with another network's, or the network is there with another subnet.
    #[error("{0}")]
    SubnetTaken(String),
    /// The disk of the engine is full.
    #[error("{0}")]
    DiskFull(String),
    /// The name cannot be one of a container, image, network or volume; nothing was asked of the engine.
    #[error("“{0}” is not a name that the container engine takes")]
    InvalidName(String),
    /// A registry did not answer the engine, or not well: another try may find it well again.
    #[error("{0}")]
    RegistryDown(String),
    /// A layer went, with the last image that stood upon it, while another build was about to stand upon it too: the next
    /// try makes it anew.
    #[error("{0}")]
    LayerGone(String),
    /// A command in a container took longer than it was given.
    #[error("the command took longer than {} s", .0.as_secs_f32())]
    TimeLimit(std::time::Duration),
    /// The folder cannot be read.
    #[error("{}: {message}", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// Anything else that the engine refused.
    #[error("{message}")]
    Refused {
        /// The engine's HTTP status; 0 where it broke off in the middle of an answer.
        status: u16,
        /// Its words.
        message: String,
    },
}

impl Error {
    /// Another try later may help, without anything being changed.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::RegistryDown(_) | Self::LayerGone(_))
    }

    /// Reads the engine's words where its status says too little.
    pub(crate) fn from_answer(status: u16, message: String) -> Self {
        let has = |words: &str| message.contains(words);
        if has("no space left on device") {
            Self::DiskFull(message)
        } else if has("Address already in use") {
            Self::AddressInUse(message)
        } else if has("Pool overlaps") || has("overlaps with other one on this address space") {
            Self::SubnetTaken(message)
        } else if !has(STEP_FAILED) && REGISTRY_DOWN.iter().any(|words| has(words)) {
            Self::RegistryDown(message)
        } else if !has(STEP_FAILED) && has(LAYER_GONE) && has("no such file or directory") {
            Self::LayerGone(message)
        } else if status == 404 {
            Self::NotFound(message)
        } else if status == 409 || has("has active endpoints") {
            Self::Conflict(message)
        } else {
            Self::Refused { status, message }
        }
    }
}

/// A build's step that failed may have printed anything.
const STEP_FAILED: &str = "returned a non-zero code";
/// How the engine's classic builder tells that an image it found a moment ago is not there.
const LAYER_GONE: &str = "failed to get digest sha256:";
/// How the engine tells that a registry is out of reach for now: in the words of Go's `net` and `net/http`, and of the
/// engine's own client. A name that nobody has (`no such host`) is not among them: it stays wrong.
const REGISTRY_DOWN: &[&str] = &[
    "i/o timeout",
    "TLS handshake timeout",
    "Client.Timeout exceeded",
    "connection refused",
    "connection reset by peer",
    "network is unreachable",
    "no route to host",
    "server misbehaving",
    "unexpected EOF",
    "toomanyrequests",
    "received unexpected HTTP status: 5",
];

impl From<bollard::errors::Error> for Error {
    fn from(error: bollard::errors::Error) -> Self {
        use bollard::errors::Error as B;
        match error {
            B::DockerResponseServerError { status_code, message } => Self::from_answer(status_code, message),
            B::DockerStreamError { error } => Self::from_answer(0, error),
            B::RequestTimeoutError => Self::Unavailable("no answer in time".into()),
            B::SocketNotFoundError(path) => Self::Unavailable(format!("there is no socket at {path}")),
            B::IOError { err } => Self::Unavailable(chain(&err)),
            B::HyperResponseError { err } => Self::Unavailable(chain(&err)),
            B::HyperLegacyError { err } => Self::Unavailable(chain(&err)),
            other => Self::Refused { status: 0, message: chain(&other) },
        }
    }
}

/// An error with its causes, which hyper keeps apart.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_that_went_under_a_build_is_worth_another_try() {
        let gone = "failed to get digest sha256:d25d: open /var/lib/docker/image/overlay2/imagedb/content/sha256/d25d: \
                    no such file or directory";
        assert!(Error::from_answer(0, gone.to_owned()).is_temporary());
        let printed = format!("The command 'echo {gone}' returned a non-zero code: 1");
        assert!(!Error::from_answer(0, printed).is_temporary());
    }

    #[test]
    fn a_registry_that_is_down_is_worth_another_try_and_a_wrong_name_is_not() {
        let temporary = |words: &str| Error::from_answer(500, words.to_owned()).is_temporary();
        assert!(temporary("Get \"http://localhost:1/v2/\": dial tcp 127.0.0.1:1: connect: connection refused"));
        assert!(temporary("received unexpected HTTP status: 503 Service Unavailable"));
        assert!(temporary("toomanyrequests: You have reached your pull rate limit."));
        assert!(!temporary("dial tcp: lookup registry.invalid on 10.0.0.1:53: no such host"));
        assert!(!temporary("pull access denied for x, repository does not exist"));
        assert!(!temporary("The command 'curl x: connection refused' returned a non-zero code: 7"));
    }
}

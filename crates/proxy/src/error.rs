//! Why the proxy did not do what was asked.

use std::{path::PathBuf, time::Duration};

/// What every call answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A host, path or name that no rule of the proxy can hold; nothing was written.
    #[error("{what} “{value}” cannot be part of a route")]
    NotRoutable {
        /// Host, path, key or service.
        what: &'static str,
        /// As it was given.
        value: String,
    },
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Something cannot be written as YAML.
    #[error("YAML: {0}")]
    Yaml(String),
    /// The proxy's API does not answer.
    #[error("the proxy does not answer: {0}")]
    Api(String),
    /// The proxy runs, but did not take the routes in time.
    #[error("the proxy did not follow within {} s: {reason}", after.as_secs())]
    NotFollowed {
        /// How long it was waited for.
        after: Duration,
        /// What was seen last.
        reason: String,
    },
}

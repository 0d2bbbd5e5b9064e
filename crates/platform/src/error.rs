//! The one error of all use cases: either something the caller may be told, or something only the log may know.

use model::{Problem, deployment::FailureCode};

/// What a use case answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What PostgreSQL answers to U+0000 in a text and in JSON (its documentation, “PostgreSQL Error Codes”).
const NO_TEXT: [&str; 2] = ["22021", "22P05"];

/// Why a use case did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Told to the caller as it is.
    #[error("{0}")]
    Problem(#[from] Problem),
    /// The database did not answer or refused.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// The engine that runs containers did not answer or refused.
    #[error("container engine: {0}")]
    Engine(#[from] docker::Error),
    /// The proxy did not.
    #[error("proxy: {0}")]
    Proxy(#[from] proxy::Error),
    /// Anything else that is not the caller's fault.
    #[error("{0:#}")]
    Internal(#[from] anyhow::Error),
}

impl From<forge::git::FetchError> for Error {
    /// What the repositories' disk has no room for is not carried out; what else went wrong there is ours to know.
    fn from(error: forge::git::FetchError) -> Self {
        if error.code == FailureCode::DiskFull {
            tracing::error!(%error, "the disk of the repositories is full");
            return Problem::new(
                507,
                "disk_full",
                format!("There is no room left on the disk. {}", error.code.remedy()),
            )
            .into();
        }
        Self::Internal(error.into())
    }
}

impl From<Error> for Problem {
    /// Logs what must not be shown.
    fn from(error: Error) -> Self {
        match error {
            Error::Problem(problem) => problem,
            Error::Database(sqlx::Error::PoolTimedOut | sqlx::Error::Io(_) | sqlx::Error::PoolClosed) => {
                tracing::error!("the database does not answer");
                Problem::new(503, "database_unavailable", "The database does not answer; try again in a moment.")
            }
            Error::Database(sqlx::Error::Database(e)) if e.code().is_some_and(|code| NO_TEXT.contains(&&*code)) => {
                Problem::invalid(
                    "text",
                    "characters",
                    "A text holds a character that cannot be kept; leave U+0000 out.",
                )
            }
            error if error.has_moved() => {
                let detail = "The site went to another team meanwhile, or is gone; look at it again, then try again.";
                Problem::conflict("site_moved", detail)
            }
            Error::Engine(docker::Error::Unavailable(words)) => {
                tracing::error!(error = words, "the container engine does not answer");
                let detail = "Docker does not answer on this machine; try again in a moment.";
                Problem::new(503, "engine_unavailable", detail)
            }
            other => {
                tracing::error!(error = %other, "a use case failed");
                Problem::internal()
            }
        }
    }
}

impl Error {
    /// What was read a moment ago belongs to another team by now, or is gone: what was to be written with it was refused.
    pub(crate) fn has_moved(&self) -> bool {
        self.constraint().is_some_and(|name| name.ends_with("_team_fkey"))
    }

    /// The name of the constraint that was violated, if that is what happened.
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Self::Database(sqlx::Error::Database(e)) => e.constraint(),
            _ => None,
        }
    }
}

//! Telling a forge how the deployment of a commit stands.

mod request;
mod target;

pub use target::{GitHub, Target};

use crate::http::{self, ApiError};
use crate::webhook::Provider;
use model::names::{CommitSha, EnvironmentName};
use request::Outgoing;
use secrecy::SecretString;
use std::time::Duration;

/// The longest description: GitHub's limit, the shortest of all.
pub const DESCRIPTION_MAX: usize = 140;

/// How a commit's deployment stands, as forges tell it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It waits for its turn.
    Queued,
    /// It is under way.
    Running,
    /// It serves.
    Success,
    /// It failed.
    Failure,
    /// A person ended it.
    Cancelled,
    /// A newer one took its place.
    Superseded,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Queued, Self::Running, Self::Success, Self::Failure, Self::Cancelled, Self::Superseded];
}

/// What is told.
#[derive(Debug, Clone)]
pub struct Report {
    /// Of this commit.
    pub commit: CommitSha,
    /// How it stands.
    pub state: State,
    /// Where to.
    pub environment: EnvironmentName,
    /// In a few words; cut to [`DESCRIPTION_MAX`] characters.
    pub description: String,
    /// Where more is to be seen.
    pub link: String,
}

impl Report {
    /// What it is filed under: one status of a commit for each environment.
    pub fn context(&self) -> String {
        format!("webmeteor/{}", self.environment)
    }

    /// The description, within the limit and in one line.
    pub fn short(&self) -> String {
        let line = self.description.split_whitespace().collect::<Vec<_>>().join(" ");
        if line.chars().count() <= DESCRIPTION_MAX {
            return line;
        }
        line.chars().take(DESCRIPTION_MAX - 1).chain(['…']).collect()
    }
}

/// Why a report did not arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failed {
    /// It may later, after so long if the forge says so.
    Later(String, Option<Duration>),
    /// It will not, until somebody does what is said.
    Never(String),
}

/// Sends a report with a repository's token: a token, or `user:token`.
///
/// # Errors
/// [`Failed`], in words for whoever cares for the site.
pub async fn send(target: &Target, report: &Report, token: &SecretString, allow_private: bool) -> Result<(), Failed> {
    let Outgoing { url, headers, body } = request::of(target, report, token).map_err(Failed::Never)?;
    let never = |error: ApiError| match error {
        ApiError::Later { reason, after } => Failed::Later(reason, after),
        ApiError::Refused(status) => Failed::Never(refusal(target, status)),
        ApiError::NotAsked(reason) => Failed::Never(reason),
    };
    // Where the operator has set the API's address, it may lie in the operator's own network.
    let client = http::client(&url, allow_private || target.is_operators).await.map_err(never)?;
    match http::send(client.post(url).headers(headers).json(&body)).await {
        Ok(_) => Ok(()),
        Err((ApiError::Refused(400), Some(answer))) if target.provider == Provider::GitLab => {
            // GitLab refuses to tell a commit twice what it knows, or what was before.
            let body = http::read(answer).await.unwrap_or_default();
            if String::from_utf8_lossy(&body).contains("Cannot transition status") {
                return Ok(());
            }
            Err(never(ApiError::Refused(400)))
        }
        Err((error, _)) => Err(never(error)),
    }
}

/// What to do about a refusal. Forges answer 404 as well where a token may not see that there is something.
fn refusal(target: &Target, status: u16) -> String {
    let needed = target.permission();
    match status {
        401 => "The forge does not take the token: it is wrong, or its time is over. Give a new one.".into(),
        403 => format!("The forge does not take statuses: the token needs the permission {needed}."),
        404 => format!(
            "The forge does not find the repository or the commit with this token: it needs the permission {needed}."
        ),
        300..=399 => "The forge says that the repository has moved; give its new address.".into(),
        _ => format!("The forge does not take the status of the commit; it answers {status}."),
    }
}

#[cfg(test)]
mod tests;

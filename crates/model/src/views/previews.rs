//! Previews: pull and merge requests, each live at an address of its own.

use super::{DeploymentSummary, SiteStatus};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// What a site wants of its previews.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PreviewSettings {
    /// Pull requests get previews.
    pub enabled: bool,
    /// At most so many at a time.
    pub max: i32,
    /// One of which nothing was heard for so many days goes.
    pub idle_days: i32,
}

/// How the preview of a pull request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PreviewState {
    /// It has one, or one is on its way.
    Active,
    /// It comes from a fork, and its newest commit waits for a member's approval. An approved one before may serve.
    Approval,
    /// It waits for room: the site has as many as its settings allow, or the one before is still being removed.
    Waiting,
    /// It was removed, for nothing was heard of the pull request for a while; the next push makes it anew.
    Idle,
    /// A member removed it; the next push makes it anew.
    Removed,
    /// It cannot have one.
    Refused,
    /// The pull request was closed.
    Closed,
    /// The pull request was merged.
    Merged,
}

impl PreviewState {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Active,
        Self::Approval,
        Self::Waiting,
        Self::Idle,
        Self::Removed,
        Self::Refused,
        Self::Closed,
        Self::Merged,
    ];

    /// The word used in the database and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Approval => "approval",
            Self::Waiting => "waiting",
            Self::Idle => "idle",
            Self::Removed => "removed",
            Self::Refused => "refused",
            Self::Closed => "closed",
            Self::Merged => "merged",
        }
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// The pull request has ended.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Closed | Self::Merged)
    }
}

/// The one commit of a fork that a member let be built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApprovalView {
    /// Its full id.
    pub commit: String,
    /// Who it was, while there is such an account.
    pub by: Option<String>,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

/// The pull request that a deployment is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PullRequestView {
    /// The forge's own number.
    pub number: i64,
    /// Its title.
    pub title: String,
    /// Where it is on the forge.
    pub url: Option<String>,
}

/// A pull request with its preview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PreviewView {
    /// The forge's own number.
    pub number: i64,
    /// Its title.
    pub title: String,
    /// Who wrote it, where the forge tells.
    pub author: Option<String>,
    /// The branch to be merged.
    pub source_branch: String,
    /// The branch to merge into.
    pub target_branch: String,
    /// It comes from another repository: each of its commits waits for approval, and it is given no secrets.
    pub from_fork: bool,
    /// How the preview stands.
    pub state: PreviewState,
    /// The pull request's newest commit; `None` where the forge does not tell.
    pub commit: Option<String>,
    /// For a fork: what was approved last.
    pub approved: Option<ApprovalView>,
    /// Where the pull request is on the forge.
    pub pull_request_url: Option<String>,
    /// The preview's environment, for lists of deployments; `None` while there is none.
    pub environment: Option<String>,
    /// Where the preview answers, while there is one.
    pub url: Option<String>,
    /// How that environment stands.
    pub status: Option<SiteStatus>,
    /// Its newest deployment.
    pub latest_deployment: Option<DeploymentSummary>,
    /// When something was last heard that concerns the preview.
    #[serde(with = "time::serde::rfc3339")]
    pub active_at: OffsetDateTime,
}

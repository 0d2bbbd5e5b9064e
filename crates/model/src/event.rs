//! What is announced live: the outbox's rows, and the payloads of the Socket.IO events.

use crate::{
    DeploymentId, SiteId, TeamId,
    deployment::{Status, Step},
    views::LogItem,
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Something that happened to a team's things. NOTIFY carries the outbox row's number only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// A deployment moved, or one of its steps did.
    Deployment {
        /// Which.
        id: DeploymentId,
        /// Of which site.
        site_id: SiteId,
        /// Where it stands.
        status: Status,
        /// The step it is in.
        step: Option<Step>,
    },
    /// Log lines were added; readers fetch them by number.
    DeploymentLog {
        /// Which deployment.
        id: DeploymentId,
        /// Of which site.
        site_id: SiteId,
        /// First new number.
        from: i64,
        /// Last new number.
        to: i64,
    },
    /// A site changed.
    Site {
        /// Which.
        id: SiteId,
        /// `new`, `live`, `changed` (one of its environments did), `deleting` or `deleted`.
        status: String,
    },
    /// Who is in the team, or in which role, changed.
    Members {},
}

impl Event {
    /// The site that it is of; `None`: of the team itself.
    pub fn site(&self) -> Option<SiteId> {
        match self {
            Self::Deployment { site_id, .. } | Self::DeploymentLog { site_id, .. } => Some(*site_id),
            Self::Site { id, .. } => Some(*id),
            Self::Members {} => None,
        }
    }
}

/// An outbox row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxRow {
    /// Grows.
    pub id: i64,
    /// Whose.
    pub team: TeamId,
    /// What.
    pub event: Event,
    /// When.
    pub at: OffsetDateTime,
}

/// Payload of the socket event `deployment`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentEvent {
    /// Which.
    pub id: DeploymentId,
    /// Of which site.
    pub site_id: SiteId,
    /// Where it stands.
    pub status: Status,
    /// The step it is in.
    pub step: Option<Step>,
    /// When it moved.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

/// Payload of the socket event `deployment.log`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEvent {
    /// Which deployment.
    pub id: DeploymentId,
    /// Number of the first line here.
    pub from: i64,
    /// The lines.
    pub items: Vec<LogItem>,
}

/// Payload of the socket event `site`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteEvent {
    /// Which.
    pub id: SiteId,
    /// See [`crate::views::SiteStatus`].
    pub status: String,
}

/// Payload of the socket event `notification`: something a person should know, wherever they are in the dashboard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// Grows.
    pub id: i64,
    /// `deployment_live`, `deployment_failed` or `deployment_rolled_back`.
    pub kind: String,
    /// One line.
    pub title: String,
    /// What to know or to do.
    pub body: String,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

//! What administrators of the platform are shown of all of it: nothing that is secret, and nobody's variables.

use super::{DeploymentSummary, MemberView, QuotaView, SignupState, SiteStatus};
use crate::{SiteId, TeamId};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// The installation in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OverviewView {
    /// Accounts.
    pub accounts: i64,
    /// Teams.
    pub teams: i64,
    /// Sites.
    pub sites: i64,
    /// Environments, previews among them.
    pub environments: i64,
    /// Deployments that wait.
    pub waiting: i64,
    /// Deployments at work.
    pub running: i64,
    /// Deployments asked for within 24 hours.
    pub deployments: i64,
    /// Those of them that failed.
    pub failed: i64,
    /// Who may register.
    pub signup: SignupView,
}

/// Who may register: as configured, and as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignupView {
    /// What holds now: `open` or `invite`.
    pub mode: SignupMode,
    /// What `WEBMETEOR_SIGNUP` says.
    pub configured: SignupMode,
    /// What a visitor of the page “Create an account” meets.
    pub state: SignupState,
}

/// Who may register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SignupMode {
    /// Everybody.
    Open,
    /// Invited people only.
    Invite,
}

impl SignupMode {
    /// The word used in the database and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Invite => "invite",
        }
    }
    /// Reads the word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Open, Self::Invite].into_iter().find(|mode| mode.as_str() == word)
    }
}

/// A team with its members and its use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AdminTeamView {
    /// Id.
    pub id: TeamId,
    /// Its short name.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Its members.
    pub members: Vec<MemberView>,
    /// What it may use and uses.
    pub quotas: Vec<QuotaView>,
    /// Since.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

/// A site of any team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AdminSiteView {
    /// Id.
    pub id: SiteId,
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Owner.
    pub team_id: TeamId,
    /// The owner's name.
    pub team_name: String,
    /// Where production answers.
    pub url: String,
    /// How production stands.
    pub status: SiteStatus,
    /// The newest deployment.
    pub latest_deployment: Option<DeploymentSummary>,
    /// Since.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

/// A part of the installation, and whether it answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PartView {
    /// `database`, `engine` or `proxy`.
    pub name: String,
    /// It answers.
    pub is_well: bool,
    /// Its version, where it tells, or what it said.
    pub detail: String,
}

/// The machine and what runs the platform.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MachineView {
    /// The platform's version.
    pub version: String,
    /// Bytes of the disk that the data folder is on; `None` where it cannot be looked at.
    pub disk_total: Option<u64>,
    /// Bytes of it that are free.
    pub disk_free: Option<u64>,
    /// Bytes of memory.
    pub memory_total: Option<u64>,
    /// Bytes of it that programs could have.
    pub memory_available: Option<u64>,
    /// Processors.
    pub cpus: usize,
    /// What waited for a processor in the last 1, 5 and 15 minutes, on average.
    pub load: Option<[f64; 3]>,
    /// What the platform stands on.
    pub parts: Vec<PartView>,
}

/// A setting as `webmeteor config` prints it: secrets hidden.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SettingView {
    /// `WEBMETEOR_…`
    pub name: String,
    /// Empty: unset.
    pub value: String,
    /// `default`, `file` or `environment`.
    pub origin: String,
}

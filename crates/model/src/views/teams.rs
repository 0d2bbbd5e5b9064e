//! Teams, their members and invitations.

use super::TeamView;
use crate::{InvitationId, Role, UserId};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// A team, as a member sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TeamDetail {
    /// Its names, and the caller's role.
    #[serde(flatten)]
    pub team: TeamView,
    /// How many members it has.
    pub members: i64,
    /// How many of them are owners.
    pub owners: i64,
    /// How many sites it has.
    pub sites: i64,
    /// Since.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

/// A member of a team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MemberView {
    /// The account.
    pub user_id: UserId,
    /// Name for people.
    pub name: String,
    /// Address.
    pub email: String,
    /// Role in the team.
    pub role: Role,
    /// It is the caller.
    pub is_you: bool,
    /// Since.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
}

/// How an invitation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum InvitationState {
    /// It can be accepted.
    Open,
    /// Its time is over; it can be sent again.
    Expired,
    /// It was accepted.
    Accepted,
    /// It was withdrawn.
    Withdrawn,
}

/// An invitation, as those see it who may invite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InvitationView {
    /// Id.
    pub id: InvitationId,
    /// The address that it is for.
    pub email: String,
    /// The role in the team; none where it is to the platform alone.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub role: Option<Role>,
    /// How it stands.
    pub state: InvitationState,
    /// Who invited, while that account is there.
    pub invited_by: Option<String>,
    /// When it was mailed last.
    #[serde(with = "time::serde::rfc3339")]
    pub sent_at: OffsetDateTime,
    /// Good until.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
    /// When it was accepted.
    #[serde(with = "time::serde::rfc3339::option", default)]
    pub accepted_at: Option<OffsetDateTime>,
}

/// An invitation that was just made, with its link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewInvitationView {
    /// It.
    #[serde(flatten)]
    pub invitation: InvitationView,
    /// Where it is accepted; shown this once.
    pub link: String,
}

/// An invitation, as whoever has its link sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InvitationLook {
    /// The address that it is for.
    pub email: String,
    /// The team's name; none where it is to the platform alone.
    pub team: Option<String>,
    /// The role there.
    pub role: Option<Role>,
    /// Who invited, while that account is there.
    pub invited_by: Option<String>,
    /// How it stands.
    pub state: InvitationState,
    /// Good until.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
    /// An account can be made with this link; else with the one that was mailed alone.
    pub may_join: bool,
}

/// What accepting an invitation led to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = AcceptedInvitation))]
pub struct Accepted {
    /// The team that the caller is a member of now; none where it was to the platform alone.
    pub team: Option<TeamView>,
}

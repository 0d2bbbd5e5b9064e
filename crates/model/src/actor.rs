//! Who asks: every use case takes an [`Actor`].

use crate::{TeamId, UserId};
use serde::{Deserialize, Serialize};

/// What a member may do in a team; later roles include nothing of earlier ones by magic, see [`Role::may_write`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything, including deleting the team.
    Owner,
    /// Everything but the team's own existence.
    Admin,
    /// Sites and deployments.
    Developer,
    /// Reading.
    Viewer,
}

impl Role {
    /// The word stored in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Developer => "developer",
            Self::Viewer => "viewer",
        }
    }
    /// Reads the stored word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Owner, Self::Admin, Self::Developer, Self::Viewer].into_iter().find(|r| r.as_str() == word)
    }
    /// May change sites and deploy.
    pub fn may_write(self) -> bool {
        !matches!(self, Self::Viewer)
    }
    /// May change what the whole team relies on, such as a secret that forges know.
    pub fn may_administer(self) -> bool {
        matches!(self, Self::Owner | Self::Admin)
    }
}

/// A caller whose identity is established.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Who; `None` is the platform itself (a verified webhook, the reconciler).
    pub user: Option<UserId>,
    /// The teams it may act in, with its role in each.
    pub memberships: Vec<(TeamId, Role)>,
    /// Administrator of the platform.
    pub is_admin: bool,
}

impl Actor {
    /// The platform acting for one team, after it verified by other means that it may.
    pub fn platform(team: TeamId) -> Self {
        Self { user: None, memberships: vec![(team, Role::Owner)], is_admin: false }
    }
    /// The role in a team, if a member.
    pub fn role_in(&self, team: TeamId) -> Option<Role> {
        self.memberships.iter().find(|(id, _)| *id == team).map(|(_, role)| *role)
    }
    /// The ids of all teams of the actor.
    pub fn teams(&self) -> Vec<TeamId> {
        self.memberships.iter().map(|(id, _)| *id).collect()
    }
}

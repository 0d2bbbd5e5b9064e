//! Who asks: every use case takes an [`Actor`].

use crate::{SiteId, TeamId, TokenId, UserId};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// What a member may do in a team; later roles include nothing of earlier ones by magic, see [`Role::may_write`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
    /// All of them, the highest first.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Admin, Self::Developer, Self::Viewer];
    /// The one of the two that may do less.
    #[must_use]
    pub fn lesser(self, other: Self) -> Self {
        if Self::ALL.iter().rev().find(|role| [self, other].contains(role)) == Some(&self) { self } else { other }
    }
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
        Self::ALL.into_iter().find(|r| r.as_str() == word)
    }
    /// The word for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Owner => "Owner",
            Self::Admin => "Admin",
            Self::Developer => "Developer",
            Self::Viewer => "Viewer",
        }
    }
    /// What it is good for, for people.
    pub fn about(self) -> &'static str {
        match self {
            Self::Owner => "Everything, owners and the team's end included",
            Self::Admin => "Everything but owners and the team's end",
            Self::Developer => "Sites and deployments",
            Self::Viewer => "Sees sites, deployments and logs",
        }
    }
    /// The higher, the more it may.
    pub fn rank(self) -> u8 {
        match self {
            Self::Owner => 3,
            Self::Admin => 2,
            Self::Developer => 1,
            Self::Viewer => 0,
        }
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

/// What an API token is given for. Whoever signs in with a password may all of it, as far as the role in the team goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Scope {
    /// See sites, their environments, deployments, logs and deliveries, and fetch their repositories.
    #[serde(rename = "sites:read")]
    SitesRead,
    /// Make, change and remove sites and environments.
    #[serde(rename = "sites:write")]
    SitesWrite,
    /// Push, deploy, cancel, roll back, promote.
    #[serde(rename = "deploy")]
    Deploy,
    /// Read the names and set the values of variables.
    #[serde(rename = "variables")]
    Variables,
    /// Read the team's audit; of owners' and administrators' tokens only.
    #[serde(rename = "audit:read")]
    AuditRead,
    /// Read the platform's own metrics; of administrators' tokens only.
    #[serde(rename = "metrics")]
    Metrics,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::SitesRead, Self::SitesWrite, Self::Deploy, Self::Variables, Self::AuditRead, Self::Metrics];
    /// The word used in the database and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SitesRead => "sites:read",
            Self::SitesWrite => "sites:write",
            Self::Deploy => "deploy",
            Self::Variables => "variables",
            Self::AuditRead => "audit:read",
            Self::Metrics => "metrics",
        }
    }
    /// Reads the word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word)
    }
    /// What it is good for, for people.
    pub fn about(self) -> &'static str {
        match self {
            Self::SitesRead => "See sites, deployments, logs and deliveries; fetch repositories",
            Self::SitesWrite => "Make, change and remove sites and environments",
            Self::Deploy => "Push, deploy, cancel, roll back, promote",
            Self::Variables => "Read the names and set the values of variables",
            Self::AuditRead => "Read the team's audit, as its owner or administrator",
            Self::Metrics => "Read the platform's metrics",
        }
    }
}

/// How far an API token goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// What it is for.
    pub scopes: Vec<Scope>,
    /// The one site it is for; `None`: all of its team's.
    pub site: Option<SiteId>,
}

/// Where a request came from, as far as it is known; for the audit, never for a decision.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Origin {
    /// The client's address.
    pub address: Option<IpAddr>,
    /// The API token it came with.
    pub token: Option<TokenId>,
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
    /// It came with an API token, which goes no further than this.
    pub grant: Option<Grant>,
    /// Where its request came from.
    pub origin: Origin,
}

impl Actor {
    /// Nobody.
    pub fn nobody() -> Self {
        Self { user: None, memberships: Vec::new(), is_admin: false, grant: None, origin: Origin::default() }
    }
    /// The same actor, whose request came from this address.
    #[must_use]
    pub fn at(mut self, address: Option<IpAddr>) -> Self {
        self.origin.address = address;
        self
    }
    /// The platform acting for one team, after it verified by other means that it may.
    pub fn platform(team: TeamId) -> Self {
        Self { memberships: vec![(team, Role::Owner)], ..Self::nobody() }
    }
    /// The role in a team, if a member.
    pub fn role_in(&self, team: TeamId) -> Option<Role> {
        self.memberships.iter().find(|(id, _)| *id == team).map(|(_, role)| *role)
    }
    /// What it came with is good for this.
    pub fn may(&self, scope: Scope) -> bool {
        self.grant.as_ref().is_none_or(|grant| grant.scopes.contains(&scope))
    }
    /// The one site that it may know of; `None`: all of its teams'.
    pub fn only_site(&self) -> Option<SiteId> {
        self.grant.as_ref().and_then(|grant| grant.site)
    }
    /// The ids of all teams of the actor.
    pub fn teams(&self) -> Vec<TeamId> {
        self.memberships.iter().map(|(id, _)| *id).collect()
    }
}

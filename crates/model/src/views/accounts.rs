//! Accounts: what one is signed in with, what a mailed link does, what goes with an account.

use super::TeamView;
use crate::{SessionId, SiteId};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Something that an account is signed in with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionView {
    /// Id; opens nothing.
    pub id: SessionId,
    /// A browser or a program.
    pub kind: SessionKind,
    /// Which, for people: `Firefox on Linux`.
    pub client: String,
    /// Where it was last seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Since.
    #[serde(with = "time::serde::rfc3339")]
    pub begun_at: OffsetDateTime,
    /// When it was last seen: a browser to the hour, a program when it last asked for new tokens.
    #[serde(with = "time::serde::rfc3339::option")]
    pub seen_at: Option<OffsetDateTime>,
    /// It is what asks.
    pub current: bool,
}

/// What is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SessionKind {
    /// By a cookie.
    Browser,
    /// By the tokens of a sign-in to the API.
    Program,
}

/// What a mailed link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LinkKind {
    /// It makes an account.
    Register,
    /// It proves an account's address.
    Verify,
    /// It gives an account another address.
    Email,
}

/// A mailed link that is good, before it is confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LinkView {
    /// What it is for.
    pub kind: LinkKind,
    /// The address that it proves.
    pub email: String,
}

/// A site that would go with an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OwnSiteView {
    /// Id.
    pub id: SiteId,
    /// Name.
    pub name: String,
    /// Its team's name.
    pub team: String,
}

/// What stands in the way of deleting an account, and what goes with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeletionView {
    /// It is the only administrator.
    pub last_admin: bool,
    /// Teams with other members of which it is the only owner: they are handed over first.
    pub hand_over: Vec<TeamView>,
    /// Sites of teams that nobody else is in: they are deleted first, or with the account.
    pub sites: Vec<OwnSiteView>,
    /// Teams that nobody else is in: they go with the account.
    pub teams: Vec<TeamView>,
}

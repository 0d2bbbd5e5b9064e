//! The audit, as those see it who may.

use crate::{AuditId, TeamId, TokenId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::net::IpAddr;
use time::OffsetDateTime;

/// Who did what to what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditView {
    /// Id.
    pub id: AuditId,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The team whose affair it is; none: the platform's, or an account's own.
    pub team_id: Option<TeamId>,
    /// Who.
    pub actor: AuditActor,
    /// What was done: `site.create`.
    pub action: String,
    /// To what.
    pub target: AuditTarget,
    /// How it was, where it is no secret.
    pub before: Option<Value>,
    /// How it is.
    pub after: Option<Value>,
    /// Where the request came from.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub address: Option<IpAddr>,
    /// The API token it came with.
    pub token: Option<AuditToken>,
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditActor {
    /// The account; none: the platform itself.
    pub id: Option<UserId>,
    /// Its address at that time.
    pub name: String,
}

/// What something was done to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditTarget {
    /// Its kind: `site`.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Its name at that time.
    pub name: String,
}

/// The API token that something was done with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditToken {
    /// Its id.
    pub id: TokenId,
    /// Its name, as long as there is one.
    pub name: Option<String>,
}

/// Which entries are asked for. Whatever is left out limits nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(default)]
pub struct AuditFilter {
    /// Who: an account's id or address, or `WebMeteor` for the platform itself.
    pub actor: Option<String>,
    /// What was done: `site.create`, or `site` for everything that is done to sites.
    pub action: Option<String>,
    /// To what: its id, or its name at that time.
    pub target: Option<String>,
    /// From then on: a day (`2026-11-28`) or a time (RFC 3339).
    pub from: Option<String>,
    /// Until then: a day, with it, or a time, without it.
    pub until: Option<String>,
}

impl AuditFilter {
    /// Without what is empty, as forms send it.
    #[must_use]
    pub fn trimmed(self) -> Self {
        let full = |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        Self {
            actor: full(self.actor),
            action: full(self.action),
            target: full(self.target),
            from: full(self.from),
            until: full(self.until),
        }
    }

    /// The names and values that are set.
    pub fn set(&self) -> Vec<(&'static str, &str)> {
        let all = [
            ("actor", &self.actor),
            ("action", &self.action),
            ("target", &self.target),
            ("from", &self.from),
            ("until", &self.until),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))).collect()
    }
}

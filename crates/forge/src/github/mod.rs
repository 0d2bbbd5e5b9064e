//! GitHub's API for a GitHub App: registered from a manifest, installed by customers, asked with tokens of its own.
//!
//! Every function names the operation of GitHub's documentation that it calls.

mod api;
mod app;
mod manifest;

pub use api::{Api, Comment, Installation, Minted, Permissions, Repository};
pub use app::App;
pub use manifest::manifest;

use serde_json::Value;

/// A number of GitHub's, such as a repository's.
pub type Id = i64;

/// The installation that a webhook of the App's speaks of, and what happened to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstallationChange {
    /// It is gone: the account took the App away.
    Removed(Id),
    /// It is suspended: nothing may be done with it for now.
    Suspended(Id),
    /// It is well again.
    Resumed(Id),
}

impl InstallationChange {
    /// Reads the payload of the event `installation`; `None` for what changes nothing here.
    ///
    /// Source: <https://docs.github.com/en/webhooks/webhook-events-and-payloads#installation>
    pub fn of(payload: &Value) -> Option<Self> {
        let id = installation(payload)?;
        match payload["action"].as_str()? {
            "deleted" => Some(Self::Removed(id)),
            "suspend" => Some(Self::Suspended(id)),
            "unsuspend" => Some(Self::Resumed(id)),
            _ => None,
        }
    }
}

/// The installation that a payload came through.
pub fn installation(payload: &Value) -> Option<Id> {
    payload["installation"]["id"].as_i64()
}

/// The repository that a payload speaks of.
pub fn repository(payload: &Value) -> Option<Id> {
    payload["repository"]["id"].as_i64()
}

#[cfg(test)]
mod tests;

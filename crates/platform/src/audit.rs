//! Who did what to what: an entry is added in the transaction that does it.

mod list;

pub use list::{Whose, list};

use crate::Result;
use model::{Actor, TeamId};
use serde_json::Value;
use sqlx::PgConnection;
use std::fmt::Display;
use store::audit::NewEntry;

/// What was done.
pub(crate) struct Entry<'a> {
    team: Option<TeamId>,
    action: &'a str,
    kind: &'a str,
    id: String,
    name: &'a str,
    before: Option<Value>,
    after: Option<Value>,
}

impl<'a> Entry<'a> {
    /// `action` (`site.create`) was done to the thing of this id and name; its kind is what stands before the dot.
    pub(crate) fn new(action: &'a str, id: impl Display, name: &'a str) -> Self {
        let kind = action.split('.').next().unwrap_or(action);
        Self { team: None, action, kind, id: id.to_string(), name, before: None, after: None }
    }
    /// It is this team's affair.
    pub(crate) fn of(mut self, team: TeamId) -> Self {
        self.team = Some(team);
        self
    }
    /// How it was and how it is, without secrets.
    pub(crate) fn change(mut self, before: impl Into<Option<Value>>, after: impl Into<Option<Value>>) -> Self {
        (self.before, self.after) = (before.into(), after.into());
        self
    }
}

/// Adds an entry to the audit, in the caller's transaction.
///
/// # Errors
/// The database's.
pub(crate) async fn record(conn: &mut PgConnection, actor: &Actor, entry: Entry<'_>) -> Result<()> {
    let new = NewEntry {
        team: entry.team,
        actor: actor.user,
        action: entry.action,
        target_kind: entry.kind,
        target_id: &entry.id,
        target_name: entry.name,
        before: entry.before.as_ref(),
        after: entry.after.as_ref(),
        address: actor.origin.address,
        token: actor.origin.token,
    };
    store::audit::insert(conn, &new).await?;
    Ok(())
}

#[cfg(test)]
mod list_tests;
#[cfg(test)]
mod tests;

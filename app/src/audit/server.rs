//! What the pages ask of the server about the audit.

use crate::failure::Failure;
use leptos::prelude::*;
use model::views::{AuditFilter, AuditView, Page, TeamDetail, TeamView};
use serde::{Deserialize, Serialize};

/// All that a page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entries {
    /// The entries, newest first.
    pub page: Page<AuditView>,
    /// The team whose they are.
    pub team: Option<TeamDetail>,
    /// The teams whose audit the visitor may read.
    pub teams: Vec<TeamView>,
}

/// A team's entries; without one the visitor's own, or `all` of the platform's.
#[server(prefix = "/_fn", endpoint = "audit")]
pub async fn get_audit(
    #[server(default)] team: Option<String>,
    #[server(default)] all: bool,
    #[server(default)] filter: AuditFilter,
    #[server(default)] cursor: Option<String>,
) -> Result<Entries, Failure> {
    use crate::context;
    use platform::audit::{self, Whose};
    let (platform, actor) = context::signed_in().await?;
    let team = match team {
        Some(name) => Some(platform::teams::find(&platform, &actor, &name).await.map_err(context::failed)?),
        None => None,
    };
    let whose = match &team {
        Some(team) => Whose::Team(team.team.id),
        None if all => Whose::Everybody,
        None => Whose::Own,
    };
    let page = audit::list(&platform, &actor, whose, filter, 50, cursor.as_deref()).await.map_err(context::failed)?;
    let mut teams = platform::teams::list(&platform, &actor).await.map_err(context::failed)?;
    teams.retain(|team| team.role.is_some_and(model::Role::may_administer));
    Ok(Entries { page, team, teams })
}

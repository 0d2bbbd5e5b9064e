//! Changing a site: its name, and where its code comes from.

use super::{
    get,
    repository::{self, NewRepository},
};
use crate::{Platform, Result, access, audit, audit::Entry, members, previews};
use model::{Actor, Problem, Scope, SiteId, event::Event, names::DisplayName, views::SiteView};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

/// What a person sends to change a site; `None` stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SiteChange)]
pub struct Change {
    /// Name for people.
    #[serde(default)]
    pub name: Option<String>,
    /// Where the code comes from.
    #[serde(default)]
    pub repository: Option<NewRepository>,
    /// What it wants of its previews.
    #[serde(default)]
    pub previews: Option<previews::Change>,
}

/// Changes a site, all of it or nothing. A repository is asked first, as it is for a new site; what runs goes on
/// running, and the next deployment fetches from there.
///
/// # Errors
/// 404, 403, 409 `site_deleting`, `repository_is_kept_here`, `repository_changed` or `no_pull_requests`, 422 for a name
/// that is none, for previews beyond their limits, and for a repository that cannot be read or has no such branch.
pub async fn change(platform: &Platform, actor: &Actor, id: SiteId, change: Change) -> Result<SiteView> {
    let name = change.name.as_deref().map(DisplayName::parse).transpose();
    let name = name.map_err(|e| Problem::invalid("name", e.code, e.message))?;
    let chosen = match change.repository {
        Some(wanted) => Some(repository::choose(platform, actor, id, wanted).await?),
        None => None,
    };
    // The repository may have taken its time: the caller may have been removed from the team meanwhile.
    let actor = &members::still(platform, actor).await?;
    let mut tx = platform.pool.begin().await?;
    // Before any row: what decides about previews takes it first too.
    store::pull_requests::lock(&mut tx, id).await?;
    let row = access::site_to_change(&mut tx, actor, Scope::SitesWrite, id).await?;
    if let Some(chosen) = &chosen {
        chosen.put(&mut tx, &row).await?;
        let (before, after) = chosen.told(&row);
        let entry = Entry::new("repository.change", id, &row.name).of(row.team_id);
        audit::record(&mut tx, actor, entry.change(before, after)).await?;
    }
    if let Some(wanted) = change.previews {
        let new = previews::set(&mut tx, &row, wanted).await?;
        let entry = Entry::new("previews.change", id, &row.name).of(row.team_id);
        audit::record(&mut tx, actor, entry.change(json!(previews::settings(&row)), json!(new))).await?;
    }
    if let Some(name) = &name {
        store::sites::rename(&mut tx, row.team_id, id, name.as_str()).await?;
        let entry = Entry::new("site.rename", id, name.as_str()).of(row.team_id);
        let entry = entry.change(json!({ "name": row.name }), json!({ "name": name.as_str() }));
        audit::record(&mut tx, actor, entry).await?;
    }
    store::events::insert(&mut tx, row.team_id, &Event::Site { id, status: "changed".into() }).await?;
    tx.commit().await?;
    if change.previews.is_some() {
        // More of them may be allowed now.
        previews::resume(platform, row.team_id, id).await?;
    }
    if let Some(chosen) = chosen {
        tracing::info!(site = %id, user = ?actor.user, url = %chosen.url, has_token = chosen.has_token(), "a site's repository was set");
    }
    get(platform, actor, id).await
}

#[cfg(test)]
mod tests;

//! A site goes to another team, and serves on meanwhile: nothing in the engine is renamed or moved
//! ([ADR 7](../../../../docs/adr/0007-a-site-keeps-the-names-it-was-made-with.md)).

use super::get;
use crate::{Platform, Result, access, audit, audit::Entry, quotas};
use model::{Actor, Problem, SiteId, TeamId, event::Event, views::SiteView};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

/// What a person sends to give a site to another team.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SiteTransfer)]
pub struct Transfer {
    /// The team.
    pub team_id: TeamId,
}

/// Gives a site with all that belongs to it to another team. Its address, data, webhook and variables stay; its Git
/// address has the other team's name from now on, and API tokens for this site alone are revoked.
///
/// # Errors
/// 404; 403 for who does not administer both teams, or comes with a token, and `quota_exceeded` where the other team has
/// no room for it; 409 `same_team`, `site_deleting`, `under_way` while something is deployed or pushed, or `github_not_connected` where the other team does not have the
/// GitHub App's installation that the site comes through.
pub async fn transfer(platform: &Platform, actor: &Actor, id: SiteId, to: Transfer) -> Result<SiteView> {
    let mut tx = platform.pool.begin().await?;
    // Before any row: what decides about previews takes it first too.
    store::pull_requests::lock(&mut tx, id).await?;
    let from = access::site(&mut tx, actor, id).await?.team_id;
    if from == to.team_id {
        return Err(Problem::conflict("same_team", "The site belongs to this team already.").into());
    }
    // Two that are given the other way round never wait for each other.
    let mut teams = [from, to.team_id];
    teams.sort_unstable();
    let mut names = Vec::new();
    for team in teams {
        let (row, me) = access::team_in_person(&mut tx, actor, team).await?;
        if !me.role.may_administer() {
            return Err(Problem::forbidden().into());
        }
        names.push(row);
    }
    let slug_of = |id: TeamId| names.iter().find(|team| team.id == id).map(|team| team.slug.clone());
    // Whoever deploys holds an environment, then refers to the site.
    store::environments::lock_of_site(&mut tx, from, id).await?;
    let site = access::site_to_administer(&mut tx, actor, id).await?;
    let busy = store::sites::under_way(&mut tx, from, id).await?;
    if busy.deployments > 0 || busy.pushes > 0 {
        let detail = "Something is deployed or pushed just now; wait until it has ended, or cancel it, then try again.";
        return Err(Problem::conflict("under_way", detail).into());
    }
    if let Some(installation) = site.github_installation {
        let connected = store::github::installations(&mut tx, &[to.team_id]).await?;
        if !connected.iter().any(|it| it.installation_id == installation) {
            let detail = "This site comes through the GitHub App, and the other team has not connected that \
                          installation; connect it there first.";
            return Err(Problem::conflict("github_not_connected", detail).into());
        }
    }
    quotas::may_take_site(platform, &mut tx, to.team_id, &site).await?;
    let tokens = store::api_tokens::delete_of_site(&mut tx, from, id).await?;
    store::sites::transfer(&mut tx, from, id, to.team_id).await?;
    let (before, after) = (slug_of(from), slug_of(to.team_id));
    for team in [from, to.team_id] {
        let entry = Entry::new("site.transfer", id, &site.name).of(team);
        let after = json!({ "team": after, "tokens_revoked": tokens });
        audit::record(&mut tx, actor, entry.change(json!({ "team": before }), after)).await?;
        store::events::insert(&mut tx, team, &Event::Site { id, status: "changed".into() }).await?;
    }
    tx.commit().await?;
    tracing::info!(site = %id, %from, to = %to.team_id, user = ?actor.user, tokens, "a site went to another team");
    get(platform, actor, id).await
}

#[cfg(test)]
mod tests;

//! Repositories to choose from: what an installation reaches and whoever connected it may see.

use super::{registered, tokens};
use crate::{Platform, Result, access};
use forge::github::{Id, Repository};
use model::{Actor, FieldError, Problem, Scope, TeamId, names::RepoUrl, views::GitHubRepositoryView};
use store::github::InstallationRow;

/// So many are shown; whoever looks for another one types more of its name.
const SHOWN: usize = 50;

/// The repositories of an installation whose names hold `query`, in the order of their names.
///
/// # Errors
/// 404 for an installation that none of the caller's teams has connected, 409 `suspended`, 503 while GitHub is away.
pub async fn repositories(
    platform: &Platform,
    actor: &Actor,
    installation: Id,
    query: &str,
) -> Result<Vec<GitHubRepositoryView>> {
    access::allows(actor, Scope::SitesWrite)?;
    let query = query.trim().to_lowercase();
    let found = of_teams(platform, &actor.teams(), installation).await?;
    let found = found.into_iter().filter(|it| it.full_name.to_lowercase().contains(&query)).take(SHOWN);
    Ok(found
        .map(|it| GitHubRepositoryView {
            id: it.id,
            full_name: it.full_name,
            private: it.private,
            default_branch: it.default_branch,
        })
        .collect())
}

/// The repository of this name, for a site of a team that has connected the installation.
///
/// # Errors
/// 404, 422 `source.repository` for one that is not among them.
async fn pick(platform: &Platform, team: TeamId, installation: Id, full_name: &str) -> Result<Repository> {
    let found = of_teams(platform, &[team], installation).await?;
    let wanted = found.into_iter().find(|it| it.full_name.eq_ignore_ascii_case(full_name.trim()));
    let none = || {
        let message = "The GitHub App does not reach this repository; add it on GitHub, and connect GitHub again.";
        let field = FieldError { field: "source.repository".into(), code: "unknown".into(), message: message.into() };
        Problem { errors: vec![field], ..Problem::new(422, "invalid_input", message) }
    };
    let wanted = wanted.ok_or_else(none)?;
    // The token is sent to where Git goes: to the operator's GitHub alone.
    let goes = url::Url::parse(&wanted.clone_url).ok().map(|url| url.origin());
    if goes != Some(platform.settings.github.url.origin()) {
        tracing::error!(url = wanted.clone_url, "GitHub names a repository elsewhere; see WEBMETEOR_GITHUB_URL");
        return Err(none().into());
    }
    Ok(wanted)
}

/// The way to a repository for a site of a team: GitHub's numbers of installation and repository, a token to read it now,
/// and its address.
///
/// # Errors
/// As [`pick`].
pub(crate) async fn way(
    platform: &Platform,
    team: TeamId,
    installation: Id,
    full_name: &str,
) -> Result<((Id, Id), String, RepoUrl)> {
    let found = pick(platform, team, installation, full_name).await?;
    let url = RepoUrl::parse(&found.clone_url).map_err(|e| Problem::invalid("source.repository", e.code, e.message))?;
    let token = tokens::to_read(platform, installation, found.id).await?;
    Ok(((installation, found.id), token, url))
}

async fn of_teams(platform: &Platform, teams: &[TeamId], installation: Id) -> Result<Vec<Repository>> {
    let mut conn = platform.pool.acquire().await?;
    let mut rows = store::github::installations(&mut conn, teams).await?;
    drop(conn);
    rows.retain(|row| row.installation_id == installation);
    if rows.is_empty() {
        return Err(Problem::not_found("installation").into());
    }
    if rows.iter().all(|row: &InstallationRow| row.suspended_at.is_some()) {
        let detail = "GitHub has suspended this installation; its owner lets it be used again on GitHub.";
        return Err(Problem::conflict("suspended", detail).into());
    }
    let app = registered(platform).await?;
    let mut found = tokens::list(platform, &app, installation).await?;
    found.retain(|it| rows.iter().any(|row| row.repositories.contains(&it.id)));
    found.sort_by_key(|it| it.full_name.to_lowercase());
    Ok(found)
}

//! A customer installs the App, and the installation becomes the team's: only one that GitHub says the customer may
//! see, and of it only the repositories that the customer may see.

use super::{KEY, administers, api, registered, told};
use crate::{Platform, Result, access, audit, audit::Entry};
use forge::github::Id;
use model::{Actor, Problem, Scope, TeamId, views::InstallationView};

/// Where a member of a team goes to install the App; `state` comes back with the answer. `again` is for who has installed
/// it before and only shows who he or she is.
///
/// # Errors
/// 404, 403, 409 `no_github_app`.
pub async fn install_url(platform: &Platform, actor: &Actor, team: TeamId, state: &str, again: bool) -> Result<String> {
    access::in_person(actor)?;
    access::may(actor, Scope::SitesWrite, team)?;
    let app = registered(platform).await?;
    let mut url = platform.settings.github.url.clone();
    let path: &[&str] =
        if again { &["login", "oauth", "authorize"] } else { &["apps", &app.slug, "installations", "new"] };
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    if again {
        url.query_pairs_mut().append_pair("client_id", &app.client_id);
    }
    url.query_pairs_mut().append_pair("state", state);
    Ok(url.into())
}

/// Connects with a team what whoever came back from GitHub with this code may see: the named installation, or all. The
/// number in the address proves nothing: anybody can write one there.
///
/// # Errors
/// 404, 403, 409 where GitHub refuses; 403 `not_your_installation` for one that GitHub does not show to that person.
pub async fn connect(
    platform: &Platform,
    actor: &Actor,
    team: TeamId,
    installation: Option<Id>,
    code: &str,
) -> Result<()> {
    access::in_person(actor)?;
    access::may(actor, Scope::SitesWrite, team)?;
    let app = registered(platform).await?;
    let api = api(platform);
    let token = api.sign_in(&app, code).await.map_err(told)?;
    let mut seen = api.installations_of_user(&token).await.map_err(told)?;
    seen.retain(|it| installation.is_none_or(|only| only == it.id));
    if seen.is_empty() {
        let detail = "GitHub does not show this installation to you; install the App for an account of your own.";
        return Err(Problem::new(403, "not_your_installation", detail).into());
    }
    let mut found = Vec::new();
    for it in seen {
        let repositories = api.repositories_of_user(&token, it.id).await.map_err(told)?;
        found.push((it, repositories));
    }
    let mut tx = platform.pool.begin().await?;
    for (it, repositories) in &found {
        store::github::connect(&mut tx, team, it.id, &it.account, repositories, actor.user).await?;
        audit::record(&mut tx, actor, Entry::new("github.connect", it.id, &it.account).of(team)).await?;
        tracing::info!(installation = it.id, %team, user = ?actor.user, "an installation of the GitHub App was connected");
    }
    tx.commit().await?;
    for (it, _) in &found {
        platform.github.forget(it.id);
    }
    Ok(())
}

/// The installations that the caller's teams have connected.
///
/// # Errors
/// 403 for a token that may not read.
pub async fn installations(platform: &Platform, actor: &Actor) -> Result<Vec<InstallationView>> {
    access::may_read(actor)?;
    let mut conn = platform.pool.acquire().await?;
    let rows = store::github::installations(&mut conn, &actor.teams()).await?;
    let view = |row: store::github::InstallationRow| InstallationView {
        id: row.installation_id,
        team_id: row.team_id,
        account: row.account,
        suspended: row.suspended_at.is_some(),
    };
    Ok(rows.into_iter().map(view).collect())
}

/// Forgets the App and all installations; sites that come through it are no longer deployed until they have another way
/// to their repository. The App itself is deleted on GitHub.
///
/// # Errors
/// 403 for who is no administrator.
pub async fn disconnect_all(platform: &Platform, actor: &Actor) -> Result<()> {
    administers(actor)?;
    let mut tx = platform.pool.begin().await?;
    store::settings::delete(&mut tx, KEY).await?;
    store::github::remove_all_installations(&mut tx).await?;
    audit::record(&mut tx, actor, Entry::new("github.forget", "app", "GitHub App")).await?;
    tx.commit().await?;
    tracing::warn!(user = ?actor.user, "the GitHub App was removed");
    Ok(())
}

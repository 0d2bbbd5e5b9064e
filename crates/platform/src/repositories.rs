//! The repositories that the platform keeps: who may read and write one, and what a push to it starts.

mod under_way;

pub use under_way::{Begun, UnderWay, begin, resume, run, unlock_all};

use crate::{
    Error, Platform, Result, access,
    deployments::{Queued, enqueue},
    members, pushes, quotas,
};
use forge::{git::CheckedOut, hosted, push::Moved};
use model::{
    Actor, DeploymentId, Problem, PushId, Scope, SiteId, TeamId,
    deployment::Trigger,
    names::{BranchName, CommitSha},
    site::Source,
};
use sqlx::PgConnection;
use std::path::PathBuf;
use store::environments::EnvironmentRow;
use time::OffsetDateTime;

/// What is to be done with a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Clone and fetch.
    Read,
    /// Push.
    Write,
}

/// A repository that was found and may be used.
#[derive(Debug, Clone)]
pub struct Repository {
    /// Its site.
    pub site: SiteId,
    /// Where it lies.
    pub path: PathBuf,
    /// The branches that the site's environments deploy, production's first.
    pub branches: Vec<String>,
}

/// A deployment that a push started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// Its id.
    pub deployment: DeploymentId,
    /// Where it goes.
    pub environment: String,
}

/// What a push led to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pushed {
    /// The deployments that it started.
    pub started: Vec<Started>,
    /// Why nothing is deployed to an environment whose branch it moved, in plain words.
    pub ignored: Vec<String>,
    /// The branches that it deleted.
    pub deleted: Vec<String>,
}

/// The repository of this Git address: `{team}/{slug}.git`.
///
/// # Errors
/// 404 if the caller may not know of it or the site's code is kept elsewhere, `repository_moved` if the site is another
/// team's by now; for writing also 403 and 409
/// `site_deleting`; 503 `repository_missing` if its files are gone.
pub async fn open(platform: &Platform, actor: &Actor, team: &str, slug: &str, access: Access) -> Result<Repository> {
    let mut conn = platform.pool.acquire().await?;
    let site = store::sites::by_slug(&mut conn, &actor.teams(), slug)
        .await?
        .filter(|site| access::is_known(actor, site.id))
        .ok_or_else(|| Problem::not_found("repository"))?;
    access::may_read(actor)?;
    if site.team_slug != team {
        // A slug is one site's alone, so this is the one that was meant.
        let (public, team) = (&platform.settings.public_url, &site.team_slug);
        let detail = format!(
            "This site belongs to another team now. Its repository is at {public}/git/{team}/{slug}.git; \
             git remote set-url origin {public}/git/{team}/{slug}.git"
        );
        return Err(Problem::new(404, "repository_moved", detail).into());
    }
    if let Source::Git { url, .. } = &site.source.0 {
        let detail = format!("This site's repository is not kept here; it is at {url}.");
        return Err(Problem::new(404, "not_found", detail).into());
    }
    if access == Access::Write {
        access::site_to_change(&mut conn, actor, Scope::Deploy, site.id).await?;
    }
    let mut branches = Vec::new();
    for environment in store::environments::of_site(&mut conn, site.team_id, site.id).await? {
        if environment.deleting_at.is_none() && !branches.contains(&environment.branch) {
            branches.push(environment.branch);
        }
    }
    let path = platform.repository(site.id);
    if !tokio::fs::try_exists(path.join("HEAD")).await.unwrap_or(false) {
        tracing::error!(site = %site.id, path = %path.display(), "a site's repository is missing");
        let detail = "The site's repository is missing on this machine; ask the operator to restore it.";
        return Err(Problem::new(503, "repository_missing", detail).into());
    }
    Ok(Repository { site: site.id, path, branches })
}

/// Queues a deployment for every environment whose branch a push moved, all in one transaction. A branch that stands
/// elsewhere was not moved by this push, or another push has moved it on, which then deploys it. After an error of the
/// database it is tried again later ([`resume`]).
///
/// # Errors
/// 404, 403, 409 `site_deleting`: the push is stored all the same.
pub async fn pushed(platform: &Platform, actor: &Actor, push: &Begun, site: SiteId, moved: &[Moved]) -> Result<Pushed> {
    let push = (push.team, push.id);
    let decided = decide(platform, actor, push, site, moved, None).await;
    if let Err(Error::Problem(_)) = &decided {
        store::pushes::remove(&mut *platform.pool.acquire().await?, push.0, push.1).await?;
    }
    decided
}

/// `cut_off`: when the push began, where nobody was at work on it any more. What was deployed since is not deployed again.
async fn decide(
    platform: &Platform,
    actor: &Actor,
    push: (TeamId, PushId),
    site: SiteId,
    moved: &[Moved],
    cut_off: Option<OffsetDateTime>,
) -> Result<Pushed> {
    // A push takes up to an hour: whoever was removed from the team meanwhile deploys nothing any more.
    let actor = &members::still(platform, actor).await?;
    let mut led_to = Pushed::default();
    let mut tx = platform.pool.begin().await?;
    let is_ours = store::pushes::remove(&mut tx, push.0, push.1).await?;
    if moved.is_empty() || (cut_off.is_some() && !is_ours) {
        tx.commit().await?;
        return Ok(led_to);
    }
    let path = platform.repository(site);
    let site = access::site_to_change(&mut tx, actor, Scope::Deploy, site).await?;
    store::while_git_is_asked(&mut tx).await?;
    // Of pushes at the same time one decides after the other, and each by where the branch stands then: read before, it
    // could be an older commit that comes last into the queue.
    let environments = store::environments::lock_of_site(&mut tx, site.team_id, site.id).await?;
    for environment in environments.iter().filter(|environment| environment.deleting_at.is_none()) {
        let branch = &environment.branch;
        let Some(Moved { from, to, .. }) = moved.iter().find(|moved| moved.branch == *branch) else { continue };
        let Ok(name) = BranchName::parse(branch) else { continue };
        if hosted::branch_tip(&path, &name).await? != *to {
            continue;
        }
        let Some(to) = to else {
            if !led_to.deleted.contains(branch) {
                led_to.deleted.push(branch.clone());
            }
            continue;
        };
        let (team, id) = (environment.team_id, environment.id);
        if let Some(since) = cut_off
            && store::pushes::was_asked_for(&mut tx, team, id, to.as_str(), since).await?
        {
            continue;
        }
        // Not from where the push found the branch: an earlier one may have been passed over, for this one to deploy.
        let newest = store::deployments::newest_commit(&mut tx, team, id, branch).await?;
        let newest = newest.and_then(|commit| CommitSha::parse(&commit).ok());
        let push = hosted::pushed(&path, &[newest.as_ref(), from.as_ref()], to).await?;
        let told = pushes::Push { skip: push.skip, changed: push.changed.as_deref() };
        if let Some(reason) = pushes::ignored(environment, told) {
            led_to.ignored.push(reason);
            continue;
        }
        if let Some(reason) = quotas::obstacle(platform, &mut tx, team).await? {
            led_to.ignored.push(reason);
            continue;
        }
        let deployment = queue(&mut tx, actor, environment, &push.commit).await?;
        led_to.started.push(Started { deployment, environment: environment.name.clone() });
    }
    tx.commit().await?;
    platform.wake.notify_one();
    Ok(led_to)
}

async fn queue(
    conn: &mut PgConnection,
    actor: &Actor,
    environment: &EnvironmentRow,
    commit: &CheckedOut,
) -> sqlx::Result<DeploymentId> {
    let queued = Queued {
        team: environment.team_id,
        site: environment.site_id,
        environment: environment.id,
        trigger: Trigger::Push,
        triggered_by: actor.user,
        branch: Some(&environment.branch),
        commit: Some(commit.commit.as_str()),
        message: Some(&commit.message),
        author: Some(&commit.author),
        from_release: None,
        variables: None,
        reason: None,
    };
    enqueue(conn, &queued).await
}

#[cfg(test)]
mod tests;

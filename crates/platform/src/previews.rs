//! Previews: a pull or merge request is live at `{slug}-pr-{number}` from when it is opened until it is closed, or
//! nothing is heard of it for a while. Each is an environment of its own, marked as a preview.
//!
//! What comes from a fork is written by strangers: nothing of it is fetched or built until a member approved that
//! commit, and it is given no secret of the site.

mod decide;
mod housekeeping;
mod make;
pub(crate) mod variables;
mod view;
mod webhook;

pub(crate) use housekeeping::{resume, tidy};
pub(crate) use view::{provider, url};
pub(crate) use webhook::look;

use crate::{Platform, Result, access, audit, audit::Entry, environments, quotas};
use decide::{Act, Place};
use make::{carry_out, situation};
use model::{
    Actor, FieldError, Problem, Scope, SiteId,
    deployment::Trigger,
    event::Event,
    names::CommitSha,
    views::{Page, PreviewSettings, PreviewState, PreviewView},
};
use serde::Deserialize;
use serde_json::json;
use sqlx::PgConnection;
use store::{environments::EnvironmentRow, pull_requests::PullRequestRow, sites::SiteRow};
use utoipa::ToSchema;

/// The most previews that a site may want at a time.
pub const MAX_COUNT: i32 = 20;
/// The longest that a site may keep a preview of which nothing is heard, in days.
pub const MAX_IDLE_DAYS: i32 = 90;
/// So many pull requests are shown of a site.
const SHOWN: i64 = 100;

/// What a person sends to change what a site wants of its previews; `None` stays.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PreviewsChange)]
pub struct Change {
    /// Pull requests get previews.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// At most so many at a time.
    #[serde(default)]
    pub max: Option<i32>,
    /// One of which nothing was heard for so many days goes.
    #[serde(default)]
    pub idle_days: Option<i32>,
}

/// What a person sends to let a fork's commit be built.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Its full id, as it was looked at.
    pub commit: String,
}

/// What a site wants of its previews.
pub(crate) fn settings(site: &SiteRow) -> PreviewSettings {
    PreviewSettings { enabled: site.previews_enabled, max: site.previews_max, idle_days: site.previews_idle_days }
}

/// The name of a preview's environment.
pub(crate) fn name(number: i64) -> String {
    format!("pr-{number}")
}

/// Whether an environment's name is one that only previews have.
pub(crate) fn is_reserved(name: &str) -> bool {
    name.strip_prefix("pr-").is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// 409: what is done to a preview is done by its pull request, or on the page “Previews”.
pub(crate) fn is_preview() -> Problem {
    let detail = "This environment is a preview: it follows its pull request. Its variables, and its end, are on the \
                  site's page “Previews”.";
    Problem::conflict("environment_is_preview", detail)
}

/// The pull requests of a site with their previews, those that are open first, at most a hundred.
///
/// # Errors
/// 404 if the caller may not know of the site.
pub async fn list(platform: &Platform, actor: &Actor, site: SiteId) -> Result<Page<PreviewView>> {
    let mut conn = platform.pool.acquire().await?;
    let site = access::site(&mut conn, actor, site).await?;
    let rows = store::pull_requests::list(&mut conn, site.team_id, site.id, SHOWN).await?;
    Ok(Page { items: view::many(platform, &mut conn, &site, rows).await?, next_cursor: None })
}

/// Lets the newest commit of a fork be fetched and built, this one alone, and deploys it.
///
/// # Errors
/// 404, 403, 409 `site_deleting`, `previews_off`, `pull_request_closed`, `no_approval_needed`, `no_preview`,
/// `already_approved`, or `head_moved` if the commit is not the newest any more; 422 for what is no commit.
pub async fn approve(
    platform: &Platform,
    actor: &Actor,
    site: SiteId,
    number: i64,
    approval: Approval,
) -> Result<PreviewView> {
    let commit = CommitSha::parse(&approval.commit).map_err(|e| Problem::invalid("commit", e.code, e.message))?;
    let mut tx = platform.pool.begin().await?;
    store::pull_requests::lock(&mut tx, site).await?;
    let site = access::site_to_change(&mut tx, actor, Scope::Deploy, site).await?;
    let row = find(&mut tx, &site, number).await?;
    let at = situation(&mut tx, &site, number).await?;
    may_approve(&site, &row, commit.as_str(), at.place)?;
    store::pull_requests::approve(&mut tx, site.team_id, (site.id, number), commit.as_str(), actor.user).await?;
    let row = find(&mut tx, &site, number).await?;
    let decision = decide::admitted(&at.of(None));
    if decision.state == Some(PreviewState::Refused) {
        return Err(Problem::conflict("no_preview", decision.reason).into());
    }
    let by = (Trigger::Manual, actor.user);
    if let Some(state) = decision.state {
        store::pull_requests::set_state(&mut tx, site.team_id, (site.id, number), state).await?;
    }
    if matches!(decision.act, Act::Make | Act::Deploy) {
        quotas::may_deploy(platform, &mut tx, site.team_id).await?;
    }
    carry_out(platform, &mut tx, &site, &row, decision.act, by).await?;
    record(&mut tx, actor, "preview.approve", &site, (number, Some(commit.as_str()))).await?;
    tracing::info!(site = %site.id, number, commit = commit.as_str(), user = ?actor.user, "a commit of a fork was approved");
    finish(platform, tx, &site, number).await
}

fn may_approve(site: &SiteRow, row: &PullRequestRow, commit: &str, place: Place) -> Result<(), Problem> {
    let refuse = |code, detail: &str| Err(Problem::conflict(code, detail));
    if !site.previews_enabled {
        return refuse("previews_off", "Previews are turned off for this site; turn them on first.");
    }
    if row.state().is_over() {
        return refuse("pull_request_closed", "This pull request is closed.");
    }
    if !row.from_fork {
        return refuse(
            "no_approval_needed",
            "It comes from the repository itself; its pushes are deployed as they come.",
        );
    }
    let Some(head) = row.head.as_deref().filter(|_| row.state() != PreviewState::Refused) else {
        return refuse("no_preview", "This pull request can have no preview; the site's page “Webhooks” says why.");
    };
    if head != commit {
        let detail = format!("{head} is the newest commit now. Look at what came since, and approve that one.");
        return refuse("head_moved", &detail);
    }
    let is_there = row.state() == PreviewState::Active && place == Place::Ready;
    if row.approved_commit.as_deref() == Some(commit) && is_there {
        return refuse("already_approved", "This commit was approved already; its deployments are on the site's page.");
    }
    Ok(())
}

/// Of a fork nothing is built but the commit that was approved last; what is no preview may be built.
///
/// # Errors
/// 409 `not_approved`.
pub(crate) async fn may_build(
    conn: &mut PgConnection,
    environment: &EnvironmentRow,
    commit: Option<&str>,
) -> Result<()> {
    if !environment.is_preview {
        return Ok(());
    }
    let pull = store::pull_requests::of_environment(conn, environment.team_id, environment.id).await?;
    let is_approved =
        pull.is_some_and(|pull| !pull.from_fork || commit.is_some() && pull.approved_commit.as_deref() == commit);
    if is_approved {
        return Ok(());
    }
    let detail = "This commit comes from a fork, and is not the one that was approved last; approve the newest one on \
                  the site's page “Previews”.";
    Err(Problem::conflict("not_approved", detail).into())
}

/// Removes a pull request's preview with its data, or its place among those that wait; the next push makes it anew.
///
/// # Errors
/// 404, 403, 409 `site_deleting`, or `no_preview` if it has none.
pub async fn remove(platform: &Platform, actor: &Actor, site: SiteId, number: i64) -> Result<PreviewView> {
    let mut tx = platform.pool.begin().await?;
    store::pull_requests::lock(&mut tx, site).await?;
    let site = access::site_to_change(&mut tx, actor, Scope::Deploy, site).await?;
    let row = find(&mut tx, &site, number).await?;
    let at = situation(&mut tx, &site, number).await?;
    if at.place != Place::Ready && !matches!(row.state(), PreviewState::Waiting | PreviewState::Approval) {
        return Err(Problem::conflict("no_preview", "This pull request has no preview that could be removed.").into());
    }
    if at.place == Place::Ready {
        carry_out(platform, &mut tx, &site, &row, Act::Remove, (Trigger::Manual, actor.user)).await?;
    }
    // A fork's author alone does not bring it back.
    store::pull_requests::withdraw_approval(&mut tx, site.team_id, (site.id, number)).await?;
    store::pull_requests::set_state(&mut tx, site.team_id, (site.id, number), PreviewState::Removed).await?;
    record(&mut tx, actor, "preview.remove", &site, (number, None)).await?;
    finish(platform, tx, &site, number).await
}

/// Adds an entry about a pull request's preview to the audit.
async fn record(
    conn: &mut PgConnection,
    actor: &Actor,
    action: &str,
    site: &SiteRow,
    (number, commit): (i64, Option<&str>),
) -> Result<()> {
    let (id, name) = (format!("{}/{number}", site.id), format!("{} #{number}", site.slug));
    let after = json!({ "number": number, "commit": commit });
    audit::record(conn, actor, Entry::new(action, id, &name).of(site.team_id).change(None, after)).await
}

async fn find(conn: &mut PgConnection, site: &SiteRow, number: i64) -> Result<PullRequestRow> {
    let row = store::pull_requests::by_number(conn, site.team_id, site.id, number).await?;
    Ok(row.ok_or_else(|| Problem::not_found("pull request"))?)
}

/// Tells everybody who watches the site, commits, and wakes whoever has something to do now.
async fn finish(
    platform: &Platform,
    mut tx: sqlx::Transaction<'_, sqlx::Postgres>,
    site: &SiteRow,
    number: i64,
) -> Result<PreviewView> {
    announce(&mut tx, site).await?;
    let row = find(&mut tx, site, number).await?;
    let view = view::many(platform, &mut tx, site, vec![row]).await?.pop();
    tx.commit().await?;
    platform.wake.notify_one();
    platform.removals.notify_one();
    Ok(view.ok_or_else(|| anyhow::anyhow!("one pull request has one view"))?)
}

async fn announce(conn: &mut PgConnection, site: &SiteRow) -> sqlx::Result<()> {
    store::events::insert(conn, site.team_id, &Event::Site { id: site.id, status: "changed".into() }).await?;
    store::events::wake_workers(conn).await
}

/// Changes what a site wants of its previews. What is there stays: it goes when its pull request is closed, when
/// nothing is heard of it, or by hand. Answers what it wants now. The caller holds [`store::pull_requests::lock`].
///
/// # Errors
/// 409 `no_pull_requests` for a repository that is kept here, 422 with every field that is wrong.
pub(crate) async fn set(conn: &mut PgConnection, site: &SiteRow, change: Change) -> Result<PreviewSettings> {
    if change.enabled == Some(true) && site.source.0.is_hosted() {
        let detail = "This site's repository is kept here, where there are no pull requests.";
        return Err(Problem::conflict("no_pull_requests", detail).into());
    }
    let before = settings(site);
    let new = PreviewSettings {
        enabled: change.enabled.unwrap_or(before.enabled),
        max: change.max.unwrap_or(before.max),
        idle_days: change.idle_days.unwrap_or(before.idle_days),
    };
    let mut errors = vec![];
    for (field, value, most, words) in [
        ("previews.max", new.max, MAX_COUNT, "A site has 1 to 20 previews at a time."),
        ("previews.idle_days", new.idle_days, MAX_IDLE_DAYS, "A preview is kept for 1 to 90 days."),
    ] {
        if !(1..=most).contains(&value) {
            errors.push(FieldError { field: field.into(), code: "range".into(), message: words.into() });
        }
    }
    if !errors.is_empty() {
        let detail = "Correct the fields that are marked.";
        return Err(Problem { errors, ..Problem::new(422, "invalid_input", detail) }.into());
    }
    store::pull_requests::set_settings(conn, site.team_id, site.id, new).await?;
    Ok(new)
}

/// Another repository has other pull requests: those of the one before are forgotten, and their previews removed.
/// The caller holds [`store::pull_requests::lock`].
pub(crate) async fn leave_repository(conn: &mut PgConnection, site: &SiteRow) -> Result<()> {
    for row in store::environments::of_site(conn, site.team_id, site.id).await? {
        if row.is_preview && row.deleting_at.is_none() {
            environments::mark_deleting(conn, &row, false).await?;
        }
    }
    Ok(store::pull_requests::forget(conn, site.team_id, site.id).await?)
}

#[cfg(test)]
mod tests;

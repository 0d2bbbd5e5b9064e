//! Deployments: asked for, shown, cancelled, repeated.

use crate::{
    Platform, Result, access, audit, audit::Entry, domains, environments, previews, queue, quotas, sites, watch,
};
use forge::webhook::Provider;
use model::{
    Actor, DeploymentId, EnvironmentId, Problem, ReleaseId, Scope, SiteId, TeamId, UserId,
    deployment::{FailureCode, Status, Step, Trigger},
    event::Event,
    names::{CommitSha, EnvironmentName},
    site::Source,
    views::{DeploymentError, DeploymentSummary, DeploymentView, KeptRelease, LogPage, Page, PullRequestView},
};
use serde::Deserialize;
use serde_json::json;
use sqlx::PgConnection;
use store::{
    deployments::DeploymentRow, environments::EnvironmentRow, pull_requests::PullRequestRow, releases::ReleaseRow,
    sites::SiteRow,
};
use utoipa::ToSchema;

/// What a person sends to deploy.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDeployment {
    /// `None`: production.
    #[serde(default)]
    pub environment: Option<String>,
    /// `None`: the newest commit of the environment's branch.
    #[serde(default)]
    pub commit: Option<String>,
}

/// Which variables a release is applied with again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WhichVariables)]
pub enum Variables {
    /// Those that it ran with: it comes back as it was.
    #[default]
    Then,
    /// Those that are saved today: a secret that was changed since stays changed.
    Now,
}

/// What a person sends to roll back.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rollback {
    /// Which variables.
    #[serde(default)]
    pub variables: Variables,
}

/// What a person sends to promote.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Promotion {
    /// Where to.
    pub environment: String,
}

/// What is put into the queue.
#[derive(Debug, Clone)]
pub struct Queued<'a> {
    /// Owner.
    pub team: TeamId,
    /// Site.
    pub site: SiteId,
    /// Where it goes.
    pub environment: EnvironmentId,
    /// What asked for it.
    pub trigger: Trigger,
    /// Who asked for it.
    pub triggered_by: Option<UserId>,
    /// The branch.
    pub branch: Option<&'a str>,
    /// The commit, if known.
    pub commit: Option<&'a str>,
    /// Its message.
    pub message: Option<&'a str>,
    /// Its author.
    pub author: Option<&'a str>,
    /// For a rollback.
    pub from_release: Option<ReleaseId>,
    /// The version of the environment's variables to run with; `None` is the newest when it begins.
    pub variables: Option<i64>,
    /// Why, where the platform itself asks for it.
    pub reason: Option<&'a str>,
}

/// Queues a deployment within the caller's transaction: what of that environment still waits is superseded, the
/// change is announced, and a worker is woken, all when the transaction commits.
///
/// # Errors
/// The database's.
pub async fn enqueue(conn: &mut PgConnection, new: &Queued<'_>) -> sqlx::Result<DeploymentId> {
    let id = DeploymentId::new();
    store::deployments::insert(
        conn,
        &store::deployments::NewDeployment {
            id,
            team: new.team,
            site: new.site,
            environment: new.environment,
            trigger: new.trigger,
            triggered_by: new.triggered_by,
            branch: new.branch,
            commit: new.commit,
            message: new.message,
            author: new.author,
            from_release: new.from_release,
            variables_version: new.variables,
            reason: new.reason,
        },
    )
    .await?;
    for older in store::deployments::supersede_queued(conn, new.team, new.environment, id).await? {
        announce(conn, new.team, new.site, older, Status::Superseded, None).await?;
    }
    announce(conn, new.team, new.site, id, Status::Queued, None).await?;
    store::events::wake_workers(conn).await?;
    Ok(id)
}

/// Tells everybody who watches how a deployment stands.
pub(crate) async fn announce(
    conn: &mut PgConnection,
    team: TeamId,
    site: SiteId,
    id: DeploymentId,
    status: Status,
    step: Option<Step>,
) -> sqlx::Result<()> {
    store::events::insert(conn, team, &Event::Deployment { id, site_id: site, status, step }).await?;
    Ok(())
}

/// The deployments of a site, or of one environment of it, newest first; `limit` ≤ 100.
///
/// # Errors
/// 404 if the caller may not know of the site or there is no such environment; 422 for a cursor that is none.
pub async fn list(
    platform: &Platform,
    actor: &Actor,
    site: SiteId,
    environment: Option<&str>,
    limit: i64,
    cursor: Option<&str>,
) -> Result<Page<DeploymentSummary>> {
    let before = match cursor {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| access::bad_cursor())?),
    };
    let limit = limit.clamp(1, 100);
    let mut conn = platform.pool.acquire().await?;
    let site = access::site(&mut conn, actor, site).await?;
    let environment = match environment {
        Some(name) => Some(access::environment(&mut conn, &site, name).await?.id),
        None => None,
    };
    let mut rows = store::deployments::list(&mut conn, site.team_id, site.id, environment, before, limit + 1).await?;
    let more = rows.len() > usize::try_from(limit).unwrap_or(100);
    if more {
        rows.pop();
    }
    let next_cursor = rows.last().filter(|_| more).map(|row| row.number.to_string());
    Ok(Page { items: rows.iter().map(summary).collect(), next_cursor })
}

/// One deployment.
///
/// # Errors
/// 404 if the caller may not know of it.
pub async fn get(platform: &Platform, actor: &Actor, id: DeploymentId) -> Result<DeploymentView> {
    let mut conn = platform.pool.acquire().await?;
    let row = access::deployment(&mut conn, actor, id).await?;
    view(platform, &mut conn, actor, row).await
}

/// Queues a deployment; older ones of that environment that still wait are superseded.
///
/// # Errors
/// 404, 403, 409 `site_deleting`, `environment_deleting`, `environment_paused` or `environment_is_preview`, 422 for a
/// commit or environment that is none; 403 `quota_exceeded`.
pub async fn create(platform: &Platform, actor: &Actor, site: SiteId, new: NewDeployment) -> Result<DeploymentView> {
    let environment = new.environment.as_deref().unwrap_or("production");
    let environment =
        EnvironmentName::parse(environment).map_err(|e| Problem::invalid("environment", e.code, e.message))?;
    let commit = new
        .commit
        .as_deref()
        .map(CommitSha::parse)
        .transpose()
        .map_err(|e| Problem::invalid("commit", e.code, e.message))?;

    let mut tx = platform.pool.begin().await?;
    let site = access::site_to_change(&mut tx, actor, Scope::Deploy, site).await?;
    let environment = store::environments::lock_by_name(&mut tx, site.team_id, site.id, environment.as_str())
        .await?
        .ok_or_else(|| no_environment(&environment))?;
    environments::may_deploy(&environment)?;
    if environment.is_preview {
        return Err(previews::is_preview().into());
    }
    quotas::may_deploy(platform, &mut tx, site.team_id).await?;
    let id = enqueue(
        &mut tx,
        &Queued {
            team: site.team_id,
            site: site.id,
            environment: environment.id,
            trigger: Trigger::Manual,
            triggered_by: actor.user,
            branch: Some(&environment.branch),
            commit: commit.as_ref().map(AsRef::as_ref),
            message: None,
            author: None,
            from_release: None,
            variables: None,
            reason: None,
        },
    )
    .await?;
    commit_and_show(platform, actor, tx, id, ("deployment.create", None)).await
}

/// Ends a deployment that has not begun to switch.
///
/// # Errors
/// 404, 403, 409 `not_cancellable`, or `already_cancelling` if somebody was faster.
pub async fn cancel(platform: &Platform, actor: &Actor, id: DeploymentId) -> Result<DeploymentView> {
    let mut tx = platform.pool.begin().await?;
    let row = access::deployment_to_change(&mut tx, actor, id).await?;
    if store::deployments::cancel_queued(&mut tx, row.team_id, id).await? {
        announce(&mut tx, row.team_id, row.site_id, id, Status::Cancelled, None).await?;
    } else if store::deployments::request_cancel(&mut tx, row.team_id, id).await? {
        store::events::wake_workers(&mut tx).await?;
    } else {
        let status = access::deployment(&mut tx, actor, id).await?.status();
        let problem = if status.is_cancellable() {
            Problem::conflict("already_cancelling", "This deployment is being cancelled already.")
        } else {
            let detail = format!("This deployment is {status} and can no longer be cancelled.");
            Problem::conflict("not_cancellable", detail)
        };
        return Err(problem.into());
    }
    commit_and_show(platform, actor, tx, id, ("deployment.cancel", None)).await
}

/// Deploys the same commit again.
///
/// # Errors
/// 404, 403 (`quota_exceeded` among them), 409 `already_under_way` while this commit is being deployed, `site_deleting`,
/// `environment_deleting`, `environment_paused`, or `not_approved` for a commit of a fork that is not the one approved last. Where the first attempt never learnt its commit, the branch's newest is taken.
pub async fn redeploy(platform: &Platform, actor: &Actor, id: DeploymentId) -> Result<DeploymentView> {
    let mut tx = platform.pool.begin().await?;
    let row = access::deployment_to_change(&mut tx, actor, id).await?;
    // A preview's pull request may be closed, or move on, just now.
    store::pull_requests::lock(&mut tx, row.site_id).await?;
    let environment = access::environment_of(&mut tx, &row).await?;
    environments::may_deploy(&environment)?;
    previews::may_build(&mut tx, &environment, row.commit_sha.as_deref()).await?;
    if store::deployments::is_building(&mut tx, row.team_id, environment.id, row.commit_sha.as_deref()).await? {
        return Err(already_under_way(&environment).into());
    }
    quotas::may_deploy(platform, &mut tx, row.team_id).await?;
    let new = enqueue(
        &mut tx,
        &Queued {
            team: row.team_id,
            site: row.site_id,
            environment: row.environment_id,
            trigger: Trigger::Manual,
            triggered_by: actor.user,
            branch: row.branch.as_deref(),
            commit: row.commit_sha.as_deref(),
            message: row.commit_message.as_deref(),
            author: row.commit_author.as_deref(),
            from_release: None,
            variables: None,
            reason: None,
        },
    )
    .await?;
    commit_and_show(platform, actor, tx, new, ("deployment.redeploy", Some(row.number))).await
}

/// Applies the release of this deployment again, without a build. Of the release that serves now only its variables
/// can be other ones.
///
/// # Errors
/// 404, 403, 409 `release_gone` if it is no longer kept, `already_current`, `already_under_way`, `site_deleting`,
/// `environment_deleting`.
pub async fn rollback(platform: &Platform, actor: &Actor, id: DeploymentId, how: Rollback) -> Result<DeploymentView> {
    let mut tx = platform.pool.begin().await?;
    let row = access::deployment_to_change(&mut tx, actor, id).await?;
    store::pull_requests::lock(&mut tx, row.site_id).await?;
    let environment = access::environment_of(&mut tx, &row).await?;
    let release = kept_release(&mut tx, &row).await?;
    let variables = match how.variables {
        Variables::Then => release.variables_version,
        Variables::Now => environment.variables_version,
    };
    if row.is_current && variables == release.variables_version {
        return Err(Problem::conflict("already_current", "This release is the one that serves now.").into());
    }
    let trigger = if row.is_current { Trigger::Manual } else { Trigger::Rollback };
    apply(platform, actor, tx, (&row, &release), &environment, trigger, variables).await
}

/// Applies the release of this deployment in another environment of its site, without a build: the same images, with
/// the other environment's own variables, secrets, names, network, volumes and database.
///
/// # Errors
/// 404, 403, 409 `release_gone`, `same_environment`, `environment_paused`, `environment_deleting`,
/// `environment_is_preview` (a preview goes elsewhere by being merged), `already_under_way` or `site_deleting`; 422 for
/// an environment that there is not.
pub async fn promote(platform: &Platform, actor: &Actor, id: DeploymentId, to: Promotion) -> Result<DeploymentView> {
    let mut tx = platform.pool.begin().await?;
    let row = access::deployment_to_change(&mut tx, actor, id).await?;
    let own = access::environment_of(&mut tx, &row).await?;
    let target = environment_named(&mut tx, &row, &to.environment).await?;
    if target.id == row.environment_id {
        let detail = format!("This release is one of {} already; roll back to it instead.", target.name);
        return Err(Problem::conflict("same_environment", detail).into());
    }
    environments::may_deploy(&target)?;
    if own.is_preview || target.is_preview {
        return Err(previews::is_preview().into());
    }
    let release = kept_release(&mut tx, &row).await?;
    let variables = target.variables_version;
    apply(platform, actor, tx, (&row, &release), &target, Trigger::Promote, variables).await
}

/// Queues a release to be applied.
async fn apply(
    platform: &Platform,
    actor: &Actor,
    mut tx: sqlx::Transaction<'_, sqlx::Postgres>,
    (row, release): (&DeploymentRow, &ReleaseRow),
    environment: &EnvironmentRow,
    trigger: Trigger,
    variables: i64,
) -> Result<DeploymentView> {
    let (team, variables) = (row.team_id, Some(variables));
    if store::deployments::is_applying(&mut tx, team, environment.id, release.id, variables).await? {
        return Err(already_under_way(environment).into());
    }
    let new = enqueue(
        &mut tx,
        &Queued {
            team,
            site: row.site_id,
            environment: environment.id,
            trigger,
            triggered_by: actor.user,
            branch: row.branch.as_deref(),
            commit: row.commit_sha.as_deref(),
            message: row.commit_message.as_deref(),
            author: row.commit_author.as_deref(),
            from_release: Some(release.id),
            variables,
            reason: None,
        },
    )
    .await?;
    let action = if trigger == Trigger::Promote { "deployment.promote" } else { "deployment.rollback" };
    commit_and_show(platform, actor, tx, new, (action, Some(row.number))).await
}

fn already_under_way(environment: &EnvironmentRow) -> Problem {
    let detail = format!("This is under way already: see the deployments of {}.", environment.name);
    Problem::conflict("already_under_way", detail)
}

async fn kept_release(conn: &mut PgConnection, row: &DeploymentRow) -> Result<ReleaseRow> {
    let kept = store::releases::of_deployment(conn, row.team_id, row.id).await?;
    Ok(kept.ok_or_else(|| {
        Problem::conflict(
            "release_gone",
            "This deployment left no release that is still kept; redeploy its commit instead.",
        )
    })?)
}

/// The environment of this name, beside that of a deployment, held until the transaction ends.
async fn environment_named(conn: &mut PgConnection, row: &DeploymentRow, name: &str) -> Result<EnvironmentRow> {
    let name = EnvironmentName::parse(name).map_err(|e| Problem::invalid("environment", e.code, e.message))?;
    let found = store::environments::lock_by_name(conn, row.team_id, row.site_id, name.as_str()).await?;
    Ok(found.ok_or_else(|| no_environment(&name))?)
}

fn no_environment(name: &EnvironmentName) -> Problem {
    Problem::invalid("environment", "not_found", format!("This site has no environment “{name}”."))
}

/// Lines after `after`, at most `limit` (≤ 5,000).
///
/// # Errors
/// 404 if the caller may not know of the deployment.
pub async fn log(platform: &Platform, actor: &Actor, id: DeploymentId, after: i64, limit: i64) -> Result<LogPage> {
    let mut conn = platform.pool.acquire().await?;
    let row = access::deployment(&mut conn, actor, id).await?;
    let items = store::logs::after(&mut conn, row.team_id, id, after, limit.clamp(1, 5_000)).await?;
    let last = items.last().map_or(after, |line| line.seq);
    let removed_at = if items.is_empty() { store::logs::removed_at(&mut conn, row.team_id, id).await? } else { None };
    Ok(LogPage { complete: row.status().is_final() && last >= row.log_lines, items, removed_at })
}

/// Adds what was done to the audit (and the number of the deployment whose commit or release was taken again), commits,
/// and wakes a worker.
async fn commit_and_show(
    platform: &Platform,
    actor: &Actor,
    mut tx: sqlx::Transaction<'_, sqlx::Postgres>,
    id: DeploymentId,
    (action, from): (&str, Option<i64>),
) -> Result<DeploymentView> {
    let row = access::deployment(&mut tx, actor, id).await?;
    let team = row.team_id;
    let after = json!({ "environment": row.environment, "commit": row.commit_sha, "from": from });
    let view = view(platform, &mut tx, actor, row).await?;
    let name = format!("{} #{}", view.site_slug, view.summary.number);
    audit::record(&mut tx, actor, Entry::new(action, id, &name).of(team).change(None, after)).await?;
    tx.commit().await?;
    platform.wake.notify_one();
    Ok(view)
}

pub(crate) fn summary(row: &DeploymentRow) -> DeploymentSummary {
    DeploymentSummary {
        id: row.id,
        site_id: row.site_id,
        number: row.number,
        environment: row.environment.clone(),
        status: row.status(),
        trigger: row.trigger(),
        commit: row.commit_sha.clone(),
        message: row.commit_message.as_deref().and_then(|m| m.lines().next()).map(str::to_owned),
        author: row.commit_author.clone(),
        branch: row.branch.clone(),
        is_current: row.is_current,
        created_at: row.created_at,
        started_at: row.started_at,
        finished_at: row.finished_at,
    }
}

async fn view(
    platform: &Platform,
    conn: &mut PgConnection,
    actor: &Actor,
    row: DeploymentRow,
) -> Result<DeploymentView> {
    let site = access::site(conn, actor, row.site_id).await?;
    let steps = store::queue::steps(conn, row.team_id, row.id).await?;
    let watch = store::watches::of_deployment(conn, row.team_id, row.id).await?.map(watch::view);
    let place = match row.status() {
        Status::Queued => queue::place(platform, conn, row.id).await?,
        _ => None,
    };
    let (queue_position, waits_for) = place.map(|place| (place.position, place.waits_for)).unzip();
    let error = row.error_code.as_deref().map(|code| DeploymentError {
        code: code.to_owned(),
        step: row.error_step.as_deref().and_then(Step::from_word),
        service: row.error_service.clone(),
        message: row.error_message.clone().unwrap_or_default(),
        remedy: FailureCode::from_word(code).unwrap_or(FailureCode::Internal).remedy().to_owned(),
    });
    let pull = store::pull_requests::of_environment(conn, row.team_id, row.environment_id).await?;
    let url = domains::urls(platform, conn, row.team_id, &[row.environment_id]).await?.remove(&row.environment_id);
    let own = || platform.settings.site_url(&sites::host(platform, &site.slug, &row.environment));
    let url = url.unwrap_or_else(own);
    Ok(DeploymentView {
        commit_url: commit_url(conn, &site, pull.as_ref(), row.commit_sha.as_deref()).await?,
        pull_request: pull.map(|pull| PullRequestView {
            url: previews::url(&site, &pull),
            number: pull.number,
            title: pull.title,
        }),
        release: kept(conn, &row).await?,
        summary: summary(&row),
        reason: row.reason.clone(),
        steps,
        error,
        watch,
        queue_position,
        waits_for,
        url,
        may_write: access::may(actor, Scope::Deploy, site.team_id).is_ok(),
        site_name: site.name,
        site_slug: site.slug,
    })
}

/// Where a commit is on the forge; which forge it is was told by the site's webhooks, or its address makes it likely.
async fn commit_url(
    conn: &mut PgConnection,
    site: &SiteRow,
    pull: Option<&PullRequestRow>,
    commit: Option<&str>,
) -> Result<Option<String>> {
    let (Source::Git { url, .. }, Some(commit)) = (&site.source.0, commit) else { return Ok(None) };
    let provider = if let Some(pull) = pull {
        Some(previews::provider(pull))
    } else {
        let told = store::deliveries::newest_provider(conn, site.team_id, site.id).await?;
        told.as_deref().and_then(Provider::from_word)
    };
    let provider = provider.unwrap_or_else(|| forge::links::likely_provider(url.as_str()));
    Ok(forge::links::commit(provider, url.as_str(), commit))
}

/// What can be done with the release that a deployment left, if it is kept.
async fn kept(conn: &mut PgConnection, row: &DeploymentRow) -> Result<Option<KeptRelease>> {
    if row.status() != Status::Live {
        return Ok(None);
    }
    let Some(release) = store::releases::of_deployment(conn, row.team_id, row.id).await? else { return Ok(None) };
    let (own, others): (Vec<_>, Vec<_>) = store::environments::of_site(conn, row.team_id, row.site_id)
        .await?
        .into_iter()
        .partition(|environment| environment.id == row.environment_id);
    let is_preview = own.first().is_some_and(|environment| environment.is_preview);
    let open = others
        .into_iter()
        .filter(|environment| !is_preview && !environment.is_preview && environments::may_deploy(environment).is_ok());
    Ok(Some(KeptRelease {
        variables_version: release.variables_version,
        saved_variables_version: own.first().map_or(0, |environment| environment.variables_version),
        promotable_to: open.map(|environment| environment.name).collect(),
    }))
}

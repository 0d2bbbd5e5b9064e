//! Webhooks: a push that a forge announces becomes a deployment, once, and whatever else comes is answered with the
//! reason why nothing was done.

mod sender;

use crate::{Error, Platform, Result, access, deployments, deployments::Queued, pushes};
use bytes::Bytes;
use forge::webhook::{Payload, Push, RefChange, RefKind, headers_to_keep, parse};
use http::HeaderMap;
use model::{
    Actor, DeliveryId, DeploymentId, Problem, SiteId,
    deployment::Trigger,
    views::{DeliveryView, Page},
};
use serde::Serialize;
use store::{deliveries::DeliveryRow, environments::EnvironmentRow, sites::SiteRow};

/// The longest body, in bytes: GitHub sends none that is longer (its documentation, “Webhook payload cap”).
pub const BODY_MAX: usize = 25 * 1024 * 1024;

/// What came of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A deployment was queued.
    Queued,
    /// Nothing was to be done.
    Ignored,
    /// It was received before; nothing was done again.
    Duplicate,
}

impl Outcome {
    /// The word used in the database and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Ignored => "ignored",
            Self::Duplicate => "duplicate",
        }
    }
}

/// The answer to a webhook that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Received {
    /// 202, or 200 for a trial.
    #[serde(skip)]
    pub status: u16,
    /// Ours, of the first time it was received.
    pub delivery_id: DeliveryId,
    /// What came of it.
    pub outcome: Outcome,
    /// Why, in plain words.
    pub reason: String,
    /// What it started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment_id: Option<DeploymentId>,
}

/// Takes a webhook. With `site` it was sent to that site's own address, else the site is found by the repository.
///
/// The delivery, the deployment and what is announced of them are one transaction; a worker is woken when it commits.
///
/// # Errors
/// 401 `bad_signature` for a wrong or missing signature and for an unknown site alike; 400 `unreadable` for a body that
/// is no webhook; 413 `too_large`.
pub async fn receive(platform: &Platform, site: Option<SiteId>, headers: &HeaderMap, body: Bytes) -> Result<Received> {
    if body.len() > BODY_MAX {
        return Err(Problem::new(413, "too_large", "A webhook has at most 25 MB.").into());
    }
    let (provider, site) = sender::establish(platform, site, headers, &body).await?;
    let payload = parse(provider, headers, &body).map_err(|e| {
        tracing::warn!(site = %site.id, reason = %e, "a signed webhook cannot be read");
        unreadable(&e)
    })?;
    let mut tx = platform.pool.begin().await?;
    let mut environments = store::environments::of_site(&mut tx, site.team_id, site.id).await?;
    environments.retain(|environment| environment.deleting_at.is_none());
    let decision = decide(&payload, &environments);
    let key = provider.delivery_key(headers, &body);
    let id = DeliveryId::new();
    let outcome = if decision.deploy.is_empty() { Outcome::Ignored } else { Outcome::Queued };
    let new = store::deliveries::NewDelivery {
        id,
        team: site.team_id,
        site: site.id,
        provider: provider.as_str(),
        key: &key,
        event: provider.event(headers),
        headers: &headers_to_keep(headers),
        body: &body,
        outcome: outcome.as_str(),
        reason: &decision.reason,
    };
    if !store::deliveries::insert(&mut tx, &new).await? {
        let first = store::deliveries::by_key(&mut tx, site.team_id, site.id, provider.as_str(), &key).await?;
        return Ok(duplicate(&first.ok_or_else(|| anyhow::anyhow!("a delivery vanished while it was read"))?));
    }
    let mut deployment_id = None;
    for (environment, change) in &decision.deploy {
        let deployment = queue(platform, &mut tx, &site, environment, change).await?;
        if deployment_id.is_none() {
            store::deliveries::set_deployment(&mut tx, site.team_id, id, deployment).await?;
            deployment_id = Some(deployment);
        }
    }
    tx.commit().await?;
    if deployment_id.is_some() {
        platform.wake.notify_one();
    }
    let status = if payload == Payload::Ping { 200 } else { 202 };
    Ok(Received { status, delivery_id: id, outcome, reason: decision.reason, deployment_id })
}

/// The deliveries of a site, newest first; `limit` ≤ 100.
///
/// # Errors
/// 404 if the caller may not know of the site; 422 for a cursor that is none.
pub async fn list(
    platform: &Platform,
    actor: &Actor,
    site: SiteId,
    limit: i64,
    cursor: Option<&str>,
) -> Result<Page<DeliveryView>> {
    let before = cursor.map(str::parse).transpose().map_err(|_| access::bad_cursor())?;
    let limit = limit.clamp(1, 100);
    let mut conn = platform.pool.acquire().await?;
    let site = access::site(&mut conn, actor, site).await?;
    let mut rows = store::deliveries::list(&mut conn, site.team_id, site.id, before, limit + 1).await?;
    let more = rows.len() > usize::try_from(limit).unwrap_or(100);
    rows.truncate(usize::try_from(limit).unwrap_or(100));
    let next_cursor = rows.last().filter(|_| more).map(|row| row.id.to_string());
    Ok(Page { items: rows.into_iter().map(view).collect(), next_cursor })
}

fn view(row: DeliveryRow) -> DeliveryView {
    DeliveryView {
        id: row.id,
        site_id: row.site_id,
        provider: row.provider,
        event: row.event,
        outcome: row.outcome,
        reason: row.reason,
        deployment_id: row.deployment_id,
        received_at: row.received_at,
    }
}

pub(crate) fn unreadable(error: &forge::webhook::Unreadable) -> Error {
    let detail = format!("{error}. Send the forge's own JSON, unchanged.");
    Problem::new(400, "unreadable", detail.replace(['\n', '\r'], " ")).into()
}

fn duplicate(first: &DeliveryRow) -> Received {
    Received {
        status: 202,
        delivery_id: first.id,
        outcome: Outcome::Duplicate,
        reason: format!("This delivery was received before. Then: {}", first.reason),
        deployment_id: first.deployment_id,
    }
}

/// What is to be deployed, and the whole in plain words.
struct Decision<'a> {
    deploy: Vec<(&'a EnvironmentRow, &'a RefChange)>,
    reason: String,
}

fn decide<'a>(payload: &'a Payload, environments: &'a [EnvironmentRow]) -> Decision<'a> {
    let ignored = |reason: String| Decision { deploy: Vec::new(), reason };
    match payload {
        Payload::Ping => ignored("The webhook works; the next push will be deployed.".into()),
        Payload::PullRequest(pull) => {
            ignored(format!("Pull request {} is not deployed; pushes to an environment's branch are.", pull.number))
        }
        Payload::Other(event) => ignored(format!("The event “{event}” is no push; nothing is to be deployed.")),
        Payload::Push(push) => decide_push(push, environments),
    }
}

fn decide_push<'a>(push: &'a Push, environments: &'a [EnvironmentRow]) -> Decision<'a> {
    let mut deploy = Vec::new();
    let (mut reasons, mut held_back) = (Vec::new(), Vec::new());
    for change in &push.changes {
        let name = &change.name;
        let mut bound = environments.iter().filter(|environment| environment.branch == *name).peekable();
        match change.kind {
            RefKind::Branch if change.deleted => {
                reasons.push(format!("The branch “{name}” was deleted; what serves stays as it is."));
            }
            RefKind::Branch if bound.peek().is_some() => {
                let push = pushes::Push { skip: change.skip, changed: change.changed.as_deref() };
                for environment in bound {
                    match pushes::ignored(environment, push) {
                        Some(reason) => held_back.push(reason),
                        None => deploy.push((environment, change)),
                    }
                }
            }
            RefKind::Branch => {
                let branches: Vec<String> =
                    environments.iter().map(|e| format!("“{}” ({})", e.branch, e.name)).collect();
                let branches = branches.join(", ");
                reasons.push(format!("The branch “{name}” is not deployed; this site deploys {branches}."));
            }
            RefKind::Tag => reasons.push(format!("“{name}” is a tag; only branches are deployed.")),
            RefKind::Other => reasons.push(format!("“{name}” is not a branch; only branches are deployed.")),
        }
    }
    if !deploy.is_empty() {
        let names: Vec<String> = deploy
            .iter()
            .map(|(environment, change)| format!("the branch “{}” to {}", change.name, environment.name))
            .collect();
        reasons = vec![format!("Deploying {}.", names.join(", "))];
    } else if reasons.is_empty() && held_back.is_empty() {
        reasons.push("The push moved nothing.".into());
    }
    reasons.append(&mut held_back);
    Decision { deploy, reason: reasons.join(" ") }
}

async fn queue(
    platform: &Platform,
    conn: &mut sqlx::PgConnection,
    site: &SiteRow,
    environment: &EnvironmentRow,
    change: &RefChange,
) -> Result<DeploymentId> {
    // A repository that the platform keeps may be announced by a mirror elsewhere, whose commits it does not have; what
    // is deployed then is what the platform has.
    let is_known = match (&change.commit, site.source.0.is_hosted()) {
        (Some(commit), true) => forge::hosted::commit_info_of(&platform.repository(site.id), commit).await.is_ok(),
        (commit, _) => commit.is_some(),
    };
    let known = Some(change).filter(|_| is_known);
    let queued = Queued {
        team: site.team_id,
        site: site.id,
        environment: environment.id,
        trigger: Trigger::Webhook,
        triggered_by: None,
        branch: Some(&environment.branch),
        commit: known.and_then(|change| change.commit.as_ref()).map(AsRef::as_ref),
        message: known.and_then(|change| change.message.as_deref()),
        author: known.and_then(|change| change.author.as_deref()),
        from_release: None,
        variables: None,
        reason: None,
    };
    Ok(deployments::enqueue(conn, &queued).await?)
}

#[cfg(test)]
mod tests;

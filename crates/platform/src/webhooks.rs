//! Webhooks: a push that a forge announces becomes a deployment, once, and whatever else comes is answered with the
//! reason why nothing was done. All of it stays in the site's inbox for a while.

mod decide;
mod inbox;
mod refusals;
mod secret;
mod sender;

pub use inbox::{get, list, replay};
pub use secret::{Rotation, revoke_old_secret, rotate_secret};
pub(crate) use secret::{old_secret, view};

use self::sender::Sender;
use crate::{Error, Platform, Result, deployments, deployments::Queued, previews, quotas};
use bytes::Bytes;
use forge::webhook::{Payload, Provider, RefChange, Unreadable, headers_to_keep, parse};
use http::HeaderMap;
use model::{
    DeliveryId, DeploymentId, Problem, SiteId, UserId,
    deployment::Trigger,
    views::{Outcome, SignedWith},
};
use serde::Serialize;
use sqlx::PgConnection;
use std::collections::BTreeMap;
use store::{deliveries::DeliveryRow, environments::EnvironmentRow, sites::SiteRow};
use utoipa::ToSchema;

/// The longest body, in bytes: GitHub sends none that is longer (its documentation, “Webhook payload cap”).
pub const BODY_MAX: usize = 25 * 1024 * 1024;

/// The answer to a webhook that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ReceivedWebhook)]
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
    /// The delivery that was replayed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replay_of: Option<DeliveryId>,
    /// What somebody should see to, though it worked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
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
    let sender = sender::establish(platform, site, headers, &body).await;
    if let (Some(site), Err(Error::Problem(Problem { status: 401, .. }))) = (site, &sender) {
        refusals::note(platform, site, headers);
    }
    let Sender { provider, site, signed_with } = sender?;
    let warning = (signed_with == SignedWith::OldSecret).then(|| old_secret_used(&site));
    let received = of_site(platform, &site, provider, signed_with, headers, &body).await?;
    Ok(Received { warning, ..received })
}

/// Takes a webhook of the GitHub App's for one of the sites that it means; its signature was checked.
///
/// # Errors
/// 400 `unreadable` for a body that is no webhook.
pub(crate) async fn deliver(
    platform: &Platform,
    site: &SiteRow,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Received> {
    of_site(platform, site, Provider::GitHub, SignedWith::Secret, headers, body).await
}

/// Takes a webhook that is known to be for this site, which may go to another team meanwhile: then it is taken for that one.
async fn of_site(
    platform: &Platform,
    site: &SiteRow,
    provider: Provider,
    signed_with: SignedWith,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Received> {
    match of_site_and_team(platform, site, provider, signed_with, headers, body).await {
        Err(error) if error.has_moved() => {
            let now = store::sites::for_webhook(&mut *platform.pool.acquire().await?, site.id).await?;
            let now = now.ok_or_else(|| Problem::not_found("site"))?;
            of_site_and_team(platform, &now, provider, signed_with, headers, body).await
        }
        taken => taken,
    }
}

async fn of_site_and_team(
    platform: &Platform,
    site: &SiteRow,
    provider: Provider,
    signed_with: SignedWith,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Received> {
    let read = parse(provider, headers, body);
    let own_key = provider.delivery_key(headers, body);
    let new = New {
        provider,
        // What could not be read is no first time: it is read anew when it is sent again.
        key: if read.is_ok() { own_key } else { format!("unreadable:{own_key}") },
        event: provider.event(headers),
        headers: &headers_to_keep(headers),
        body,
        signed_with: Some(signed_with),
        replay: None,
    };
    let mut tx = platform.pool.begin().await?;
    let received = if let Some(received) = take(platform, &mut tx, site, &new, &read).await? {
        received
    } else {
        let word = provider.as_str();
        let first = store::deliveries::count_again(&mut tx, site.team_id, site.id, word, &new.key).await?;
        duplicate(&first.ok_or_else(|| anyhow::anyhow!("a delivery vanished while it was read"))?)
    };
    tx.commit().await?;
    if received.outcome == Outcome::Queued {
        platform.wake.notify_one();
    }
    if matches!(read, Ok(Payload::PullRequest(_))) {
        platform.removals.notify_one();
    }
    let payload = read.map_err(|error| {
        tracing::warn!(site = %site.id, reason = %error, "a signed webhook cannot be read");
        unreadable(&error)
    })?;
    let status = if payload == Payload::Ping { 200 } else { 202 };
    Ok(Received { status, ..received })
}

/// A delivery to be taken.
struct New<'a> {
    provider: Provider,
    key: String,
    event: &'a str,
    headers: &'a BTreeMap<String, String>,
    body: &'a [u8],
    signed_with: Option<SignedWith>,
    /// What it replays, and who wants that.
    replay: Option<(DeliveryId, Option<UserId>)>,
}

/// Stores a delivery with what came of it, and queues what it deploys; `None` if it was received before.
async fn take(
    platform: &Platform,
    conn: &mut PgConnection,
    site: &SiteRow,
    new: &New<'_>,
    read: &Result<Payload, Unreadable>,
) -> Result<Option<Received>> {
    let mut environments = store::environments::of_site(conn, site.team_id, site.id).await?;
    // A preview follows its pull request: a push to its branch beside that event is not deployed twice.
    environments.retain(|environment| environment.deleting_at.is_none() && !environment.is_preview);
    let preview = match read {
        Ok(Payload::PullRequest(pull)) => Some(previews::look(conn, site, new.provider, pull).await?),
        _ => None,
    };
    let (outcome, deploy, reason) = match (read, &preview) {
        (Err(error), _) => (Outcome::Unreadable, vec![], told(error)),
        (Ok(_), Some(decided)) => {
            let outcome = if decided.is_deployed() { Outcome::Queued } else { Outcome::Ignored };
            (outcome, vec![], decided.reason().to_owned())
        }
        (Ok(payload), None) => {
            let decision = decide::decide(payload, &environments);
            let outcome = if decision.deploy.is_empty() { Outcome::Ignored } else { Outcome::Queued };
            (outcome, decision.deploy, decision.reason)
        }
    };
    let (outcome, deploy, reason, preview) = match outcome {
        Outcome::Queued => match quotas::obstacle(platform, conn, site.team_id).await? {
            Some(obstacle) => (Outcome::Ignored, vec![], obstacle, None),
            None => (outcome, deploy, reason, preview),
        },
        _ => (outcome, deploy, reason, preview),
    };
    let id = DeliveryId::new();
    let row = store::deliveries::NewDelivery {
        id,
        team: site.team_id,
        site: site.id,
        provider: new.provider.as_str(),
        key: &new.key,
        event: new.event,
        headers: new.headers,
        body: new.body,
        outcome: outcome.as_str(),
        reason: &reason,
        signed_with: new.signed_with.map(SignedWith::as_str),
        replay_of: new.replay.map(|(of, _)| of),
        replayed_by: new.replay.and_then(|(_, by)| by),
    };
    if !store::deliveries::insert(conn, &row).await? {
        return Ok(None);
    }
    let (by, replay_of) = (row.replayed_by, row.replay_of);
    let mut deployment_id = match preview {
        Some(decided) => decided.carry_out(platform, conn, site, by).await?,
        None => None,
    };
    let (mut outcome, mut reason) = (outcome, reason);
    if let Some(deployment) = deployment_id {
        store::deliveries::set_deployment(conn, site.team_id, id, deployment).await?;
    } else if deploy.is_empty() && outcome == Outcome::Queued {
        outcome = Outcome::Ignored;
        reason.push_str(" No network of this machine's pool is free: it waits, and is made once there is one.");
        store::deliveries::set_outcome(conn, site.team_id, id, outcome.as_str(), &reason).await?;
    }
    for (environment, change) in deploy {
        let deployment = queue(platform, conn, site, environment, change, by).await?;
        if deployment_id.is_none() {
            store::deliveries::set_deployment(conn, site.team_id, id, deployment).await?;
            deployment_id = Some(deployment);
        }
    }
    Ok(Some(Received { status: 202, delivery_id: id, outcome, reason, deployment_id, replay_of, warning: None }))
}

/// What whoever looks at the forge's side of it is told: the forge still has the old secret.
fn old_secret_used(site: &SiteRow) -> String {
    tracing::warn!(site = %site.id, "a webhook was signed with the old secret");
    let until = site.old_webhook_secret_until.map_or_else(String::new, |until| {
        let (date, hour, minute) = (until.date(), until.hour(), until.minute());
        format!(" until {date} {hour:02}:{minute:02} UTC")
    });
    format!("It was signed with the old secret, which works{until}. Enter the new one in the forge's settings.")
}

fn told(error: &Unreadable) -> String {
    format!("{error}. Send the forge's own JSON, unchanged.").replace(['\n', '\r'], " ")
}

fn unreadable(error: &Unreadable) -> Error {
    Problem::new(400, "unreadable", told(error)).into()
}

fn duplicate(first: &DeliveryRow) -> Received {
    Received {
        status: 202,
        delivery_id: first.id,
        outcome: Outcome::Duplicate,
        reason: format!(
            "This delivery was received before; replay it on the site's page “Webhooks” to have it decided anew. Then: {}",
            first.reason
        ),
        deployment_id: first.deployment_id,
        replay_of: None,
        warning: None,
    }
}

async fn queue(
    platform: &Platform,
    conn: &mut PgConnection,
    site: &SiteRow,
    environment: &EnvironmentRow,
    change: &RefChange,
    by: Option<UserId>,
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
        triggered_by: by,
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

//! What a forge tells of a pull request.

use super::{
    announce,
    decide::{self, Act, Decision, Situation},
    make::{carry_out, situation},
};
use crate::{Platform, Result};
use forge::webhook::{Provider, PullRequest, RepositoryKey};
use model::{DeploymentId, UserId, deployment::Trigger, site::Source};
use sqlx::PgConnection;
use store::{pull_requests::Told, sites::SiteRow};

/// What is to be done about an event of a pull request.
pub(crate) struct Decided<'a> {
    decision: Decision,
    number: i64,
    provider: Provider,
    pull: &'a PullRequest,
}

/// Decides what an event means. Until the transaction ends nobody else decides about the site's previews.
pub(crate) async fn look<'a>(
    conn: &mut PgConnection,
    site: &SiteRow,
    provider: Provider,
    pull: &'a PullRequest,
) -> Result<Decided<'a>> {
    store::pull_requests::lock(conn, site.id).await?;
    // No forge counts further.
    let number = i64::try_from(pull.number).unwrap_or(i64::MAX);
    // As it is now: it may have been changed while this was waited for.
    let now = store::sites::by_id(conn, &[site.team_id], site.id).await?;
    let Some(site) = now.filter(|site| site.deleting_at.is_none()) else {
        return Ok(Decided { decision: decide::going(pull), number, provider, pull });
    };
    let site = &site;
    let known = store::pull_requests::by_number(conn, site.team_id, site.id, number).await?;
    let at = situation(conn, site, number).await?;
    let at = Situation { is_elsewhere: is_elsewhere(site, pull), ..at.of(known.as_ref()) };
    let decision = decide::decide(pull, provider, &at);
    Ok(Decided { decision, number, provider, pull })
}

/// A webhook of several repositories may be sent to one site. By which host a forge is reached differs from place to
/// place, so only the repository's path is compared.
fn is_elsewhere(site: &SiteRow, pull: &PullRequest) -> bool {
    let Source::Git { url, .. } = &site.source.0 else { return false };
    let path = |address: &str| {
        RepositoryKey::of(address).and_then(|key| key.as_str().split_once('/').map(|(_, path)| path.to_owned()))
    };
    let own = path(url.as_str());
    !pull.repository_urls.is_empty() && !pull.repository_urls.iter().any(|address| path(address) == own)
}

impl Decided<'_> {
    /// In plain words.
    pub(crate) fn reason(&self) -> &str {
        &self.decision.reason
    }

    /// A deployment comes of it.
    pub(crate) fn is_deployed(&self) -> bool {
        matches!(self.decision.act, Act::Make | Act::Deploy)
    }

    /// Notes the pull request and does what was decided.
    pub(crate) async fn carry_out(
        &self,
        platform: &Platform,
        conn: &mut PgConnection,
        site: &SiteRow,
        by: Option<UserId>,
    ) -> Result<Option<DeploymentId>> {
        let Some(state) = self.decision.state else { return Ok(None) };
        let place = (site.id, self.number);
        store::pull_requests::put(conn, site.team_id, place, &self.told(), state).await?;
        let row = super::find(conn, site, self.number).await?;
        let deployment = carry_out(platform, conn, site, &row, self.decision.act, (Trigger::Webhook, by)).await?;
        announce(conn, site).await?;
        Ok(deployment)
    }

    fn told(&self) -> Told<'_> {
        Told {
            provider: self.provider.as_str(),
            title: &self.pull.title,
            author: self.pull.author.as_deref(),
            source_branch: &self.pull.source_branch,
            target_branch: &self.pull.target_branch,
            from_fork: self.pull.from_fork,
            head: self.pull.commit.as_ref().map(AsRef::as_ref),
            changed_at: self.pull.changed_at,
        }
    }
}

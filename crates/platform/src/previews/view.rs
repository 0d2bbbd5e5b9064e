//! A preview as the dashboard and the API show it.

use super::name;
use crate::{Platform, Result, deployments, sites};
use forge::webhook::Provider;
use model::{
    EnvironmentId,
    site::Source,
    views::{ApprovalView, PreviewView, SiteStatus},
};
use sqlx::PgConnection;
use std::collections::HashMap;
use store::{deployments::DeploymentRow, environments::EnvironmentRow, pull_requests::PullRequestRow, sites::SiteRow};

/// The forge that told of a pull request.
pub(crate) fn provider(row: &PullRequestRow) -> Provider {
    Provider::from_word(&row.provider).unwrap_or(Provider::Gitea)
}

/// Where a pull request is on its forge.
pub(crate) fn url(site: &SiteRow, row: &PullRequestRow) -> Option<String> {
    let Source::Git { url, .. } = &site.source.0 else { return None };
    forge::links::pull_request(provider(row), url.as_str(), row.number)
}

pub(super) async fn many(
    platform: &Platform,
    conn: &mut PgConnection,
    site: &SiteRow,
    rows: Vec<PullRequestRow>,
) -> Result<Vec<PreviewView>> {
    let environments: HashMap<EnvironmentId, EnvironmentRow> =
        store::environments::of_site(conn, site.team_id, site.id)
            .await?
            .into_iter()
            .filter(|row| row.is_preview)
            .map(|row| (row.id, row))
            .collect();
    let ids: Vec<EnvironmentId> = environments.keys().copied().collect();
    let newest: HashMap<EnvironmentId, DeploymentRow> =
        store::deployments::newest_of_environments(conn, site.team_id, &ids)
            .await?
            .into_iter()
            .map(|row| (row.environment_id, row))
            .collect();
    let one = |row: PullRequestRow| {
        let environment = row.environment_id.and_then(|id| environments.get(&id));
        let newest = environment.and_then(|environment| newest.get(&environment.id));
        let status = environment.map(|environment| match environment.deleting_at {
            Some(_) => SiteStatus::Deleting,
            None => sites::status(newest, environment.current_release.is_some()),
        });
        let host = sites::host(platform, &site.slug, &name(row.number));
        let approved = row.approved_commit.clone().zip(row.approved_at);
        PreviewView {
            state: row.state(),
            pull_request_url: url(site, &row),
            environment: environment.map(|environment| environment.name.clone()),
            url: environment.map(|_| platform.settings.site_url(&host)),
            status,
            latest_deployment: newest.map(deployments::summary),
            approved: approved.map(|(commit, at)| ApprovalView { commit, by: row.approved_by, at }),
            number: row.number,
            title: row.title,
            author: row.author,
            source_branch: row.source_branch,
            target_branch: row.target_branch,
            from_fork: row.from_fork,
            commit: row.head,
            active_at: row.active_at,
        }
    };
    Ok(rows.into_iter().map(one).collect())
}

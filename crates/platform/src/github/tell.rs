//! What GitHub is told of a deployment beside the status of its commit: the deployment's own status, and the comment on
//! its pull request.

use super::{api, tokens};
use crate::{Platform, Result};
use forge::{
    github::{Comment, Id, Permissions},
    http::ApiError,
    report::{Failed, Report, State},
};
use model::names::RepoUrl;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use store::{reports::ReportRow, sites::SiteRow};

/// How an environment for a pull request is named: `pr-{number}`.
const PREVIEW: &str = "pr-";

/// A site that comes through the App, and whom to ask about it.
struct Way<'a> {
    platform: &'a Platform,
    site: &'a SiteRow,
    /// `owner/name`
    repository: String,
    token: SecretString,
}

/// The token that tells GitHub how things stand; `None` for a site that does not come through the App.
pub(crate) async fn token_to_tell(platform: &Platform, site: &SiteRow) -> Result<Option<Result<SecretString, Failed>>> {
    let (Some(installation), Some(repository)) = (site.github_installation, site.github_repository) else {
        return Ok(None);
    };
    let Some(app) = super::app(platform).await? else { return Ok(None) };
    let minted = tokens::mint(platform, &app, installation, Some(repository), Permissions::Report).await;
    Ok(Some(minted.map_err(failed)))
}

/// Tells GitHub how a deployment stands; `url` is where its environment answers.
///
/// # Errors
/// The database's; inside, what GitHub did not take.
pub(crate) async fn tell(
    platform: &Platform,
    row: &ReportRow,
    site: &SiteRow,
    repository: &RepoUrl,
    report: &Report,
    token: &SecretString,
    url: &str,
) -> Result<Result<(), Failed>> {
    let Some(repository) = full_name(repository) else { return Ok(Ok(())) };
    let way = Way { platform, site, repository, token: token.expose_secret().to_owned().into() };
    if let Err(error) = way.deployment(row, report, url).await? {
        return Ok(Err(failed(error)));
    }
    let Some(pull) = row.environment.strip_prefix(PREVIEW).and_then(|number| number.parse().ok()) else {
        return Ok(Ok(()));
    };
    Ok(way.comment(pull, &text(report, url)).await?.map_err(failed))
}

/// `owner/name` of a repository's address.
fn full_name(repository: &RepoUrl) -> Option<String> {
    let url = url::Url::parse(repository.as_str()).ok()?;
    let path = url.path().trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    (path.split('/').count() == 2).then(|| path.to_owned())
}

fn failed(error: ApiError) -> Failed {
    match error {
        ApiError::Later { reason, after } => Failed::Later(reason, after),
        ApiError::Refused(404) => Failed::Never(
            "GitHub does not let the App at this repository any more; add the repository to the installation.".into(),
        ),
        ApiError::Refused(403) => Failed::Never(
            "The GitHub App lacks a permission; accept its permissions in the installation's settings on GitHub."
                .into(),
        ),
        ApiError::Refused(status) => Failed::Never(format!("GitHub refuses what it is told; it answers {status}.")),
        ApiError::NotAsked(reason) => Failed::Never(reason),
    }
}

impl Way<'_> {
    /// The deployment on GitHub, made at its first state, with a status for each.
    async fn deployment(&self, row: &ReportRow, report: &Report, url: &str) -> Result<Result<(), ApiError>> {
        let api = api(self.platform);
        let mut conn = self.platform.pool.acquire().await?;
        let known = store::github::deployment(&mut conn, row.team_id, row.deployment_id).await?;
        drop(conn);
        let id = if let Some(id) = known {
            id
        } else {
            let (commit, environment) = (report.commit.as_str(), report.environment.as_str());
            let id = match api.create_deployment(&self.token, &self.repository, commit, environment).await {
                Ok(id) => id,
                Err(error) => return Ok(Err(error)),
            };
            let mut conn = self.platform.pool.acquire().await?;
            store::github::set_deployment(&mut conn, row.team_id, row.deployment_id, id).await?;
            id
        };
        let mut body = json!({
            "state": state(report.state),
            "log_url": report.link,
            "description": report.short(),
            "environment": report.environment.as_str(),
        });
        if report.state == State::Success {
            body["environment_url"] = json!(url);
        }
        Ok(api.deployment_status(&self.token, &self.repository, id, &body).await)
    }

    /// Puts a text on a pull request: the first time as a comment, from then on in its place. Where somebody removed it,
    /// it comes again.
    async fn comment(&self, pull: u64, text: &str) -> Result<Result<(), ApiError>> {
        let (api, team, site) = (api(self.platform), self.site.team_id, self.site.id);
        let mark = format!("<!-- webmeteor:{site} -->");
        let body = format!("{mark}\n{text}");
        let comment = Comment { repository: &self.repository, pull, body: &body };
        let number = i64::try_from(pull).unwrap_or(i64::MAX);
        let mut conn = self.platform.pool.acquire().await?;
        let known = store::github::comment(&mut conn, team, site, number).await?;
        drop(conn);
        if let Some(id) = known {
            match api.edit_comment(&self.token, id, comment).await {
                Err(ApiError::Refused(404)) => {}
                done => return Ok(done),
            }
        }
        let made: Result<Id, ApiError> = async {
            // A crash may have come between making it and keeping its number.
            match api.find_comment(&self.token, &self.repository, pull, &mark).await? {
                Some(id) => api.edit_comment(&self.token, id, comment).await.map(|()| id),
                None => api.comment(&self.token, comment).await,
            }
        }
        .await;
        let id = match made {
            Ok(id) => id,
            Err(error) => return Ok(Err(error)),
        };
        let mut conn = self.platform.pool.acquire().await?;
        store::github::set_comment(&mut conn, team, site, number, id).await?;
        Ok(Ok(()))
    }
}

/// GitHub's word. What was passed over never served, which is what `inactive` says.
fn state(state: State) -> &'static str {
    match state {
        State::Queued => "queued",
        State::Running => "in_progress",
        State::Success => "success",
        State::Failure => "failure",
        State::Cancelled => "error",
        State::Superseded => "inactive",
    }
}

/// What a pull request's comment says.
fn text(report: &Report, url: &str) -> String {
    let state = match report.state {
        State::Queued => "waits for its turn",
        State::Running => "is being deployed",
        State::Success => "is live",
        State::Failure => "failed",
        State::Cancelled => "was cancelled",
        State::Superseded => "was passed over",
    };
    let commit: String = report.commit.as_str().chars().take(12).collect();
    let place = if report.state == State::Success { format!("**[{url}]({url})**\n\n") } else { String::new() };
    format!("### Preview\n\n{place}Commit `{commit}` {state}. [What happened]({})\n", report.link)
}

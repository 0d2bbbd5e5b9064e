//! What each forge is sent, by its documentation. Pure.

use super::{Report, State, Target};
use crate::webhook::Provider;
use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use url::Url;

/// A request that is posted as JSON.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
}

/// The request of a report.
pub(super) fn of(target: &Target, report: &Report, token: &SecretString) -> Result<Outgoing, String> {
    let headers = headers(target, token.expose_secret()).ok_or("The token is none that can be sent.")?;
    let url = address(target, report).ok_or("The forge's address is none.")?;
    Ok(Outgoing { url, headers, body: body(target, report) })
}

fn address(target: &Target, report: &Report) -> Option<Url> {
    let commit = report.commit.as_str();
    let (first, name) = (target.path.first()?.as_str(), target.path.last()?.as_str());
    let whole = target.path.join("/");
    let parts: Vec<&str> = match target.provider {
        // https://docs.github.com/en/rest/commits/statuses#create-a-commit-status
        // https://docs.gitea.com/api/ (repoCreateStatus)
        Provider::GitHub | Provider::Gitea => vec!["repos", first, name, "statuses", commit],
        // https://docs.gitlab.com/api/commits/#set-commit-pipeline-status
        Provider::GitLab => vec!["projects", &whole, "statuses", commit],
        // https://developer.atlassian.com/server/bitbucket/how-tos/updating-build-status-for-commits/
        Provider::Bitbucket if target.is_data_center => {
            vec!["projects", first, "repos", name, "commits", commit, "builds"]
        }
        // https://developer.atlassian.com/cloud/bitbucket/rest/api-group-commit-statuses/
        Provider::Bitbucket => vec!["repositories", first, name, "commit", commit, "statuses", "build"],
    };
    let mut url = Url::parse(&target.api).ok()?;
    // Each part is written with its special characters encoded, GitLab's slashes among them.
    url.path_segments_mut().ok()?.pop_if_empty().extend(parts);
    Some(url)
}

fn headers(target: &Target, token: &str) -> Option<HeaderMap> {
    let (user, secret) = token.split_once(':').map_or((None, token), |(user, secret)| (Some(user), secret));
    let (name, value) = match (target.provider, user) {
        (Provider::GitLab, _) => (HeaderName::from_static("private-token"), secret.to_owned()),
        (Provider::Gitea, _) => (AUTHORIZATION, format!("token {secret}")),
        // A person's token goes with the person's name; one of a repository or a workspace has none of its own.
        (Provider::Bitbucket, Some(user)) if user != "x-token-auth" => {
            (AUTHORIZATION, format!("Basic {}", STANDARD.encode(token)))
        }
        _ => (AUTHORIZATION, format!("Bearer {secret}")),
    };
    let mut value = HeaderValue::from_str(&value).ok()?;
    value.set_sensitive(true);
    let mut headers = HeaderMap::from_iter([(name, value)]);
    if target.provider == Provider::GitHub {
        headers.insert(ACCEPT, HeaderValue::from_static("application/vnd.github+json"));
        headers.insert("x-github-api-version", HeaderValue::from_static("2022-11-28"));
    } else {
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    }
    Some(headers)
}

fn body(target: &Target, report: &Report) -> Value {
    let (state, context, description) = (state(target, report.state), report.context(), report.short());
    let link = &report.link;
    match target.provider {
        Provider::GitHub | Provider::Gitea => {
            json!({"state": state, "target_url": link, "description": description, "context": context})
        }
        Provider::GitLab => json!({"state": state, "name": context, "target_url": link, "description": description}),
        Provider::Bitbucket => {
            json!({"key": context, "state": state, "name": context, "url": link, "description": description})
        }
    }
}

/// The forge's own word. GitHub and Gitea know nothing that was ended or passed over: it is neither well nor a failure
/// of the commit, which is what `error` says.
fn state(target: &Target, state: State) -> &'static str {
    // Queued, running, success, failure, ended before its end.
    let words = match target.provider {
        Provider::GitHub | Provider::Gitea => ["pending", "pending", "success", "failure", "error"],
        // `skipped` would fit what was superseded, but older versions do not take it.
        Provider::GitLab => ["pending", "running", "success", "failed", "canceled"],
        Provider::Bitbucket if target.is_data_center => {
            ["INPROGRESS", "INPROGRESS", "SUCCESSFUL", "FAILED", "CANCELLED"]
        }
        Provider::Bitbucket => ["INPROGRESS", "INPROGRESS", "SUCCESSFUL", "FAILED", "STOPPED"],
    };
    match state {
        State::Queued => words[0],
        State::Running => words[1],
        State::Success => words[2],
        State::Failure => words[3],
        State::Cancelled | State::Superseded => words[4],
    }
}

//! The operations of GitHub's API that are used.

use super::{App, Id};
use crate::{
    http::{self, ApiError},
    report::GitHub,
};
use reqwest::{Method, Response};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use time::OffsetDateTime;
use url::Url;

/// Entries of one page: the most that GitHub gives.
const PAGE: usize = 100;
/// No list is read further than this many pages.
const MOST_PAGES: usize = 50;

/// GitHub, or a GitHub Enterprise Server.
#[derive(Debug, Clone)]
pub struct Api {
    at: GitHub,
}

/// A token of an installation.
#[derive(Clone, Deserialize)]
pub struct Minted {
    /// It.
    pub token: SecretString,
    /// It is good until then: an hour after it was minted.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
}

/// What a token of an installation may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permissions {
    /// Read the repository's code.
    Fetch,
    /// Tell how commits and pull requests stand.
    Report,
    /// See which repositories there are.
    List,
}

impl Permissions {
    fn json(self) -> Value {
        match self {
            Self::Fetch => json!({"contents": "read", "metadata": "read"}),
            Self::Report => {
                json!({"statuses": "write", "deployments": "write", "pull_requests": "write", "metadata": "read"})
            }
            Self::List => json!({"metadata": "read"}),
        }
    }
}

/// A repository that an installation reaches.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Repository {
    /// Its number; it stays when the repository is renamed.
    pub id: Id,
    /// `owner/name`
    pub full_name: String,
    /// Only some may see it.
    pub private: bool,
    /// Its default branch.
    pub default_branch: String,
    /// Its address for Git.
    pub clone_url: String,
}

/// An installation of the App.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// Its number.
    pub id: Id,
    /// The user or organization that installed it.
    pub account: String,
}

/// A comment on a pull request.
#[derive(Debug, Clone, Copy)]
pub struct Comment<'a> {
    /// `owner/name`
    pub repository: &'a str,
    /// The pull request's number.
    pub pull: u64,
    /// Markdown.
    pub body: &'a str,
}

impl Api {
    /// GitHub at this address.
    pub fn new(at: GitHub) -> Self {
        Self { at }
    }

    /// “Create a GitHub App from a manifest.”
    ///
    /// # Errors
    /// [`ApiError`]; 404 for a code that was used, or is older than an hour.
    pub async fn convert(&self, code: &str) -> Result<App, ApiError> {
        let url = self.url(&["app-manifests", code, "conversions"])?;
        answer(self.ask(Method::POST, url, None, None).await?).await
    }

    /// “Create an installation access token for an app”, for one repository or for all.
    ///
    /// # Errors
    /// [`ApiError`]; 404 for an installation that is gone.
    pub async fn mint(
        &self,
        app: &App,
        installation: Id,
        repository: Option<Id>,
        permissions: Permissions,
    ) -> Result<Minted, ApiError> {
        let url = self.url(&["app", "installations", &installation.to_string(), "access_tokens"])?;
        let mut body = json!({"permissions": permissions.json()});
        if let Some(repository) = repository {
            body["repository_ids"] = json!([repository]);
        }
        let jwt = app.jwt().map_err(ApiError::NotAsked)?.into();
        answer(self.ask(Method::POST, url, Some(&jwt), Some(&body)).await?).await
    }

    /// “List repositories accessible to the app installation.”
    ///
    /// # Errors
    /// [`ApiError`]
    pub async fn repositories(&self, token: &SecretString) -> Result<Vec<Repository>, ApiError> {
        self.pages(&["installation", "repositories"], "repositories", token).await
    }

    /// Signs the person in who was sent here with this code: “Generating a user access token”.
    ///
    /// # Errors
    /// [`ApiError`]; [`ApiError::NotAsked`] where GitHub does not take the code, which it answers with 200.
    pub async fn sign_in(&self, app: &App, code: &str) -> Result<SecretString, ApiError> {
        #[derive(Deserialize)]
        struct Answer {
            access_token: Option<SecretString>,
        }
        let mut url = self.at.url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["login", "oauth", "access_token"]);
        }
        let body = json!({"client_id": app.client_id, "client_secret": app.client_secret, "code": code});
        let client = http::client(&url, true).await?;
        let request = client.post(url).header("accept", "application/json").json(&body);
        let response = http::send(request).await.map_err(|(error, _)| error)?;
        let answered: Answer = answer(response).await?;
        let refused = || ApiError::NotAsked("GitHub does not take the code any more; connect once more.".into());
        answered.access_token.ok_or_else(refused)
    }

    /// “List app installations accessible to the user access token.”
    ///
    /// # Errors
    /// [`ApiError`]
    pub async fn installations_of_user(&self, token: &SecretString) -> Result<Vec<Installation>, ApiError> {
        #[derive(Deserialize)]
        struct Entry {
            id: Id,
            account: Account,
        }
        #[derive(Deserialize)]
        struct Account {
            login: String,
        }
        let found: Vec<Entry> = self.pages(&["user", "installations"], "installations", token).await?;
        Ok(found.into_iter().map(|it| Installation { id: it.id, account: it.account.login }).collect())
    }

    /// “List repositories accessible to the user access token”, of one installation: which of them the person may see.
    ///
    /// # Errors
    /// [`ApiError`]
    pub async fn repositories_of_user(&self, token: &SecretString, installation: Id) -> Result<Vec<Id>, ApiError> {
        let id = installation.to_string();
        let path = ["user", "installations", &id, "repositories"];
        let found: Vec<Repository> = self.pages(&path, "repositories", token).await?;
        Ok(found.into_iter().map(|repository| repository.id).collect())
    }

    /// “Create a deployment”; its number.
    ///
    /// # Errors
    /// [`ApiError`]
    pub async fn create_deployment(
        &self,
        token: &SecretString,
        repository: &str,
        commit: &str,
        environment: &str,
    ) -> Result<Id, ApiError> {
        let url = self.url(&parts(&["repos"], repository, &["deployments"]))?;
        // What is to be deployed is decided here: nothing is merged into it, and no other check is waited for.
        let body = json!({
            "ref": commit,
            "environment": environment,
            "auto_merge": false,
            "required_contexts": [],
            "production_environment": environment == "production",
            "transient_environment": environment.starts_with("pr-"),
        });
        self.number(Method::POST, url, token, &body).await
    }

    /// “Create a deployment status”.
    ///
    /// # Errors
    /// [`ApiError`]
    pub async fn deployment_status(
        &self,
        token: &SecretString,
        repository: &str,
        deployment: Id,
        body: &Value,
    ) -> Result<(), ApiError> {
        let id = deployment.to_string();
        let url = self.url(&parts(&["repos"], repository, &["deployments", &id, "statuses"]))?;
        self.ask(Method::POST, url, Some(token), Some(body)).await.map(|_| ())
    }

    /// “Create an issue comment”, which a pull request's are as well; its number.
    ///
    /// # Errors
    /// [`ApiError`]
    pub async fn comment(&self, token: &SecretString, comment: Comment<'_>) -> Result<Id, ApiError> {
        let pull = comment.pull.to_string();
        let url = self.url(&parts(&["repos"], comment.repository, &["issues", &pull, "comments"]))?;
        self.number(Method::POST, url, token, &json!({"body": comment.body})).await
    }

    /// “Update an issue comment”.
    ///
    /// # Errors
    /// [`ApiError`]; 404 where somebody removed it.
    pub async fn edit_comment(&self, token: &SecretString, id: Id, comment: Comment<'_>) -> Result<(), ApiError> {
        let id = id.to_string();
        let url = self.url(&parts(&["repos"], comment.repository, &["issues", "comments", &id]))?;
        self.ask(Method::PATCH, url, Some(token), Some(&json!({"body": comment.body}))).await.map(|_| ())
    }

    /// “List issue comments”: the first whose text begins with this mark.
    ///
    /// # Errors
    /// [`ApiError`]
    pub async fn find_comment(
        &self,
        token: &SecretString,
        repository: &str,
        pull: u64,
        mark: &str,
    ) -> Result<Option<Id>, ApiError> {
        #[derive(Deserialize)]
        struct Entry {
            id: Id,
            #[serde(default)]
            body: Option<String>,
        }
        let pull = pull.to_string();
        let base = self.url(&parts(&["repos"], repository, &["issues", &pull, "comments"]))?;
        for page in 1..=MOST_PAGES {
            let entries: Vec<Entry> =
                answer(self.ask(Method::GET, paged(&base, page), Some(token), None).await?).await?;
            let count = entries.len();
            let ours = entries.into_iter().find(|it| it.body.as_deref().is_some_and(|body| body.starts_with(mark)));
            if ours.is_some() || count < PAGE {
                return Ok(ours.map(|it| it.id));
            }
        }
        Ok(None)
    }

    async fn number(&self, method: Method, url: Url, token: &SecretString, body: &Value) -> Result<Id, ApiError> {
        #[derive(Deserialize)]
        struct Numbered {
            id: Id,
        }
        let made: Numbered = answer(self.ask(method, url, Some(token), Some(body)).await?).await?;
        Ok(made.id)
    }

    /// All entries of a list that stands under `key` of each page.
    async fn pages<T: DeserializeOwned>(
        &self,
        path: &[&str],
        key: &str,
        token: &SecretString,
    ) -> Result<Vec<T>, ApiError> {
        let base = self.url(path)?;
        let mut found = Vec::new();
        for page in 1..=MOST_PAGES {
            let mut answered: Value =
                answer(self.ask(Method::GET, paged(&base, page), Some(token), None).await?).await?;
            let entries: Vec<T> = serde_json::from_value(answered[key].take()).map_err(|_| not_understood())?;
            let count = entries.len();
            found.extend(entries);
            if count < PAGE {
                break;
            }
        }
        Ok(found)
    }

    fn url(&self, path: &[&str]) -> Result<Url, ApiError> {
        let mut url = self.at.api.clone();
        let none = || ApiError::NotAsked("GitHub's address is none; see WEBMETEOR_GITHUB_API_URL.".into());
        url.path_segments_mut().map_err(|()| none())?.pop_if_empty().extend(path);
        Ok(url)
    }

    async fn ask(
        &self,
        method: Method,
        url: Url,
        token: Option<&SecretString>,
        body: Option<&Value>,
    ) -> Result<Response, ApiError> {
        // The operator has set the address, so that it may lie in the operator's own network.
        let client = http::client(&url, true).await?;
        let mut request = client
            .request(method, url)
            .header("accept", "application/vnd.github+json")
            .header("x-github-api-version", "2022-11-28");
        if let Some(token) = token {
            request = request.bearer_auth(token.expose_secret());
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        http::send(request).await.map_err(|(error, _)| error)
    }
}

fn paged(base: &Url, page: usize) -> Url {
    let mut url = base.clone();
    url.query_pairs_mut().append_pair("per_page", &PAGE.to_string()).append_pair("page", &page.to_string());
    url
}

fn parts<'a>(before: &[&'a str], repository: &'a str, after: &[&'a str]) -> Vec<&'a str> {
    before.iter().copied().chain(repository.split('/')).chain(after.iter().copied()).collect()
}

async fn answer<T: DeserializeOwned>(response: Response) -> Result<T, ApiError> {
    let body = http::read(response).await?;
    serde_json::from_slice(&body).map_err(|_| not_understood())
}

fn not_understood() -> ApiError {
    ApiError::NotAsked("GitHub's answer is not what its documentation says.".into())
}

//! A site's remote repository: asked before it is relied on, and put in another's place.

use super::{open_repository_token, repository_token, secret_row};
use crate::{Platform, Result, access, environments::PRODUCTION};
use model::{
    Actor, FieldError, Problem, Scope, SiteId,
    deployment::FailureCode,
    names::{BranchName, NameError, RepoUrl},
    site::Source,
};
use serde::Deserialize;
use sqlx::PgConnection;
use std::time::Duration;
use store::{
    environments::Settings,
    sites::{Repository, SiteRow},
};
use tokio_util::sync::CancellationToken;

/// A person waits while the repository is asked for its branches.
const LOOK_LIMIT: Duration = Duration::from_secs(15);

/// What a person sends to set a site's remote repository; `None` stays.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewRepository {
    /// Its address.
    #[serde(default)]
    pub url: Option<String>,
    /// The branch that production deploys.
    #[serde(default)]
    pub branch: Option<String>,
    /// For a private repository.
    #[serde(default)]
    pub token: Token,
}

/// What becomes of a repository's token; in JSON nothing, `null`, or the token.
#[derive(Clone, Default, Deserialize)]
#[serde(from = "Option<String>")]
pub enum Token {
    /// The one that is kept stays, as long as the server is the same.
    #[default]
    Keep,
    /// None is kept any more.
    Remove,
    /// This one from now on.
    Set(String),
}

impl From<Option<String>> for Token {
    fn from(given: Option<String>) -> Self {
        given.map_or(Self::Remove, Self::Set)
    }
}

impl std::fmt::Debug for NewRepository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewRepository").field("url", &self.url).field("branch", &self.branch).finish_non_exhaustive()
    }
}

/// An access token as a person gives it; `None` for an empty one.
///
/// # Errors
/// `characters` for what cannot be one.
pub(super) fn parse_token(raw: &str) -> Result<Option<String>, NameError> {
    let token = raw.trim();
    if token.len() > 500 || !token.bytes().all(|b| b.is_ascii_graphic()) {
        let message = "An access token has up to 500 printable characters and no spaces.".into();
        return Err(NameError { code: "characters", message });
    }
    Ok(Some(token.to_owned()).filter(|token| !token.is_empty()))
}

/// Asks a repository whether it can be read and has the branch; the branch, which is the default one if none is named.
///
/// # Errors
/// 422 for `{form}.url`, `{form}.branch` or `{form}.token`, as the request calls them.
pub(super) async fn ask(
    platform: &Platform,
    url: &RepoUrl,
    branch: Option<BranchName>,
    token: Option<&str>,
    form: &str,
) -> Result<BranchName> {
    if token.is_some() && !forge::git::keeps_secrets(url) {
        return Err(Problem::invalid(&format!("{form}.token"), "token_in_the_clear", forge::git::IN_THE_CLEAR).into());
    }
    let request = forge::git::RemoteRequest {
        url: url.clone(),
        token: token.map(Into::into),
        branch,
        allow_private: platform.settings.allow_private_repositories,
        timeout: LOOK_LIMIT,
    };
    let found = forge::git::ls_remote(&request, &CancellationToken::new()).await.map_err(|e| {
        let field = if e.code == FailureCode::RefNotFound { "branch" } else { "url" };
        Problem::invalid(&format!("{form}.{field}"), e.code.as_str(), e.message)
    })?;
    Ok(found.branch)
}

/// A repository that was asked and may be put in the place of the one that was there then.
pub(super) struct Chosen {
    /// Its address.
    pub(super) url: RepoUrl,
    before: SiteRow,
    after: Source,
    sealed_token: Option<Vec<u8>>,
    through_app: bool,
    production: Option<BranchName>,
}

/// Asks the repository that a site is to have from now on. A token is kept as long as the server stays the same, and
/// never sent to another one.
///
/// # Errors
/// 404, 403, 409 `site_deleting` or `repository_is_kept_here`, 422 with every field that is wrong.
pub(super) async fn choose(platform: &Platform, actor: &Actor, site: SiteId, new: NewRepository) -> Result<Chosen> {
    let (before, production) = {
        let mut conn = platform.pool.acquire().await?;
        let row = access::site_to_change(&mut conn, actor, Scope::SitesWrite, site).await?;
        let production = access::environment(&mut conn, &row, PRODUCTION).await?;
        (row, production)
    };
    let Source::Git { url: old, .. } = &before.source.0 else {
        let detail = "This site's repository is kept here, so push to it; for a repository elsewhere make a new site.";
        return Err(Problem::conflict("repository_is_kept_here", detail).into());
    };
    let mut errors = vec![];
    let mut note = |field: &str, e: NameError| {
        errors.push(FieldError { field: format!("repository.{field}"), code: e.code.to_owned(), message: e.message });
    };
    let url = new.url.as_deref().map_or_else(|| Ok(old.clone()), RepoUrl::parse).map_err(|e| note("url", e)).ok();
    let branch = new.branch.as_deref().map(BranchName::parse).transpose().map_err(|e| note("branch", e)).ok();
    let given = match &new.token {
        Token::Set(token) => parse_token(token).map_err(|e| note("token", e)).ok(),
        Token::Keep | Token::Remove => Some(None),
    };
    let (Some(url), Some(branch), Some(given)) = (url, branch, given) else {
        let detail = "Correct the fields that are marked.";
        return Err(Problem { errors, ..Problem::new(422, "invalid_input", detail) }.into());
    };
    // The App's tokens are for the repository that was chosen, and for no other way to it.
    let through_app = before.github_installation.is_some() && url == *old && matches!(new.token, Token::Keep);
    let token = match new.token {
        Token::Keep if through_app => repository_token(platform, &before).await?,
        Token::Keep if forge::git::same_server(old, &url) => open_repository_token(platform, &before)?,
        Token::Keep | Token::Remove => None,
        Token::Set(_) => given,
    };
    let wanted = match &branch {
        Some(branch) => branch.clone(),
        None => BranchName::parse(&production.branch)
            .map_err(|e| Problem::invalid("repository.branch", e.code, e.message))?,
    };
    let wanted = ask(platform, &url, Some(wanted), token.as_deref(), "repository").await?;
    let row = secret_row(site, "repository_token");
    let kept = token.filter(|_| !through_app);
    let sealed_token = kept.map(|token| platform.vault.seal(&row, token.as_bytes())).transpose()?;
    let after = Source::Git { url: url.clone(), branch: wanted };
    Ok(Chosen { url, before, after, sealed_token, through_app, production: branch })
}

impl Chosen {
    /// A token is kept for it.
    pub(super) fn has_token(&self) -> bool {
        self.sealed_token.is_some()
    }

    /// Puts it in its place.
    ///
    /// # Errors
    /// 409 `repository_changed` if somebody else was quicker.
    pub(super) async fn put(&self, conn: &mut PgConnection, site: &SiteRow) -> Result<()> {
        if let Some(branch) = &self.production {
            let row = access::environment_to_change(conn, site, PRODUCTION).await?;
            let paused = row.paused_at.is_some();
            let settings = Settings { branch: branch.as_str(), root: &row.root, watch: &row.watch, paused };
            store::environments::set(conn, row.team_id, row.id, &settings).await?;
        }
        let old = Repository { source: &self.before.source.0, token: self.before.repository_token.as_deref() };
        let new = Repository { source: &self.after, token: self.sealed_token.as_deref() };
        if !store::sites::set_repository(conn, site.team_id, site.id, old, new).await? {
            let detail = "Somebody else changed the repository just now; look at it and try again.";
            return Err(Problem::conflict("repository_changed", detail).into());
        }
        if self.before.github_installation.is_some() && !self.through_app {
            store::github::forget_site(conn, site.team_id, site.id).await?;
        }
        Ok(())
    }
}

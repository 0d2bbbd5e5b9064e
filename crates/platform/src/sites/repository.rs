//! A site's remote repository: asked before it is relied on, and put in another's place.

use super::{open_repository_token, repository_token, secret_row};
use crate::{
    Platform, Result, access,
    deploy_keys::{self, Key},
    environments::PRODUCTION,
    previews,
};
use forge::{
    git::{Credentials, FetchError},
    webhook::RepositoryKey,
};
use model::{
    Actor, FieldError, Problem, Scope, SiteId, TeamId,
    deployment::FailureCode,
    names::{BranchName, NameError, RepoUrl, SiteSlug},
    site::Source,
    views::DeployKeyView,
};
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::PgConnection;
use std::time::Duration;
use store::{
    environments::Settings,
    sites::{Repository, SiteRow},
};
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

/// A person waits while the repository is asked for its branches.
const LOOK_LIMIT: Duration = Duration::from_secs(15);

/// What a person sends to set a site's remote repository; `None` stays.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRepository {
    /// Its address.
    #[serde(default)]
    pub url: Option<String>,
    /// The branch that production deploys.
    #[serde(default)]
    pub branch: Option<String>,
    /// For a private repository over HTTPS.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub token: Token,
    /// Over SSH: another key than the site has now.
    #[serde(default)]
    pub new_deploy_key: bool,
    /// Over SSH, where the server shows another key than before: the new one's fingerprint.
    #[serde(default)]
    pub accept_host_key: Option<String>,
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

/// A token where a key is wanted.
pub(super) fn token_over_ssh() -> NameError {
    let message = "An SSH address takes a deploy key, no token; for the token give the repository's https:// address.";
    NameError { code: "token_over_ssh", message: message.into() }
}

/// What is to open a repository.
pub(super) enum Way {
    /// A token over HTTPS, or nothing.
    Token(Option<String>),
    /// A key over SSH.
    Key(Box<Key>),
    /// A token that the GitHub App was given for a repository of an installation, by GitHub's numbers. It is never kept.
    App { token: String, installation: i64, repository: i64 },
}

/// The team's key for a repository that no site uses yet. Its server is known as it is to `known`, if that is given.
///
/// # Errors
/// 422 `deploy_key_needed` with the key if it was made just now: nobody can have added it at the forge yet.
pub(super) async fn waiting_key(
    platform: &Platform,
    actor: &Actor,
    team: TeamId,
    url: &RepoUrl,
    known: Option<&Key>,
    form: &str,
) -> Result<Key> {
    let (mut key, is_new) = deploy_keys::waiting(platform, actor, team, url, &format!("{form}.url")).await?;
    if let Some(known) = known {
        key.trust_like(known);
    }
    if is_new {
        let detail =
            "Add the deploy key to the repository at its forge, where reading is enough, then send this again.";
        let problem = Problem::invalid(&format!("{form}.url"), "deploy_key_needed", detail);
        let code = "deploy_key_needed".to_owned();
        return Err(Problem { code, deploy_key: Some(Box::new(key.view)), ..problem }.into());
    }
    Ok(key)
}

impl Way {
    /// Asks a repository whether it can be read and has the branch; the branch, which is the default one if none is
    /// named. A server that shows another key than it is known by is asked only if that key was accepted.
    ///
    /// # Errors
    /// 422 for `{form}.url`, `{form}.branch`, `{form}.token` or `{form}.accept_host_key`, as the request calls them.
    pub(super) async fn ask(
        &mut self,
        platform: &Platform,
        url: &RepoUrl,
        branch: Option<BranchName>,
        accept: Option<&str>,
        form: &str,
    ) -> Result<BranchName> {
        let allow_private = platform.settings.allow_private_repositories;
        if let Self::Token(Some(_)) = self
            && !forge::git::keeps_secrets(url)
        {
            let field = format!("{form}.token");
            return Err(Problem::invalid(&field, "token_in_the_clear", forge::git::IN_THE_CLEAR).into());
        }
        if let (Self::Key(key), Some(accept)) = (&mut *self, accept.map(str::trim).filter(|it| !it.is_empty())) {
            key.accept(url, accept, allow_private, form).await?;
        }
        let request = forge::git::RemoteRequest {
            url: url.clone(),
            credentials: self.credentials(),
            branch,
            allow_private,
            timeout: LOOK_LIMIT,
        };
        let found = forge::git::ls_remote(&request, &CancellationToken::new()).await;
        Ok(found.map_err(|e| self.refused(e, form))?.branch)
    }

    fn credentials(&self) -> Credentials {
        match self {
            Self::Token(None) => Credentials::None,
            Self::Token(Some(token)) | Self::App { token, .. } => Credentials::Token(token.as_str().into()),
            Self::Key(key) => Credentials::Key(key.access.clone()),
        }
    }

    fn refused(&self, error: FetchError, form: &str) -> Problem {
        let field = if error.code == FailureCode::RefNotFound { "branch" } else { "url" };
        let mut problem = Problem::invalid(&format!("{form}.{field}"), error.code.as_str(), error.message);
        if let Self::Key(key) = self {
            let view = DeployKeyView { offered_host_key: error.offered_host_key, ..key.view.clone() };
            problem.deploy_key = Some(Box::new(view));
        }
        problem
    }

    /// The token, sealed for this site.
    ///
    /// # Errors
    /// If it cannot be sealed.
    pub(super) fn sealed_token(&self, platform: &Platform, site: SiteId) -> Result<Option<Vec<u8>>> {
        let Self::Token(Some(token)) = self else { return Ok(None) };
        Ok(Some(platform.vault.seal(&secret_row(site, "repository_token"), token.as_bytes())?))
    }
}

/// A repository that was asked and may be put in the place of the one that was there then.
pub(super) struct Chosen {
    /// Its address.
    pub(super) url: RepoUrl,
    before: SiteRow,
    after: Source,
    way: Way,
    sealed_token: Option<Vec<u8>>,
    production: Option<BranchName>,
}

/// Asks the repository that a site is to have from now on. A token is kept as long as the server stays the same, and
/// never sent to another one.
///
/// # Errors
/// 404, 403, 409 `site_deleting` or `repository_is_kept_here`, 422 with every field that is wrong, or
/// `deploy_key_needed`.
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
    let is_same = url == *old && matches!(new.token, Token::Keep);
    let through_app = match (before.github_installation, before.github_repository) {
        (Some(installation), Some(repository)) if is_same => {
            repository_token(platform, &before).await?.map(|token| Way::App { token, installation, repository })
        }
        _ => None,
    };
    let wanted = match &branch {
        Some(branch) => branch.clone(),
        None => BranchName::parse(&production.branch)
            .map_err(|e| Problem::invalid("repository.branch", e.code, e.message))?,
    };
    let mut way = if url.ssh().is_some() {
        if given.is_some() {
            let NameError { code, message } = token_over_ssh();
            return Err(Problem::invalid("repository.token", code, message).into());
        }
        let own = deploy_keys::of_site(platform, &before)?;
        let key = match own {
            Some(own) if *old == url && !new.new_deploy_key => own,
            own => {
                let slug = SiteSlug::parse(&before.slug).map_err(anyhow::Error::from)?;
                // A server stays known by its key, whichever of ours it is asked with.
                let known = own.filter(|_| is_same_ssh_server(old, &url));
                waiting_key(platform, actor, before.team_id, &url, known.as_ref(), "repository").await?.named(&slug)
            }
        };
        Way::Key(Box::new(key))
    } else if let Some(way) = through_app {
        way
    } else {
        Way::Token(match new.token {
            Token::Keep if forge::git::same_server(old, &url) => open_repository_token(platform, &before)?,
            Token::Keep | Token::Remove => None,
            Token::Set(_) => given,
        })
    };
    let accept = new.accept_host_key.as_deref();
    let wanted = way.ask(platform, &url, Some(wanted), accept, "repository").await?;
    let sealed_token = way.sealed_token(platform, site)?;
    let after = Source::Git { url: url.clone(), branch: wanted };
    Ok(Chosen { url, before, after, way, sealed_token, production: branch })
}

impl Chosen {
    /// A token is kept for it.
    pub(super) fn has_token(&self) -> bool {
        self.sealed_token.is_some()
    }

    /// The repository before and after, as the audit tells of it.
    pub(super) fn told(&self, site: &SiteRow) -> (Value, Value) {
        let key = match &self.way {
            Way::Key(key) => Some(key.view.fingerprint.clone()),
            Way::Token(_) | Way::App { .. } => None,
        };
        let key_before = deploy_keys::view_of_site(site).map(|view| view.fingerprint);
        let told = |source: &Source, has_token: bool, key: Option<String>| json!({ "source": source, "has_token": has_token, "deploy_key": key });
        let before = told(&self.before.source.0, self.before.repository_token.is_some(), key_before);
        (before, told(&self.after, self.has_token(), key))
    }

    /// Puts it in its place.
    ///
    /// # Errors
    /// 409 `repository_changed` if somebody else was quicker.
    pub(super) async fn put(&self, conn: &mut PgConnection, site: &SiteRow) -> Result<()> {
        let locked = store::sites::lock(conn, &[site.team_id], site.id).await?;
        let is_as_before =
            |now: &SiteRow| (now.deploy_key, &now.host_key) == (self.before.deploy_key, &self.before.host_key);
        if !locked.as_ref().is_some_and(is_as_before) {
            return Err(changed().into());
        }
        if let Some(branch) = &self.production {
            let row = access::environment_to_change(conn, site, PRODUCTION).await?;
            let paused = row.paused_at.is_some();
            let settings = Settings { branch: branch.as_str(), root: &row.root, watch: &row.watch, paused };
            store::environments::set(conn, row.team_id, row.id, &settings).await?;
        }
        let old = Repository { source: &self.before.source.0, token: self.before.repository_token.as_deref() };
        let new = Repository { source: &self.after, token: self.sealed_token.as_deref() };
        if !store::sites::set_repository(conn, site.team_id, site.id, old, new).await? {
            return Err(changed().into());
        }
        match &self.way {
            Way::Key(key) => key.put(conn, site.team_id, site.id).await?,
            Way::Token(_) | Way::App { .. } => store::deploy_keys::remove(conn, site.team_id, site.id).await?,
        }
        if !is_same_repository(&self.before.source.0, &self.after) {
            previews::leave_repository(conn, site).await?;
        }
        if self.before.github_installation.is_some() && !matches!(self.way, Way::App { .. }) {
            store::github::forget_site(conn, site.team_id, site.id).await?;
        }
        Ok(())
    }
}

fn changed() -> Problem {
    let detail = "Somebody else changed the repository just now; look at it and try again.";
    Problem::conflict("repository_changed", detail)
}

/// Both are one repository, whichever of its addresses was written down. The web's port says nothing about that of SSH.
fn is_same_repository(one: &Source, other: &Source) -> bool {
    let (Source::Git { url: one, .. }, Source::Git { url: other, .. }) = (one, other) else { return false };
    let key = |url: &RepoUrl| RepositoryKey::of(url.as_str());
    let (Some(left), Some(right)) = (key(one), key(other)) else { return false };
    match (one.ssh(), other.ssh()) {
        (None, None) => left == right,
        (Some(_), Some(_)) => is_same_ssh_server(one, other) && left == right,
        _ => left.addresses()[2] == right.addresses()[2],
    }
}

fn is_same_ssh_server(one: &RepoUrl, other: &RepoUrl) -> bool {
    let place = |url: &RepoUrl| url.ssh().map(|address| (address.port(), address.host));
    place(one).is_some_and(|one| Some(one) == place(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_the_same_by_whichever_address_and_another_on_another_server() {
        let of =
            |url: &str| Source::Git { url: RepoUrl::parse(url).unwrap(), branch: BranchName::parse("main").unwrap() };
        let same = |one: &str, other: &str| is_same_repository(&of(one), &of(other));
        for other in [
            "https://git.example.org:3000/a/b",
            "git@git.example.org:a/b.git",
            "ssh://git@git.example.org:2222/a/b.git",
        ] {
            assert!(same("https://git.example.org:3000/a/b.git", other), "{other}");
        }
        assert!(same("git@git.example.org:a/b.git", "ssh://git@git.example.org/a/b"));
        for (one, other) in [
            ("https://git.example.org/a/b", "https://git.example.org/a/c"),
            ("https://git.example.org:3000/a/b", "https://git.example.org:4000/a/b"),
            ("ssh://git@git.example.org:22/a/b", "ssh://git@git.example.org:2222/a/b"),
            ("git@git.example.org:a/b", "https://example.org/a/b"),
        ] {
            assert!(!same(one, other), "{one} {other}");
        }
    }
}

//! Tokens of installations: minted when they are needed, for one repository and one purpose, kept in memory until shortly
//! before their end, and stored nowhere.

use super::{api, registered, told};
use crate::{Platform, Result};
use forge::github::{App, Id, Minted, Permissions, Repository};
use secrecy::{ExposeSecret, SecretString};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use store::sites::SiteRow;
use time::OffsetDateTime;

/// A token is not used in its last minutes: whoever got it needs it for a while.
const SPARE: time::Duration = time::Duration::minutes(15);
/// A list of repositories is not asked for again in this time.
const FRESH: Duration = Duration::from_secs(30);

type Purpose = (Id, Option<Id>, Permissions);

/// What GitHub answered lately.
#[derive(Default)]
pub struct Cache {
    tokens: Mutex<HashMap<Purpose, Minted>>,
    lists: Mutex<HashMap<Id, (Instant, Vec<Repository>)>>,
}

impl Cache {
    fn tokens(&self) -> MutexGuard<'_, HashMap<Purpose, Minted>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lists(&self) -> MutexGuard<'_, HashMap<Id, (Instant, Vec<Repository>)>> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets what is known of an installation.
    pub(super) fn forget(&self, installation: Id) {
        self.tokens().retain(|(of, ..), _| *of != installation);
        self.lists().remove(&installation);
    }
}

/// A token for this, the one that is there if it is good for a while.
pub(super) async fn mint(
    platform: &Platform,
    app: &App,
    installation: Id,
    repository: Option<Id>,
    permissions: Permissions,
) -> Result<SecretString, forge::http::ApiError> {
    let purpose = (installation, repository, permissions);
    let soon = OffsetDateTime::now_utc() + SPARE;
    if let Some(minted) = platform.github.tokens().get(&purpose).filter(|minted| minted.expires_at > soon) {
        return Ok(minted.token.clone());
    }
    let minted = api(platform).mint(app, installation, repository, permissions).await?;
    let token = minted.token.clone();
    let mut tokens = platform.github.tokens();
    tokens.retain(|_, minted| minted.expires_at > OffsetDateTime::now_utc());
    tokens.insert(purpose, minted);
    Ok(token)
}

/// The token by which a site's repository is read; `None` for a site that does not come through the App.
pub(crate) async fn token_of(platform: &Platform, site: &SiteRow) -> Result<Option<String>> {
    let (Some(installation), Some(repository)) = (site.github_installation, site.github_repository) else {
        return Ok(None);
    };
    to_read(platform, installation, repository).await.map(Some)
}

/// A token to read a repository with Git.
pub(super) async fn to_read(platform: &Platform, installation: Id, repository: Id) -> Result<String> {
    let app = registered(platform).await?;
    let token = mint(platform, &app, installation, Some(repository), Permissions::Fetch).await.map_err(told)?;
    // Git sends a user's name and a password; GitHub wants this name with tokens of installations.
    Ok(format!("x-access-token:{}", token.expose_secret()))
}

/// The tokens of a site's repository that are in use now, to keep them out of logs.
pub(crate) fn known_tokens(platform: &Platform, site: &SiteRow) -> Vec<String> {
    let tokens = platform.github.tokens();
    let of_site =
        tokens.iter().filter(|((_, repository, _), _)| repository.is_some() && *repository == site.github_repository);
    of_site.map(|(_, minted)| minted.token.expose_secret().to_owned()).collect()
}

/// The repositories that an installation reaches, as GitHub says, or said a moment ago.
pub(super) async fn list(platform: &Platform, app: &App, installation: Id) -> Result<Vec<Repository>> {
    if let Some((at, list)) = platform.github.lists().get(&installation)
        && at.elapsed() < FRESH
    {
        return Ok(list.clone());
    }
    let token = mint(platform, app, installation, None, Permissions::List).await.map_err(told)?;
    let list = api(platform).repositories(&token).await.map_err(told)?;
    platform.github.lists().insert(installation, (Instant::now(), list.clone()));
    Ok(list)
}

//! Keys that open repositories over SSH: made for an address, so that the public half can be added at the forge, then
//! a site's.

use crate::{Platform, Result, access, audit, audit::Entry};
use forge::git::{FetchError, HostKey, KeyPair, SshAccess};
use model::{
    Actor, DeployKeyId, Problem, TeamId,
    names::{RepoUrl, SiteSlug},
    views::DeployKeyView,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use sqlx::PgConnection;
use std::time::Duration;
use store::{
    deploy_keys::{DeployKeyRow, NewDeployKey},
    sites::SiteRow,
};
use utoipa::ToSchema;

/// So long a key waits for a site.
const KEPT: Duration = Duration::from_hours(24);
/// So many keys of a team may wait.
const MOST: i64 = 50;

/// What a person sends to have a key made.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewDeployKey)]
pub struct NewKey {
    /// The repository's address.
    pub url: String,
    /// `None`: the caller's first team.
    #[serde(default)]
    pub team_id: Option<TeamId>,
}

/// A key and what is told of it.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) id: DeployKeyId,
    pub(crate) access: SshAccess,
    pub(crate) view: DeployKeyView,
}

/// The key for a repository that the team has no site for yet: the one that waits, or a new one. Its server is known by
/// what its forge publishes, or else by the key that it shows now.
///
/// # Errors
/// 403, 404; 422 `url` for what is no SSH address, or a server that cannot be reached; 429 `too_many_deploy_keys`.
pub async fn create(platform: &Platform, actor: &Actor, new: NewKey) -> Result<DeployKeyView> {
    let team = access::team_to_write(actor, new.team_id)?;
    let url = RepoUrl::parse(&new.url).map_err(|e| Problem::invalid("url", e.code, e.message))?;
    Ok(waiting(platform, actor, team, &url, "url").await?.0.view)
}

/// The team's key for this address that waits for a site, made if there is none; and whether it was made now.
pub(crate) async fn waiting(
    platform: &Platform,
    actor: &Actor,
    team: TeamId,
    url: &RepoUrl,
    field: &str,
) -> Result<(Key, bool)> {
    let Some(address) = url.ssh() else {
        let message = "A deploy key is for an SSH address, such as git@example.org:me/site.git.";
        return Err(Problem::invalid(field, "repository_url", message).into());
    };
    if let Some(row) = find(platform, team, url).await? {
        return Ok((opened(platform, &row)?, false));
    }
    let allow_private = platform.settings.allow_private_repositories;
    let refused = |e: FetchError| Problem::invalid(field, e.code.as_str(), e.message);
    // Asked even where the answer is known: an address that may not be fetched from gets no key.
    forge::git::may_fetch(url, allow_private).await.map_err(refused)?;
    let host_key = match forge::git::published_host_key(&address) {
        Some(key) => key,
        None => forge::git::learn_host_key(url, allow_private).await.map_err(refused)?,
    };
    let pair = KeyPair::generate()?;
    let id = DeployKeyId::new();
    let private_key = platform.vault.seal(&row_name(id), pair.private_key.expose_secret().as_bytes())?;
    let new = NewDeployKey {
        id,
        team,
        url: url.as_str(),
        public_key: &pair.public_key,
        private_key: &private_key,
        host_key: host_key.as_str(),
    };
    let mut tx = platform.pool.begin().await?;
    store::deploy_keys::forget_unused(&mut tx, KEPT.as_secs_f64()).await?;
    let is_new = store::deploy_keys::insert(&mut tx, &new, MOST).await?;
    if is_new {
        let after = json!({ "url": url, "fingerprint": forge::git::fingerprint(&pair.public_key) });
        let entry = Entry::new("deploy_key.create", id, url.as_str()).of(team).change(None, after);
        audit::record(&mut tx, actor, entry).await?;
    }
    tx.commit().await?;
    // Somebody else of the team may have been quicker.
    let row = find(platform, team, url).await?.ok_or_else(|| {
        let detail = "This team has too many deploy keys that no site uses; they are forgotten after a day.";
        Problem::new(429, "too_many_deploy_keys", detail)
    })?;
    tracing::info!(%team, %url, is_new, "a deploy key waits for a site");
    Ok((opened(platform, &row)?, is_new))
}

/// The key that a site uses.
pub(crate) fn of_site(platform: &Platform, site: &SiteRow) -> Result<Option<Key>> {
    let (Some(id), Some(sealed), Some(view)) = (site.deploy_key, &site.deploy_key_private, view_of_site(site)) else {
        return Ok(None);
    };
    let host_key = site.host_key.as_deref().unwrap_or_default();
    let access = unseal(platform, id, sealed, &view.public_key, host_key)?;
    Ok(Some(Key { id, access, view }))
}

/// What is told of the key that a site uses.
pub(crate) fn view_of_site(site: &SiteRow) -> Option<DeployKeyView> {
    let public_key = site.deploy_key_public.as_deref()?;
    let slug = format!("{}/{}", site.team_slug, site.slug);
    let url = match &site.source.0 {
        model::site::Source::Git { url, .. } => url.to_string(),
        model::site::Source::Template(_) | model::site::Source::Hosted {} => String::new(),
    };
    Some(view(&url, public_key, &slug, site.host_key.as_deref().unwrap_or_default()))
}

/// Forgets those that no site came to use.
///
/// # Errors
/// The database's.
pub(crate) async fn forget_unused(platform: &Platform) -> Result<()> {
    let mut conn = platform.pool.acquire().await?;
    Ok(store::deploy_keys::forget_unused(&mut conn, KEPT.as_secs_f64()).await?)
}

impl Key {
    /// The server is known by the same key as to another of ours.
    pub(crate) fn trust_like(&mut self, other: &Self) {
        self.access.host_key = other.access.host_key.clone();
        self.view.host_key.clone_from(&other.view.host_key);
    }

    /// For a site that is being made: its name in the key's comment.
    pub(crate) fn named(mut self, slug: &SiteSlug) -> Self {
        self.view.public_key = format!("{}/{slug}", self.view.public_key);
        self
    }

    /// From now on the server is known by the key that it shows, if that is the one with this fingerprint.
    ///
    /// # Errors
    /// 422 for `{form}.accept_host_key` with the fingerprint that it shows, or for `{form}.url` where it shows none.
    pub(crate) async fn accept(&mut self, url: &RepoUrl, wanted: &str, allow_private: bool, form: &str) -> Result<()> {
        let shown = forge::git::learn_host_key(url, allow_private).await;
        let shown = shown.map_err(|e| Problem::invalid(&format!("{form}.url"), e.code.as_str(), e.message))?;
        let fingerprint = shown.fingerprint();
        if fingerprint != wanted {
            let message =
                format!("The repository's server shows the key {fingerprint}, not the one that was accepted.");
            let problem = Problem::invalid(&format!("{form}.accept_host_key"), "host_key_changed", message);
            let view = DeployKeyView { offered_host_key: Some(fingerprint), ..self.view.clone() };
            return Err(Problem { deploy_key: Some(Box::new(view)), ..problem }.into());
        }
        self.view.host_key = fingerprint;
        self.access.host_key = shown;
        Ok(())
    }

    /// The site's from now on, with the key by which its server is known.
    ///
    /// # Errors
    /// 409 `deploy_key_used` if another site was quicker.
    pub(crate) async fn put(&self, conn: &mut PgConnection, team: TeamId, site: model::SiteId) -> Result<()> {
        if store::deploy_keys::put(conn, team, self.id, site, self.access.host_key.as_str()).await? {
            return Ok(());
        }
        let detail = "Another site came to use this deploy key just now; try again, and add the new key at the forge.";
        Err(Problem::conflict("deploy_key_used", detail).into())
    }
}

pub(crate) fn row_name(id: DeployKeyId) -> String {
    format!("deploy_keys/{id}/private_key")
}

async fn find(platform: &Platform, team: TeamId, url: &RepoUrl) -> Result<Option<DeployKeyRow>> {
    let mut conn = platform.pool.acquire().await?;
    Ok(store::deploy_keys::unused(&mut conn, team, url.as_str(), KEPT.as_secs_f64()).await?)
}

fn opened(platform: &Platform, row: &DeployKeyRow) -> Result<Key> {
    let mut view = view(&row.url, &row.public_key, &row.team_slug, &row.host_key);
    view.expires_at = Some(row.created_at + KEPT);
    let access = unseal(platform, row.id, &row.private_key, &row.public_key, &row.host_key)?;
    Ok(Key { id: row.id, access, view })
}

fn unseal(platform: &Platform, id: DeployKeyId, sealed: &[u8], public: &str, host_key: &str) -> Result<SshAccess> {
    let opened = platform.vault.open(&row_name(id), sealed)?;
    let host_key = HostKey::parse(host_key).ok_or_else(|| anyhow::anyhow!("the host key of {id} cannot be read"))?;
    let private_key = SecretString::from(String::from_utf8_lossy(&opened).into_owned());
    Ok(SshAccess { private_key, public_key: public.to_owned(), host_key })
}

fn view(url: &str, public_key: &str, whose: &str, host_key: &str) -> DeployKeyView {
    DeployKeyView {
        url: url.to_owned(),
        public_key: format!("{public_key} webmeteor:{whose}"),
        fingerprint: forge::git::fingerprint(public_key),
        host_key: forge::git::fingerprint(host_key),
        offered_host_key: None,
        expires_at: None,
    }
}

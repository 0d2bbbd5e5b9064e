//! Who sent a webhook: the site is found, and its secret proves the sender, before anything in the body is believed.

use super::{old_secret, unreadable};
use crate::{Platform, Result, sites, vault::random_secret};
use bytes::Bytes;
use forge::webhook::{Provider, RepositoryKey, is_signed, repository_urls_unverified, verify};
use http::HeaderMap;
use model::{Problem, SiteId, views::SignedWith};
use sqlx::PgConnection;
use store::sites::SiteRow;

/// Who sent a webhook.
pub(super) struct Sender {
    /// Which forge.
    pub(super) provider: Provider,
    /// The site whose secret made the signature.
    pub(super) site: SiteRow,
    /// Which of its secrets.
    pub(super) signed_with: SignedWith,
}

/// Finds the forge and the site whose secret made the signature.
///
/// # Errors
/// 401 for a wrong or missing signature and for an unknown site alike; 400 for a body that names no site because it is
/// not JSON.
pub(super) async fn establish(
    platform: &Platform,
    site: Option<SiteId>,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Sender> {
    let provider = Provider::of(headers).filter(|provider| is_signed(*provider, headers)).ok_or_else(refused)?;
    let candidates = {
        let keys = match site {
            Some(_) => Vec::new(),
            None => look_up(provider, headers, body).await?,
        };
        let mut conn = platform.pool.acquire().await?;
        match site {
            Some(id) => store::sites::for_webhook(&mut conn, id).await?.into_iter().collect(),
            None => by_repository(platform, &mut conn, &keys).await?,
        }
    };
    // Two for each site, whether or not it has an old one, and two where there is no site: the answer takes as long.
    // What stands in for a secret is known to nobody.
    let mut secrets = Vec::new();
    for site in &candidates {
        secrets.push(sites::open_webhook_secret(platform, site)?);
        secrets.push(old_secret(platform, site)?.unwrap_or_else(random_secret));
    }
    if secrets.is_empty() {
        secrets = vec![random_secret(), random_secret()];
    }
    let (headers, body) = (headers.clone(), body.clone());
    let verified = tokio::task::spawn_blocking(move || {
        secrets.iter().position(|secret| verify(provider, &headers, &body, secret.as_bytes()).is_ok())
    })
    .await
    .map_err(anyhow::Error::from)?
    .ok_or_else(refused)?;
    let site = candidates.into_iter().nth(verified / 2).ok_or_else(refused)?;
    let signed_with = if verified % 2 == 0 { SignedWith::Secret } else { SignedWith::OldSecret };
    Ok(Sender { provider, site, signed_with })
}

/// The same words whatever was wrong: they tell nobody which sites there are.
fn refused() -> Problem {
    Problem {
        title: "Signature refused".into(),
        ..Problem::new(
            401,
            "bad_signature",
            "The webhook's signature is missing or wrong, or there is no such site. Compare the address and the secret \
             in the forge's settings with those on the site's page.",
        )
    }
}

async fn look_up(provider: Provider, headers: &HeaderMap, body: &Bytes) -> Result<Vec<RepositoryKey>> {
    let (headers, body) = (headers.clone(), body.clone());
    let found = tokio::task::spawn_blocking(move || repository_urls_unverified(provider, &headers, &body))
        .await
        .map_err(anyhow::Error::from)?;
    found.map_err(|e| unreadable(&e))
}

/// The sites of these repositories: remote ones, and those that the platform keeps under its own address.
async fn by_repository(platform: &Platform, conn: &mut PgConnection, keys: &[RepositoryKey]) -> Result<Vec<SiteRow>> {
    let addresses: Vec<String> = keys.iter().flat_map(RepositoryKey::addresses).collect();
    let mut found = store::sites::for_webhook_by_repository(conn, &addresses).await?;
    let own = RepositoryKey::of(&format!("{}/git", platform.settings.public_url));
    for key in keys {
        let names =
            own.as_ref().and_then(|own| key.as_str().strip_prefix(own.as_str())?.strip_prefix('/')?.split_once('/'));
        if let Some((_, slug)) = names {
            found.extend(store::sites::for_webhook_by_slug(conn, slug).await?);
        }
    }
    Ok(found)
}

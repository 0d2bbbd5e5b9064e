//! Keys that open repositories over SSH: made for an address, then a site's.

use model::{DeployKeyId, SiteId, TeamId};
use sqlx::{FromRow, PgConnection, Result};
use time::OffsetDateTime;

/// A key that no site uses yet.
#[derive(Debug, Clone, FromRow)]
pub struct DeployKeyRow {
    /// Id.
    pub id: DeployKeyId,
    /// Owner.
    pub team_id: TeamId,
    /// The owner's short name.
    pub team_slug: String,
    /// The repository's address.
    pub url: String,
    /// The public half.
    pub public_key: String,
    /// Sealed.
    pub private_key: Vec<u8>,
    /// The key that the repository's server may show.
    pub host_key: String,
    /// Since.
    pub created_at: OffsetDateTime,
}

/// What a new key needs.
pub struct NewDeployKey<'a> {
    /// Id.
    pub id: DeployKeyId,
    /// Owner.
    pub team: TeamId,
    /// The repository's address.
    pub url: &'a str,
    /// The public half.
    pub public_key: &'a str,
    /// Sealed.
    pub private_key: &'a [u8],
    /// The key that the repository's server may show.
    pub host_key: &'a str,
}

/// The team's key for this address that no site uses yet and that is younger than so many seconds.
pub async fn unused(conn: &mut PgConnection, team: TeamId, url: &str, seconds: f64) -> Result<Option<DeployKeyRow>> {
    sqlx::query_as(
        "select k.id, k.team_id, t.slug as team_slug, k.url, k.public_key, k.private_key, k.host_key, k.created_at \
         from deploy_keys k join teams t on t.id = k.team_id \
         where k.team_id = $1 and k.url = $2 and k.site_id is null \
             and k.created_at > now() - make_interval(secs => $3)",
    )
    .bind(team)
    .bind(url)
    .bind(seconds)
    .fetch_optional(conn)
    .await
}

/// Stores a key that no site uses yet, unless the team has one for this address, or `most` of them; `false` then.
pub async fn insert(conn: &mut PgConnection, new: &NewDeployKey<'_>, most: i64) -> Result<bool> {
    let done = sqlx::query(
        "insert into deploy_keys (id, team_id, url, public_key, private_key, host_key) \
         select $1, $2, $3, $4, $5, $6 \
         where (select count(*) from deploy_keys where team_id = $2 and site_id is null) < $7 \
         on conflict do nothing",
    )
    .bind(new.id)
    .bind(new.team)
    .bind(new.url)
    .bind(new.public_key)
    .bind(new.private_key)
    .bind(new.host_key)
    .bind(most)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The key becomes the site's, in place of the one that it had, with the key by which its server is known; `false` if
/// it is another site's by now, or forgotten.
pub async fn put(conn: &mut PgConnection, team: TeamId, id: DeployKeyId, site: SiteId, host_key: &str) -> Result<bool> {
    sqlx::query("delete from deploy_keys where team_id = $1 and site_id = $2 and id <> $3")
        .bind(team)
        .bind(site)
        .bind(id)
        .execute(&mut *conn)
        .await?;
    let done = sqlx::query(
        "update deploy_keys set site_id = $3, host_key = $4 \
         where team_id = $1 and id = $2 and (site_id is null or site_id = $3)",
    )
    .bind(team)
    .bind(id)
    .bind(site)
    .bind(host_key)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The site has no key any more.
pub async fn remove(conn: &mut PgConnection, team: TeamId, site: SiteId) -> Result<()> {
    sqlx::query("delete from deploy_keys where team_id = $1 and site_id = $2")
        .bind(team)
        .bind(site)
        .execute(conn)
        .await?;
    Ok(())
}

/// Forgets the keys of all teams that no site came to use within so many seconds.
pub async fn forget_unused(conn: &mut PgConnection, seconds: f64) -> Result<()> {
    sqlx::query("delete from deploy_keys where site_id is null and created_at <= now() - make_interval(secs => $1)")
        .bind(seconds)
        .execute(conn)
        .await?;
    Ok(())
}

//! Tokens that programs sign in with, found by their hash.

use model::{Role, SiteId, TeamId, TokenId, UserId};
use sqlx::{FromRow, PgConnection, Result};
use time::OffsetDateTime;

/// What a new token needs.
pub struct NewApiToken<'a> {
    /// Id.
    pub id: TokenId,
    /// Its team.
    pub team: TeamId,
    /// Whose it is.
    pub user: UserId,
    /// The one site it is for.
    pub site: Option<SiteId>,
    /// What it is for.
    pub name: &'a str,
    /// What it may do.
    pub scopes: &'a [String],
    /// SHA-256.
    pub hash: &'a [u8],
    /// Its last characters.
    pub ends_with: &'a str,
    /// Until.
    pub expires_at: Option<OffsetDateTime>,
}

/// Stores a token, unless its owner has `most` already; `false` then.
pub async fn insert(conn: &mut PgConnection, new: &NewApiToken<'_>, most: i64) -> Result<bool> {
    let done = sqlx::query(
        "insert into api_tokens (id, team_id, user_id, site_id, name, scopes, token_hash, ends_with, expires_at) \
         select $1, $2, $3, $4, $5, $6, $7, $8, $9 \
         where (select count(*) from api_tokens where user_id = $3) < $10",
    )
    .bind(new.id)
    .bind(new.team)
    .bind(new.user)
    .bind(new.site)
    .bind(new.name)
    .bind(new.scopes)
    .bind(new.hash)
    .bind(new.ends_with)
    .bind(new.expires_at)
    .bind(most)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A token with what people call its team and site.
#[derive(Debug, Clone, FromRow)]
pub struct ApiTokenRow {
    /// Id.
    pub id: TokenId,
    /// Its team.
    pub team_id: TeamId,
    /// That team's slug.
    pub team_slug: String,
    /// That team's name.
    pub team_name: String,
    /// The one site it is for.
    pub site_id: Option<SiteId>,
    /// That site's name.
    pub site_name: Option<String>,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// Its last characters.
    pub ends_with: String,
    /// Since.
    pub created_at: OffsetDateTime,
    /// Until.
    pub expires_at: Option<OffsetDateTime>,
    /// When it was last used.
    pub last_used_at: Option<OffsetDateTime>,
}

/// An account's tokens, newest first. There are never many of them.
pub async fn of_user(conn: &mut PgConnection, user: UserId) -> Result<Vec<ApiTokenRow>> {
    sqlx::query_as(
        "select k.id, k.team_id, t.slug as team_slug, t.name as team_name, k.site_id, s.name as site_name, k.name, \
             k.scopes, k.ends_with, k.created_at, k.expires_at, k.last_used_at \
         from api_tokens k join teams t on t.id = k.team_id left join sites s on s.id = k.site_id \
         where k.user_id = $1 order by k.id desc",
    )
    .bind(user)
    .fetch_all(conn)
    .await
}

/// Forgets a token of this account; `false` if it has none with this id.
pub async fn delete(conn: &mut PgConnection, user: UserId, id: TokenId) -> Result<bool> {
    let done = sqlx::query("delete from api_tokens where user_id = $1 and id = $2").bind(user).bind(id).execute(conn);
    Ok(done.await?.rows_affected() == 1)
}

/// Forgets all tokens that an account has for a team.
pub async fn delete_of_member(conn: &mut PgConnection, team: TeamId, user: UserId) -> Result<u64> {
    let done = sqlx::query("delete from api_tokens where team_id = $1 and user_id = $2").bind(team).bind(user);
    Ok(done.execute(conn).await?.rows_affected())
}

/// Forgets all tokens that are for one site alone.
pub async fn delete_of_site(conn: &mut PgConnection, team: TeamId, site: SiteId) -> Result<u64> {
    let done = sqlx::query("delete from api_tokens where team_id = $1 and site_id = $2").bind(team).bind(site);
    Ok(done.execute(conn).await?.rows_affected())
}

/// What a token that was presented stands for.
#[derive(Debug, Clone, FromRow)]
pub struct PresentedRow {
    /// Id.
    pub id: TokenId,
    /// Its team.
    pub team_id: TeamId,
    /// Whose it is.
    pub user_id: UserId,
    /// The one site it is for.
    pub site_id: Option<SiteId>,
    /// What it may do.
    pub scopes: Vec<String>,
    /// That account is an administrator of the platform.
    pub is_admin: bool,
    role: String,
}

impl PresentedRow {
    /// Its owner's role in the team, as it is now.
    pub fn role(&self) -> Option<Role> {
        Role::from_word(&self.role)
    }
}

/// The token with this hash; `None` if there is none, its time is over, or its owner is no longer in the team.
pub async fn presented(conn: &mut PgConnection, hash: &[u8]) -> Result<Option<PresentedRow>> {
    sqlx::query_as(
        "select k.id, k.team_id, k.user_id, k.site_id, k.scopes, u.is_admin, m.role \
         from api_tokens k join users u on u.id = k.user_id \
             join members m on m.team_id = k.team_id and m.user_id = k.user_id \
         where k.token_hash = $1 and (k.expires_at is null or k.expires_at > now())",
    )
    .bind(hash)
    .fetch_optional(conn)
    .await
}

/// Notes that a token is used, at most once a minute.
pub async fn note_use(conn: &mut PgConnection, id: TokenId) -> Result<()> {
    sqlx::query(
        "update api_tokens set last_used_at = now() \
         where id = $1 and (last_used_at is null or last_used_at < now() - interval '1 minute')",
    )
    .bind(id)
    .execute(conn)
    .await?;
    Ok(())
}

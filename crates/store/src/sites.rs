//! Sites.

use model::{DeployKeyId, SiteId, TeamId, site::Source};
use sqlx::{FromRow, PgConnection, Result, types::Json};
use time::OffsetDateTime;

/// A site with its team's names.
#[derive(Debug, Clone, FromRow)]
pub struct SiteRow {
    /// Id.
    pub id: SiteId,
    /// Owner.
    pub team_id: TeamId,
    /// The owner's short name.
    pub team_slug: String,
    /// The owner's name for people.
    pub team_name: String,
    /// The team whose names it was made under, for life: in labels and folders. It may be gone.
    pub home_team_id: TeamId,
    /// That team's short name, for life: in the names of containers, networks, volumes and images.
    pub home_slug: String,
    /// On the web; unique.
    pub slug: String,
    /// For people.
    pub name: String,
    /// Where the code comes from.
    pub source: Json<Source>,
    /// Sealed.
    pub webhook_secret: Vec<u8>,
    /// Sealed; the one before, while it still works.
    pub old_webhook_secret: Option<Vec<u8>>,
    /// The one before works until then.
    pub old_webhook_secret_until: Option<OffsetDateTime>,
    /// Sealed; for a private remote repository.
    pub repository_token: Option<Vec<u8>>,
    /// The key that opens a repository over SSH.
    pub deploy_key: Option<DeployKeyId>,
    /// Its public half.
    pub deploy_key_public: Option<String>,
    /// Sealed; its private half.
    pub deploy_key_private: Option<Vec<u8>>,
    /// The key that the repository's server may show.
    pub host_key: Option<String>,
    /// Pull requests get previews.
    pub previews_enabled: bool,
    /// At most so many at a time.
    pub previews_max: i32,
    /// One of which nothing was heard for so many days goes.
    pub previews_idle_days: i32,
    /// GitHub's number of the installation that it comes through.
    pub github_installation: Option<i64>,
    /// GitHub's number of its repository there.
    pub github_repository: Option<i64>,
    /// Since.
    pub created_at: OffsetDateTime,
    /// Set once its removal was asked for.
    pub deleting_at: Option<OffsetDateTime>,
    /// With the removal: its volumes go too.
    pub delete_data: Option<bool>,
}

const SELECT: &str = "select s.id, s.team_id, t.slug as team_slug, t.name as team_name, s.slug, s.name, s.source, \
     s.home_team_id, s.home_slug, s.webhook_secret, s.repository_token, s.previews_enabled, s.previews_max, s.previews_idle_days, \
     s.github_installation, s.github_repository, s.created_at, s.deleting_at, s.delete_data, \
     case when s.old_webhook_secret_until > now() then s.old_webhook_secret end as old_webhook_secret, \
     case when s.old_webhook_secret_until > now() then s.old_webhook_secret_until end as old_webhook_secret_until, \
     k.id as deploy_key, k.public_key as deploy_key_public, k.private_key as deploy_key_private, k.host_key \
     from sites s join teams t on t.id = s.team_id left join deploy_keys k on k.site_id = s.id";

/// What a new site needs.
pub struct NewSite<'a> {
    /// Id.
    pub id: SiteId,
    /// Owner.
    pub team: TeamId,
    /// On the web.
    pub slug: &'a str,
    /// For people.
    pub name: &'a str,
    /// Where the code comes from.
    pub source: &'a Source,
    /// Sealed.
    pub webhook_secret: &'a [u8],
    /// Sealed.
    pub repository_token: Option<&'a [u8]>,
}

/// Adds a site; violates `sites_slug_key` where the slug is taken.
pub async fn insert(conn: &mut PgConnection, site: &NewSite<'_>) -> Result<()> {
    sqlx::query(
        "insert into sites (id, team_id, home_team_id, home_slug, slug, name, source, webhook_secret, \
             repository_token) \
         values ($1, $2, $2, (select t.slug from teams t where t.id = $2), $3, $4, $5, $6, $7)",
    )
    .bind(site.id)
    .bind(site.team)
    .bind(site.slug)
    .bind(site.name)
    .bind(Json(site.source))
    .bind(site.webhook_secret)
    .bind(site.repository_token)
    .execute(conn)
    .await?;
    Ok(())
}

/// One site of these teams.
pub async fn by_id(conn: &mut PgConnection, teams: &[TeamId], id: SiteId) -> Result<Option<SiteRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!("{SELECT} where s.team_id = any($1) and s.id = $2")))
        .bind(teams)
        .bind(id)
        .fetch_optional(conn)
        .await
}

/// One site of these teams, held until the transaction ends.
pub async fn lock(conn: &mut PgConnection, teams: &[TeamId], id: SiteId) -> Result<Option<SiteRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!("{SELECT} where s.team_id = any($1) and s.id = $2 for update of s")))
        .bind(teams)
        .bind(id)
        .fetch_optional(conn)
        .await
}

/// One site of these teams, whichever it belongs to, by its slug.
pub async fn by_slug(conn: &mut PgConnection, teams: &[TeamId], slug: &str) -> Result<Option<SiteRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!("{SELECT} where s.team_id = any($1) and s.slug = $2")))
        .bind(teams)
        .bind(slug)
        .fetch_optional(conn)
        .await
}

/// Gives a site to another team, and with it all that belongs to it; its names in the engine stay as they are.
pub async fn transfer(conn: &mut PgConnection, team: TeamId, id: SiteId, to: TeamId) -> Result<()> {
    sqlx::query("update sites set team_id = $3 where team_id = $1 and id = $2")
        .bind(team)
        .bind(id)
        .bind(to)
        .execute(conn)
        .await?;
    Ok(())
}

/// What of a site is under way: deployments that wait or run, and pushes to its repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct UnderWay {
    /// Deployments.
    pub deployments: i64,
    /// Pushes.
    pub pushes: i64,
}

/// Counts what of a site is under way.
pub async fn under_way(conn: &mut PgConnection, team: TeamId, id: SiteId) -> Result<UnderWay> {
    sqlx::query_as(
        "select (select count(*) from deployments where team_id = $1 and site_id = $2 \
                 and status not in ('live', 'failed', 'cancelled', 'superseded')) as deployments, \
                (select count(*) from pushes_under_way where team_id = $1 and site_id = $2) as pushes",
    )
    .bind(team)
    .bind(id)
    .fetch_one(conn)
    .await
}

/// The sites of these teams, newest first, those older than `before`.
pub async fn list(
    conn: &mut PgConnection,
    teams: &[TeamId],
    before: Option<SiteId>,
    limit: i64,
) -> Result<Vec<SiteRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{SELECT} where s.team_id = any($1) and ($2::uuid is null or s.id < $2) order by s.id desc limit $3"
    )))
    .bind(teams)
    .bind(before)
    .bind(limit)
    .fetch_all(conn)
    .await
}

/// For the webhook alone, which has no actor yet: a site by its id, whoever owns it.
pub async fn for_webhook(conn: &mut PgConnection, id: SiteId) -> Result<Option<SiteRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!("{SELECT} where s.id = $1 and s.deleting_at is null")))
        .bind(id)
        .fetch_optional(conn)
        .await
}

/// For the webhook alone: the sites whose remote repository has this address, compared in lower case and without
/// `.git` and a slash at the end; one of SSH, in either form, as `ssh://host/path` without user and port.
pub async fn for_webhook_by_repository(conn: &mut PgConnection, addresses: &[String]) -> Result<Vec<SiteRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{SELECT} where s.deleting_at is null and regexp_replace(regexp_replace(regexp_replace(\
         lower(s.source #>> '{{git,url}}'), '(\\.git)?/*$', ''), \
         '^ssh://[^@/]+@(\\[[^]/]+\\]|[^:/]+)(:[0-9]+)?/', 'ssh://\\1/'), \
         '^[^@:/]+@([^:/]+):/?', 'ssh://\\1/') = any($1) order by s.id limit 50"
    )))
    .bind(addresses)
    .fetch_all(conn)
    .await
}

/// For the webhook alone: the site whose repository the platform keeps itself, by the last name in its Git address. The
/// team before it is another one after a transfer, and forges keep the address that they were given.
pub async fn for_webhook_by_slug(conn: &mut PgConnection, slug: &str) -> Result<Option<SiteRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!("{SELECT} where s.slug = $1 and s.deleting_at is null")))
        .bind(slug)
        .fetch_optional(conn)
        .await
}

/// Whether a slug is taken by any team's site.
pub async fn slug_taken(conn: &mut PgConnection, slug: &str) -> Result<bool> {
    sqlx::query_scalar("select exists (select 1 from sites where slug = $1)").bind(slug).fetch_one(conn).await
}

/// Another name for people.
pub async fn rename(conn: &mut PgConnection, team: TeamId, id: SiteId, name: &str) -> Result<()> {
    sqlx::query("update sites set name = $3 where team_id = $1 and id = $2")
        .bind(team)
        .bind(id)
        .bind(name)
        .execute(conn)
        .await?;
    Ok(())
}

/// Where a site's code comes from, with its sealed token.
#[derive(Debug, Clone, Copy)]
pub struct Repository<'a> {
    /// The source.
    pub source: &'a Source,
    /// Sealed.
    pub token: Option<&'a [u8]>,
}

/// Another source in place of the one that was read; `false` if that one is no longer there, or the site goes.
pub async fn set_repository(
    conn: &mut PgConnection,
    team: TeamId,
    id: SiteId,
    old: Repository<'_>,
    new: Repository<'_>,
) -> Result<bool> {
    let done = sqlx::query(
        "update sites set source = $5, repository_token = $6 \
         where team_id = $1 and id = $2 and source = $3 and repository_token is not distinct from $4 \
             and deleting_at is null",
    )
    .bind(team)
    .bind(id)
    .bind(Json(old.source))
    .bind(old.token)
    .bind(Json(new.source))
    .bind(new.token)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Another webhook secret; the present one goes on working, under the name of the old one, for so many seconds. The one
/// before that no longer works.
pub async fn rotate_webhook_secret(
    conn: &mut PgConnection,
    team: TeamId,
    id: SiteId,
    new: &[u8],
    old: Option<(&[u8], f64)>,
) -> Result<()> {
    sqlx::query(
        "update sites set webhook_secret = $3, old_webhook_secret = $4, \
             old_webhook_secret_until = now() + make_interval(secs => $5) \
         where team_id = $1 and id = $2",
    )
    .bind(team)
    .bind(id)
    .bind(new)
    .bind(old.map(|(sealed, _)| sealed))
    .bind(old.map(|(_, seconds)| seconds))
    .execute(conn)
    .await?;
    Ok(())
}

/// The webhook secret before the present one no longer works.
pub async fn drop_old_webhook_secret(conn: &mut PgConnection, team: TeamId, id: SiteId) -> Result<()> {
    sqlx::query(
        "update sites set old_webhook_secret = null, old_webhook_secret_until = null where team_id = $1 and id = $2",
    )
    .bind(team)
    .bind(id)
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets the webhook secrets of all sites that no longer work, so that no copy of the database holds them.
pub async fn forget_old_webhook_secrets(conn: &mut PgConnection) -> Result<()> {
    sqlx::query(
        "update sites set old_webhook_secret = null, old_webhook_secret_until = null \
         where old_webhook_secret is not null and old_webhook_secret_until <= now()",
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Marks a site for removal; `false` if it already was.
pub async fn mark_deleting(conn: &mut PgConnection, team: TeamId, id: SiteId, delete_data: bool) -> Result<bool> {
    let done = sqlx::query(
        "update sites set deleting_at = now(), delete_data = $3 where team_id = $1 and id = $2 and deleting_at is null",
    )
    .bind(team)
    .bind(id)
    .bind(delete_data)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// For the reconciler: all sites marked for removal on which no worker is at work.
pub async fn to_remove(conn: &mut PgConnection) -> Result<Vec<SiteRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{SELECT} where s.deleting_at is not null and not exists (select 1 from deployments d where d.site_id = s.id \
         and d.status in ('fetching', 'building', 'starting', 'verifying', 'switching')) order by s.deleting_at"
    )))
    .fetch_all(conn)
    .await
}

/// Removes the rows of a site and all that hangs on them.
pub async fn remove(conn: &mut PgConnection, team: TeamId, id: SiteId) -> Result<()> {
    sqlx::query("delete from sites where team_id = $1 and id = $2").bind(team).bind(id).execute(conn).await?;
    Ok(())
}

//! Environments of a site.

use model::{EnvironmentId, ReleaseId, SiteId, TeamId};
use sqlx::{FromRow, PgConnection, Result};
use time::OffsetDateTime;

/// An environment.
#[derive(Debug, Clone, FromRow)]
pub struct EnvironmentRow {
    /// Id.
    pub id: EnvironmentId,
    /// Owner.
    pub team_id: TeamId,
    /// Its site.
    pub site_id: SiteId,
    /// `production`, …
    pub name: String,
    /// The branch it deploys.
    pub branch: String,
    /// Which subnet of the pool is its own; 0 is the first.
    pub subnet_index: i32,
    /// Sealed.
    pub secrets: Vec<u8>,
    /// What serves now.
    pub current_release: Option<ReleaseId>,
    /// Nothing new is deployed while it is set.
    pub paused_at: Option<OffsetDateTime>,
    /// The folder of the repository that the site lies in; empty is the repository itself.
    pub root: String,
    /// A push that changes none of these is not deployed; with none, every push is.
    pub watch: Vec<String>,
    /// The newest of its variable sets; 0 before the first.
    pub variables_version: i64,
    /// Since.
    pub created_at: OffsetDateTime,
    /// Set once its removal was asked for.
    pub deleting_at: Option<OffsetDateTime>,
    /// With the removal: its volumes go too.
    pub delete_data: Option<bool>,
    /// It was made for a pull request.
    pub is_preview: bool,
}

const COLUMNS: &str = "id, team_id, site_id, name, branch, subnet_index, secrets, current_release, paused_at, root, \
     watch, variables_version, created_at, deleting_at, delete_data, is_preview";

/// What a new environment needs.
pub struct NewEnvironment<'a> {
    /// Id.
    pub id: EnvironmentId,
    /// Owner.
    pub team: TeamId,
    /// Its site.
    pub site: SiteId,
    /// Its name.
    pub name: &'a str,
    /// The first label of its host.
    pub host: &'a str,
    /// The branch it deploys.
    pub branch: &'a str,
    /// The folder of the repository that the site lies in.
    pub root: &'a str,
    /// Patterns of the paths that it watches.
    pub watch: &'a [String],
    /// Sealed.
    pub secrets: &'a [u8],
}

/// Adds an environment with the lowest free subnet of `subnets`; `false` if none is free. Violates
/// `environments_name_key` or `environments_host_key` where the site has one of this name, or any site the host.
pub async fn insert(conn: &mut PgConnection, new: &NewEnvironment<'_>, subnets: i32) -> Result<bool> {
    // Held until the transaction ends: two sites made at once never see the same subnet as free.
    sqlx::query("select pg_advisory_xact_lock(hashtext('webmeteor.subnets'))").execute(&mut *conn).await?;
    let done = sqlx::query(
        "insert into environments (id, team_id, site_id, name, branch, secrets, host, root, watch, subnet_index) \
         select $1, $2, $3, $4, $5, $6, $8, $9, $10, free.i from ( \
             select i from ( \
                 select 0 as i where not exists (select 1 from environments where subnet_index = 0) \
                 union all \
                 select e.subnet_index + 1 from environments e \
                 where not exists (select 1 from environments n where n.subnet_index = e.subnet_index + 1) \
             ) gaps where i < $7 order by i limit 1 \
         ) free",
    )
    .bind(new.id)
    .bind(new.team)
    .bind(new.site)
    .bind(new.name)
    .bind(new.branch)
    .bind(new.secrets)
    .bind(subnets)
    .bind(new.host)
    .bind(new.root)
    .bind(new.watch)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The environments of a site, production first.
pub async fn of_site(conn: &mut PgConnection, team: TeamId, site: SiteId) -> Result<Vec<EnvironmentRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "select {COLUMNS} from environments where team_id = $1 and site_id = $2 \
         order by name <> 'production', created_at"
    )))
    .bind(team)
    .bind(site)
    .fetch_all(conn)
    .await
}

/// The branch that production deploys, for each of these sites.
pub async fn production_branches(
    conn: &mut PgConnection,
    teams: &[TeamId],
    sites: &[SiteId],
) -> Result<Vec<(SiteId, String)>> {
    sqlx::query_as(
        "select site_id, branch from environments \
         where team_id = any($1) and site_id = any($2) and name = 'production'",
    )
    .bind(teams)
    .bind(sites)
    .fetch_all(conn)
    .await
}

/// One environment by its name.
pub async fn by_name(
    conn: &mut PgConnection,
    team: TeamId,
    site: SiteId,
    name: &str,
) -> Result<Option<EnvironmentRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "select {COLUMNS} from environments where team_id = $1 and site_id = $2 and name = $3"
    )))
    .bind(team)
    .bind(site)
    .bind(name)
    .fetch_optional(conn)
    .await
}

/// One environment.
pub async fn by_id(conn: &mut PgConnection, team: TeamId, id: EnvironmentId) -> Result<Option<EnvironmentRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!("select {COLUMNS} from environments where team_id = $1 and id = $2")))
        .bind(team)
        .bind(id)
        .fetch_optional(conn)
        .await
}

/// What serves from now on.
pub async fn set_current(conn: &mut PgConnection, team: TeamId, id: EnvironmentId, release: ReleaseId) -> Result<()> {
    sqlx::query("update environments set current_release = $3 where team_id = $1 and id = $2")
        .bind(team)
        .bind(id)
        .bind(release)
        .execute(conn)
        .await?;
    Ok(())
}

/// For the reconciler: whether any environment has this id.
pub async fn exists(conn: &mut PgConnection, id: EnvironmentId) -> Result<bool> {
    sqlx::query_scalar("select exists (select 1 from environments where id = $1)").bind(id).fetch_one(conn).await
}

/// One environment by its name, held until the transaction ends: nobody else decides on it meanwhile.
pub async fn lock_by_name(
    conn: &mut PgConnection,
    team: TeamId,
    site: SiteId,
    name: &str,
) -> Result<Option<EnvironmentRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "select {COLUMNS} from environments where team_id = $1 and site_id = $2 and name = $3 for no key update"
    )))
    .bind(team)
    .bind(site)
    .bind(name)
    .fetch_optional(conn)
    .await
}

/// The environments of a site, production first, held until the transaction ends: nobody else decides on them meanwhile.
pub async fn lock_of_site(conn: &mut PgConnection, team: TeamId, site: SiteId) -> Result<Vec<EnvironmentRow>> {
    // Always taken in this order, so that no two wait for each other.
    let mut rows: Vec<EnvironmentRow> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "select {COLUMNS} from environments where team_id = $1 and site_id = $2 order by id for no key update"
    )))
    .bind(team)
    .bind(site)
    .fetch_all(conn)
    .await?;
    rows.sort_by_key(|row| (row.name != "production", row.created_at));
    Ok(rows)
}

/// Whether any site's environment has this first label of a host.
pub async fn host_taken(conn: &mut PgConnection, host: &str) -> Result<bool> {
    sqlx::query_scalar("select exists (select 1 from environments where host = $1)").bind(host).fetch_one(conn).await
}

/// Another set of variables is the newest.
pub async fn set_variables(conn: &mut PgConnection, team: TeamId, id: EnvironmentId, version: i64) -> Result<()> {
    sqlx::query("update environments set variables_version = $3 where team_id = $1 and id = $2")
        .bind(team)
        .bind(id)
        .bind(version)
        .execute(conn)
        .await?;
    Ok(())
}

/// What people set for an environment.
pub struct Settings<'a> {
    /// The branch it deploys.
    pub branch: &'a str,
    /// The folder of the repository that the site lies in.
    pub root: &'a str,
    /// Patterns of the paths that it watches.
    pub watch: &'a [String],
    /// Nothing new is deployed.
    pub paused: bool,
}

/// Sets them; a pause keeps the time at which it began.
pub async fn set(conn: &mut PgConnection, team: TeamId, id: EnvironmentId, settings: &Settings<'_>) -> Result<()> {
    sqlx::query(
        "update environments set branch = $3, root = $4, watch = $5, \
             paused_at = case when $6 then coalesce(paused_at, now()) end \
         where team_id = $1 and id = $2",
    )
    .bind(team)
    .bind(id)
    .bind(settings.branch)
    .bind(settings.root)
    .bind(settings.watch)
    .bind(settings.paused)
    .execute(conn)
    .await?;
    Ok(())
}

/// Marks an environment for removal; `false` if it already was.
pub async fn mark_deleting(
    conn: &mut PgConnection,
    team: TeamId,
    id: EnvironmentId,
    delete_data: bool,
) -> Result<bool> {
    let done = sqlx::query(
        "update environments set deleting_at = now(), delete_data = $3 \
         where team_id = $1 and id = $2 and deleting_at is null",
    )
    .bind(team)
    .bind(id)
    .bind(delete_data)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// For the reconciler: all environments marked for removal on which no worker is at work. Those of a site that is
/// removed go with it.
pub async fn to_remove(conn: &mut PgConnection) -> Result<Vec<EnvironmentRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "select {COLUMNS} from environments e where e.deleting_at is not null \
           and not exists (select 1 from sites s where s.id = e.site_id and s.deleting_at is not null) \
           and not exists (select 1 from deployments d where d.environment_id = e.id \
               and d.status in ('fetching', 'building', 'starting', 'verifying', 'switching')) \
         order by e.deleting_at"
    )))
    .fetch_all(conn)
    .await
}

/// Removes the rows of an environment and all that hangs on them.
pub async fn remove(conn: &mut PgConnection, team: TeamId, id: EnvironmentId) -> Result<()> {
    sqlx::query("delete from environments where team_id = $1 and id = $2").bind(team).bind(id).execute(conn).await?;
    Ok(())
}

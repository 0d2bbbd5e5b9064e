//! Environments of a site.

use model::{EnvironmentId, ReleaseId, SiteId, TeamId};
use sqlx::{FromRow, PgConnection, Result};

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
}

const COLUMNS: &str = "id, team_id, site_id, name, branch, subnet_index, secrets, current_release";

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
    /// The branch it deploys.
    pub branch: &'a str,
    /// Sealed.
    pub secrets: &'a [u8],
}

/// Adds an environment with the lowest free subnet of `subnets`; `false` if none is free.
pub async fn insert(conn: &mut PgConnection, new: &NewEnvironment<'_>, subnets: i32) -> Result<bool> {
    // Held until the transaction ends: two sites made at once never see the same subnet as free.
    sqlx::query("select pg_advisory_xact_lock(hashtext('webmeteor.subnets'))").execute(&mut *conn).await?;
    let done = sqlx::query(
        "insert into environments (id, team_id, site_id, name, branch, secrets, subnet_index) \
         select $1, $2, $3, $4, $5, $6, free.i from ( \
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

/// For the reconciler: every environment of sites that are not being removed.
pub async fn all(conn: &mut PgConnection) -> Result<Vec<EnvironmentRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "select {COLUMNS} from environments e where not exists \
         (select 1 from sites s where s.id = e.site_id and s.deleting_at is not null) order by id"
    )))
    .fetch_all(conn)
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

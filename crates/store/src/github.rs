//! The GitHub App's installations, the sites that come through them, and what was written on GitHub for them.

use model::{DeploymentId, SiteId, TeamId, UserId};
use sqlx::{FromRow, PgConnection, Result};
use time::OffsetDateTime;

/// An installation that a team has connected.
#[derive(Debug, Clone, FromRow)]
pub struct InstallationRow {
    /// Whose.
    pub team_id: TeamId,
    /// GitHub's number.
    pub installation_id: i64,
    /// The user or organization on GitHub.
    pub account: String,
    /// GitHub's numbers of the repositories that whoever connected it may see.
    pub repositories: Vec<i64>,
    /// Set while GitHub does not let it be used.
    pub suspended_at: Option<OffsetDateTime>,
}

/// Connects an installation with a team; where it is already, the repositories come to those that are there.
pub async fn connect(
    conn: &mut PgConnection,
    team: TeamId,
    installation: i64,
    account: &str,
    repositories: &[i64],
    by: Option<UserId>,
) -> Result<()> {
    sqlx::query(
        "insert into github_installations as i (team_id, installation_id, account, repositories, connected_by) \
         values ($1, $2, $3, $4, $5) \
         on conflict (team_id, installation_id) do update set account = excluded.account, suspended_at = null, \
             repositories = array(select unnest(i.repositories) union select unnest(excluded.repositories))",
    )
    .bind(team)
    .bind(installation)
    .bind(account)
    .bind(repositories)
    .bind(by)
    .execute(conn)
    .await?;
    Ok(())
}

/// The installations that these teams have connected.
pub async fn installations(conn: &mut PgConnection, teams: &[TeamId]) -> Result<Vec<InstallationRow>> {
    sqlx::query_as(
        "select team_id, installation_id, account, repositories, suspended_at from github_installations \
         where team_id = any($1) order by account, team_id",
    )
    .bind(teams)
    .fetch_all(conn)
    .await
}

/// For the App's webhook alone: GitHub has taken an installation away, whoever connected it.
pub async fn remove_installation(conn: &mut PgConnection, installation: i64) -> Result<u64> {
    let done = sqlx::query("delete from github_installations where installation_id = $1")
        .bind(installation)
        .execute(conn)
        .await?;
    Ok(done.rows_affected())
}

/// For the App's webhook alone: GitHub has suspended an installation, or lets it be used again.
pub async fn suspend_installation(conn: &mut PgConnection, installation: i64, suspended: bool) -> Result<u64> {
    let done = sqlx::query(
        "update github_installations set suspended_at = case when $2 then now() end where installation_id = $1",
    )
    .bind(installation)
    .bind(suspended)
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// For an App that is forgotten: none of its installations can be used any more.
pub async fn remove_all_installations(conn: &mut PgConnection) -> Result<()> {
    sqlx::query("delete from github_installations").execute(conn).await?;
    Ok(())
}

/// A site comes through an installation from now on.
pub async fn set_site(
    conn: &mut PgConnection,
    team: TeamId,
    site: SiteId,
    installation: i64,
    repository: i64,
) -> Result<()> {
    sqlx::query("update sites set github_installation = $3, github_repository = $4 where team_id = $1 and id = $2")
        .bind(team)
        .bind(site)
        .bind(installation)
        .bind(repository)
        .execute(conn)
        .await?;
    Ok(())
}

/// A site's repository is fetched without the App from now on.
pub async fn forget_site(conn: &mut PgConnection, team: TeamId, site: SiteId) -> Result<()> {
    sqlx::query("update sites set github_installation = null, github_repository = null where team_id = $1 and id = $2")
        .bind(team)
        .bind(site)
        .execute(conn)
        .await?;
    Ok(())
}

/// For the App's webhook alone: the sites of a repository that come through an installation, with their teams.
pub async fn sites_of_repository(
    conn: &mut PgConnection,
    installation: i64,
    repository: i64,
) -> Result<Vec<(SiteId, TeamId)>> {
    sqlx::query_as(
        "select id, team_id from sites where github_installation = $1 and github_repository = $2 \
           and deleting_at is null order by id limit 50",
    )
    .bind(installation)
    .bind(repository)
    .fetch_all(conn)
    .await
}

/// GitHub's number of a deployment, once it has one.
pub async fn deployment(conn: &mut PgConnection, team: TeamId, deployment: DeploymentId) -> Result<Option<i64>> {
    let row: Option<Option<i64>> =
        sqlx::query_scalar("select github_deployment from forge_reports where team_id = $1 and deployment_id = $2")
            .bind(team)
            .bind(deployment)
            .fetch_optional(conn)
            .await?;
    Ok(row.flatten())
}

/// Keeps GitHub's number of a deployment.
pub async fn set_deployment(conn: &mut PgConnection, team: TeamId, deployment: DeploymentId, id: i64) -> Result<()> {
    sqlx::query("update forge_reports set github_deployment = $3 where team_id = $1 and deployment_id = $2")
        .bind(team)
        .bind(deployment)
        .bind(id)
        .execute(conn)
        .await?;
    Ok(())
}

/// The comment on a pull request, once there is one.
pub async fn comment(conn: &mut PgConnection, team: TeamId, site: SiteId, pull: i64) -> Result<Option<i64>> {
    sqlx::query_scalar("select comment_id from github_comments where team_id = $1 and site_id = $2 and pull = $3")
        .bind(team)
        .bind(site)
        .bind(pull)
        .fetch_optional(conn)
        .await
}

/// Keeps which comment it is.
pub async fn set_comment(conn: &mut PgConnection, team: TeamId, site: SiteId, pull: i64, id: i64) -> Result<()> {
    sqlx::query(
        "insert into github_comments (site_id, team_id, pull, comment_id) values ($2, $1, $3, $4) \
         on conflict (site_id, pull) do update set comment_id = excluded.comment_id",
    )
    .bind(team)
    .bind(site)
    .bind(pull)
    .bind(id)
    .execute(conn)
    .await?;
    Ok(())
}

//! Pull and merge requests that the forges told of, and the previews that sites have of them.

use crate::deployments::Word;
use model::{
    EnvironmentId, SiteId, TeamId, UserId,
    views::{PreviewSettings, PreviewState},
};
use sqlx::{FromRow, PgConnection, Result};
use time::OffsetDateTime;

/// A pull or merge request.
#[derive(Debug, Clone, FromRow)]
pub struct PullRequestRow {
    /// Owner.
    pub team_id: TeamId,
    /// Its site.
    pub site_id: SiteId,
    /// The forge's own number.
    pub number: i64,
    /// The forge that told of it.
    pub provider: String,
    /// Its title.
    pub title: String,
    /// Who wrote it, where the forge tells.
    pub author: Option<String>,
    /// The branch to be merged.
    pub source_branch: String,
    /// The branch to merge into.
    pub target_branch: String,
    /// It comes from another repository.
    pub from_fork: bool,
    /// Its newest commit; `None` where the forge does not tell.
    pub head: Option<String>,
    /// When it was changed last by the forge's own clock, where it tells.
    pub changed_at: Option<OffsetDateTime>,
    #[sqlx(try_from = "String")]
    state: Word<PreviewState>,
    /// The one commit of a fork that may be built.
    pub approved_commit: Option<String>,
    /// The name of who approved it, while there is such an account.
    pub approved_by: Option<String>,
    /// Since.
    pub approved_at: Option<OffsetDateTime>,
    /// Its preview, if there is one.
    pub environment_id: Option<EnvironmentId>,
    /// Since.
    pub created_at: OffsetDateTime,
    /// When something was last heard of it that concerns its preview.
    pub active_at: OffsetDateTime,
}

impl PullRequestRow {
    /// How its preview stands.
    pub fn state(&self) -> PreviewState {
        self.state.0
    }
}

impl TryFrom<String> for Word<PreviewState> {
    type Error = String;
    fn try_from(word: String) -> std::result::Result<Self, String> {
        PreviewState::from_word(&word).map(Self).ok_or_else(|| format!("unknown word {word:?} in the database"))
    }
}

const SELECT: &str = "select p.team_id, p.site_id, p.number, p.provider, p.title, p.author, p.source_branch, \
     p.target_branch, p.from_fork, p.head, p.changed_at, p.state, p.approved_commit, u.name as approved_by, p.approved_at, \
     p.environment_id, p.created_at, p.active_at from pull_requests p left join users u on u.id = p.approved_by";

/// Holds what is decided about a site's previews until the transaction ends: one decides after the other.
pub async fn lock(conn: &mut PgConnection, site: SiteId) -> Result<()> {
    sqlx::query("select pg_advisory_xact_lock(hashtext('webmeteor.previews'), hashtext($1::text))")
        .bind(site)
        .execute(conn)
        .await?;
    Ok(())
}

/// What a forge tells of a pull request.
pub struct Told<'a> {
    /// The forge.
    pub provider: &'a str,
    /// Its title.
    pub title: &'a str,
    /// Who wrote it.
    pub author: Option<&'a str>,
    /// The branch to be merged.
    pub source_branch: &'a str,
    /// The branch to merge into.
    pub target_branch: &'a str,
    /// It comes from another repository.
    pub from_fork: bool,
    /// Its newest commit.
    pub head: Option<&'a str>,
    /// When it was changed last by the forge's own clock, where it tells.
    pub changed_at: Option<OffsetDateTime>,
}

/// Notes what a forge told, and how the preview stands with it.
pub async fn put(
    conn: &mut PgConnection,
    team: TeamId,
    (site, number): (SiteId, i64),
    told: &Told<'_>,
    state: PreviewState,
) -> Result<()> {
    sqlx::query(
        "insert into pull_requests (site_id, number, team_id, provider, title, author, source_branch, target_branch, \
             from_fork, head, state, changed_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
         on conflict (site_id, number) do update set provider = excluded.provider, title = excluded.title, \
             author = coalesce(excluded.author, pull_requests.author), source_branch = excluded.source_branch, \
             target_branch = excluded.target_branch, from_fork = excluded.from_fork, \
             head = coalesce(excluded.head, pull_requests.head), state = excluded.state, \
             changed_at = coalesce(excluded.changed_at, pull_requests.changed_at), active_at = now()",
    )
    .bind(site)
    .bind(number)
    .bind(team)
    .bind(told.provider)
    .bind(told.title)
    .bind(told.author)
    .bind(told.source_branch)
    .bind(told.target_branch)
    .bind(told.from_fork)
    .bind(told.head)
    .bind(state.as_str())
    .bind(told.changed_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// One pull request of a site.
pub async fn by_number(
    conn: &mut PgConnection,
    team: TeamId,
    site: SiteId,
    number: i64,
) -> Result<Option<PullRequestRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!("{SELECT} where p.team_id = $1 and p.site_id = $2 and p.number = $3")))
        .bind(team)
        .bind(site)
        .bind(number)
        .fetch_optional(conn)
        .await
}

/// The pull request whose preview an environment is; `None` if it is none.
pub async fn of_environment(
    conn: &mut PgConnection,
    team: TeamId,
    environment: EnvironmentId,
) -> Result<Option<PullRequestRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!("{SELECT} where p.team_id = $1 and p.environment_id = $2")))
        .bind(team)
        .bind(environment)
        .fetch_optional(conn)
        .await
}

/// The pull requests of a site, at most `limit`: those with a preview first, then those that are open, the newest first.
pub async fn list(conn: &mut PgConnection, team: TeamId, site: SiteId, limit: i64) -> Result<Vec<PullRequestRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{SELECT} where p.team_id = $1 and p.site_id = $2 \
         order by p.environment_id is null, p.state in ('closed', 'merged'), p.number desc limit $3"
    )))
    .bind(team)
    .bind(site)
    .bind(limit)
    .fetch_all(conn)
    .await
}

/// The pull requests of a site that wait for room, the oldest first.
pub async fn waiting(conn: &mut PgConnection, team: TeamId, site: SiteId) -> Result<Vec<PullRequestRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{SELECT} where p.team_id = $1 and p.site_id = $2 and p.state = 'waiting' order by p.number"
    )))
    .bind(team)
    .bind(site)
    .fetch_all(conn)
    .await
}

/// How a preview stands from now on.
pub async fn set_state(
    conn: &mut PgConnection,
    team: TeamId,
    (site, number): (SiteId, i64),
    state: PreviewState,
) -> Result<()> {
    sqlx::query("update pull_requests set state = $4 where team_id = $1 and site_id = $2 and number = $3")
        .bind(team)
        .bind(site)
        .bind(number)
        .bind(state.as_str())
        .execute(conn)
        .await?;
    Ok(())
}

/// A pull request has this environment as its preview.
pub async fn set_environment(
    conn: &mut PgConnection,
    team: TeamId,
    (site, number): (SiteId, i64),
    environment: EnvironmentId,
) -> Result<()> {
    sqlx::query("update pull_requests set environment_id = $4 where team_id = $1 and site_id = $2 and number = $3")
        .bind(team)
        .bind(site)
        .bind(number)
        .bind(environment)
        .execute(&mut *conn)
        .await?;
    sqlx::query("update environments set is_preview = true where team_id = $1 and site_id = $2 and id = $3")
        .bind(team)
        .bind(site)
        .bind(environment)
        .execute(conn)
        .await?;
    Ok(())
}

/// A member lets this commit be built; what was approved before no longer counts.
pub async fn approve(
    conn: &mut PgConnection,
    team: TeamId,
    (site, number): (SiteId, i64),
    commit: &str,
    by: Option<UserId>,
) -> Result<()> {
    sqlx::query(
        "update pull_requests set approved_commit = $4, approved_by = $5, approved_at = now(), active_at = now() \
         where team_id = $1 and site_id = $2 and number = $3",
    )
    .bind(team)
    .bind(site)
    .bind(number)
    .bind(commit)
    .bind(by)
    .execute(conn)
    .await?;
    Ok(())
}

/// Nothing of a pull request may be built until a member approves it anew.
pub async fn withdraw_approval(conn: &mut PgConnection, team: TeamId, (site, number): (SiteId, i64)) -> Result<()> {
    sqlx::query(
        "update pull_requests set approved_commit = null, approved_by = null, approved_at = null \
         where team_id = $1 and site_id = $2 and number = $3",
    )
    .bind(team)
    .bind(site)
    .bind(number)
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets all pull requests of a site: its repository is another one from now on.
pub async fn forget(conn: &mut PgConnection, team: TeamId, site: SiteId) -> Result<()> {
    sqlx::query("delete from pull_requests where team_id = $1 and site_id = $2")
        .bind(team)
        .bind(site)
        .execute(conn)
        .await?;
    Ok(())
}

/// For the housekeeping: the pull requests of all sites of which nothing was heard for as long as their site allows.
pub async fn idle(conn: &mut PgConnection) -> Result<Vec<PullRequestRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{SELECT} join sites s on s.id = p.site_id where s.deleting_at is null \
           and p.state in ('active', 'approval', 'waiting') \
           and p.active_at < now() - make_interval(days => s.previews_idle_days) order by p.active_at limit 500"
    )))
    .fetch_all(conn)
    .await
}

/// For the housekeeping: forgets the pull requests that were closed so many seconds ago and have no preview.
pub async fn prune(conn: &mut PgConnection, seconds: f64) -> Result<()> {
    sqlx::query(
        "delete from pull_requests where state in ('closed', 'merged') and environment_id is null \
             and active_at < now() - make_interval(secs => $1)",
    )
    .bind(seconds)
    .execute(conn)
    .await?;
    Ok(())
}

/// For the housekeeping: the sites of which a pull request waits for room.
pub async fn sites_that_wait(conn: &mut PgConnection) -> Result<Vec<(TeamId, SiteId)>> {
    sqlx::query_as(
        "select distinct p.team_id, p.site_id from pull_requests p join sites s on s.id = p.site_id \
         where p.state = 'waiting' and s.deleting_at is null",
    )
    .fetch_all(conn)
    .await
}

/// Sets what a site wants of its previews.
pub async fn set_settings(conn: &mut PgConnection, team: TeamId, site: SiteId, new: PreviewSettings) -> Result<()> {
    sqlx::query(
        "update sites set previews_enabled = $3, previews_max = $4, previews_idle_days = $5 \
         where team_id = $1 and id = $2",
    )
    .bind(team)
    .bind(site)
    .bind(new.enabled)
    .bind(new.max)
    .bind(new.idle_days)
    .execute(conn)
    .await?;
    Ok(())
}

/// The variables that a site's previews are given: their version and the sealed set; `None` before the first.
pub async fn variables(conn: &mut PgConnection, team: TeamId, site: SiteId) -> Result<Option<(i64, Vec<u8>)>> {
    sqlx::query_as("select version, sealed from preview_variables where team_id = $1 and site_id = $2")
        .bind(team)
        .bind(site)
        .fetch_optional(conn)
        .await
}

/// Puts another set in its place.
pub async fn set_variables(
    conn: &mut PgConnection,
    team: TeamId,
    site: SiteId,
    (version, sealed): (i64, &[u8]),
    by: Option<UserId>,
) -> Result<()> {
    sqlx::query(
        "insert into preview_variables (site_id, team_id, version, sealed, set_by) values ($1, $2, $3, $4, $5) \
         on conflict (site_id) do update set version = excluded.version, sealed = excluded.sealed, \
             set_by = excluded.set_by, set_at = now()",
    )
    .bind(site)
    .bind(team)
    .bind(version)
    .bind(sealed)
    .bind(by)
    .execute(conn)
    .await?;
    Ok(())
}

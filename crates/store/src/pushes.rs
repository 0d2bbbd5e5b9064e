//! Pushes to repositories that are kept here, from before Git begins until their deployments are queued.

use model::{EnvironmentId, PushId, SiteId, TeamId, UserId, names::CommitSha};
use sqlx::{FromRow, PgConnection, Result, types::Json};
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// Where branches stood; `None` for one that was not there.
pub type Tips = BTreeMap<String, Option<CommitSha>>;

/// A push whose deployments are not queued yet.
#[derive(Debug, Clone, FromRow)]
pub struct PushRow {
    /// Id.
    pub id: PushId,
    /// Owner.
    pub team_id: TeamId,
    /// Its site.
    pub site_id: SiteId,
    /// Whose; `None` once the account is gone.
    pub user_id: Option<UserId>,
    /// Where the branches stood before.
    pub tips: Json<Tips>,
    /// The branches stood there then.
    pub started_at: OffsetDateTime,
}

/// Writes down that a push begins. The branches are to be looked at in the same transaction, for it is the
/// transaction's beginning that is kept as the time at which they stood there.
pub async fn insert(
    conn: &mut PgConnection,
    team: TeamId,
    site: SiteId,
    id: PushId,
    user: Option<UserId>,
    tips: &Tips,
) -> Result<()> {
    sqlx::query("insert into pushes_under_way (id, team_id, site_id, user_id, tips) values ($1, $2, $3, $4, $5)")
        .bind(id)
        .bind(team)
        .bind(site)
        .bind(user)
        .bind(Json(tips))
        .execute(conn)
        .await?;
    Ok(())
}

/// What a push led to is decided; `false` if somebody else did so before.
pub async fn remove(conn: &mut PgConnection, team: TeamId, id: PushId) -> Result<bool> {
    let done = sqlx::query("delete from pushes_under_way where team_id = $1 and id = $2").bind(team).bind(id);
    Ok(done.execute(conn).await?.rows_affected() == 1)
}

/// Says that somebody is at work on these.
pub async fn seen(conn: &mut PgConnection, ids: &[PushId]) -> Result<()> {
    sqlx::query("update pushes_under_way set seen_at = now() where id = any($1)").bind(ids).execute(conn).await?;
    Ok(())
}

/// Of all teams: pushes on which nobody said to be at work for so long, oldest first.
pub async fn silent_of_all_teams(conn: &mut PgConnection, seconds: f64) -> Result<Vec<PushRow>> {
    sqlx::query_as(
        "select id, team_id, site_id, user_id, tips, started_at from pushes_under_way \
         where seen_at <= now() - make_interval(secs => $1) order by started_at",
    )
    .bind(seconds)
    .fetch_all(conn)
    .await
}

/// Whether a deployment of this commit to this environment was asked for since then, whatever became of it.
pub async fn was_asked_for(
    conn: &mut PgConnection,
    team: TeamId,
    environment: EnvironmentId,
    commit: &str,
    since: OffsetDateTime,
) -> Result<bool> {
    sqlx::query_scalar(
        "select exists (select 1 from deployments where team_id = $1 and environment_id = $2 and commit_sha = $3 \
           and created_at >= $4)",
    )
    .bind(team)
    .bind(environment)
    .bind(commit)
    .bind(since)
    .fetch_one(conn)
    .await
}

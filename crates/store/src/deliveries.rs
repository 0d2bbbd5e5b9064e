//! Webhooks that were received: once each, however often the forge sends them.

use model::{DeliveryId, DeploymentId, SiteId, TeamId, UserId};
use sqlx::{FromRow, PgConnection, Result, types::Json};
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// A delivery, without its headers and body.
#[derive(Debug, Clone, FromRow)]
pub struct DeliveryRow {
    /// Id.
    pub id: DeliveryId,
    /// Owner.
    pub team_id: TeamId,
    /// Its site.
    pub site_id: SiteId,
    /// Which forge.
    pub provider: String,
    /// The forge's word for what happened.
    pub event: String,
    /// `queued`, `ignored`, `unreadable` or `refused`.
    pub outcome: String,
    /// Why, in plain words.
    pub reason: String,
    /// What it started; `None` also once that is gone.
    pub deployment_id: Option<DeploymentId>,
    /// What it replays.
    pub replay_of: Option<DeliveryId>,
    /// `secret` or `old_secret`.
    pub signed_with: Option<String>,
    /// How often it came.
    pub times: i32,
    /// When it came first.
    pub received_at: OffsetDateTime,
}

/// What a delivery brought.
#[derive(Debug, Clone, FromRow)]
pub struct Content {
    /// Headers, secrets hidden.
    pub headers: Json<BTreeMap<String, String>>,
    /// Its body, or as much of the beginning as was asked for.
    pub body: Vec<u8>,
    /// Length of the whole body.
    pub body_bytes: i64,
}

const COLUMNS: &str = "id, team_id, site_id, provider, event, outcome, reason, deployment_id, replay_of, signed_with, \
     times, received_at";

/// What a new delivery needs.
pub struct NewDelivery<'a> {
    /// Id.
    pub id: DeliveryId,
    /// Owner.
    pub team: TeamId,
    /// Its site.
    pub site: SiteId,
    /// Which forge.
    pub provider: &'a str,
    /// The forge's own id of it.
    pub key: &'a str,
    /// The forge's word for what happened.
    pub event: &'a str,
    /// Headers, secrets hidden.
    pub headers: &'a BTreeMap<String, String>,
    /// As it was received.
    pub body: &'a [u8],
    /// `queued`, `ignored` or `unreadable`.
    pub outcome: &'a str,
    /// Why, in plain words.
    pub reason: &'a str,
    /// `secret` or `old_secret`.
    pub signed_with: Option<&'a str>,
    /// What it replays.
    pub replay_of: Option<DeliveryId>,
    /// Who asked for the replay.
    pub replayed_by: Option<UserId>,
}

/// Adds a delivery; `false` if it is there already. Waits for a transaction that is adding the same one.
pub async fn insert(conn: &mut PgConnection, new: &NewDelivery<'_>) -> Result<bool> {
    let done = sqlx::query(
        "insert into deliveries (id, team_id, site_id, provider, delivery_key, event, headers, body, outcome, reason, \
             signed_with, replay_of, replayed_by) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
         on conflict on constraint deliveries_key do nothing",
    )
    .bind(new.id)
    .bind(new.team)
    .bind(new.site)
    .bind(new.provider)
    .bind(new.key)
    .bind(new.event)
    .bind(Json(new.headers))
    .bind(new.body)
    .bind(new.outcome)
    .bind(new.reason)
    .bind(new.signed_with)
    .bind(new.replay_of)
    .bind(new.replayed_by)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes that a webhook was refused which was sent to this site's own address: one row for each of these keys, without
/// headers and body, counted on up to `most`. Where there is no such site, nothing happens.
pub async fn note_refused(
    conn: &mut PgConnection,
    id: DeliveryId,
    site: SiteId,
    refused: &NewRefusal<'_>,
    most: i32,
) -> Result<()> {
    sqlx::query(
        "insert into deliveries as d \
             (id, team_id, site_id, provider, delivery_key, event, headers, body, outcome, reason) \
         select $1, s.team_id, s.id, $3, $4, $5, '{}', '', 'refused', $6 from sites s \
             where s.id = $2 and s.deleting_at is null \
         on conflict on constraint deliveries_key do update set times = d.times + 1 where d.times < $7",
    )
    .bind(id)
    .bind(site)
    .bind(refused.provider)
    .bind(refused.key)
    .bind(refused.event)
    .bind(refused.reason)
    .bind(most)
    .execute(conn)
    .await?;
    Ok(())
}

/// What is noted of a webhook that was refused.
pub struct NewRefusal<'a> {
    /// Which forge it says it is.
    pub provider: &'a str,
    /// Those with the same key are one row.
    pub key: &'a str,
    /// Its word for what happened.
    pub event: &'a str,
    /// Why, in plain words.
    pub reason: &'a str,
}

/// Notes what a delivery started.
pub async fn set_deployment(
    conn: &mut PgConnection,
    team: TeamId,
    id: DeliveryId,
    deployment: DeploymentId,
) -> Result<()> {
    sqlx::query("update deliveries set deployment_id = $3 where team_id = $1 and id = $2")
        .bind(team)
        .bind(id)
        .bind(deployment)
        .execute(conn)
        .await?;
    Ok(())
}

/// Notes that something else came of a delivery than was decided first.
pub async fn set_outcome(
    conn: &mut PgConnection,
    team: TeamId,
    id: DeliveryId,
    outcome: &str,
    reason: &str,
) -> Result<()> {
    sqlx::query("update deliveries set outcome = $3, reason = $4 where team_id = $1 and id = $2")
        .bind(team)
        .bind(id)
        .bind(outcome)
        .bind(reason)
        .execute(conn)
        .await?;
    Ok(())
}

/// Counts a delivery on that came again, and answers it; found by the forge's id of it.
pub async fn count_again(
    conn: &mut PgConnection,
    team: TeamId,
    site: SiteId,
    provider: &str,
    key: &str,
) -> Result<Option<DeliveryRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "update deliveries set times = least(times, 2000000000) + 1 \
         where team_id = $1 and site_id = $2 and provider = $3 and delivery_key = $4 returning {COLUMNS}"
    )))
    .bind(team)
    .bind(site)
    .bind(provider)
    .bind(key)
    .fetch_optional(conn)
    .await
}

/// One delivery of these teams.
pub async fn by_id(conn: &mut PgConnection, teams: &[TeamId], id: DeliveryId) -> Result<Option<DeliveryRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!("select {COLUMNS} from deliveries where team_id = any($1) and id = $2")))
        .bind(teams)
        .bind(id)
        .fetch_optional(conn)
        .await
}

/// What a delivery brought, with at most so many bytes of its body.
pub async fn content(conn: &mut PgConnection, team: TeamId, id: DeliveryId, most: i32) -> Result<Option<Content>> {
    sqlx::query_as(
        "select headers, substring(body from 1 for $3) as body, octet_length(body)::bigint as body_bytes \
         from deliveries where team_id = $1 and id = $2",
    )
    .bind(team)
    .bind(id)
    .bind(most)
    .fetch_optional(conn)
    .await
}

/// The deliveries of a site, newest first, those older than `before`.
pub async fn list(
    conn: &mut PgConnection,
    team: TeamId,
    site: SiteId,
    before: Option<DeliveryId>,
    limit: i64,
) -> Result<Vec<DeliveryRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "select {COLUMNS} from deliveries \
         where team_id = $1 and site_id = $2 and ($3::uuid is null or id < $3) order by id desc limit $4"
    )))
    .bind(team)
    .bind(site)
    .bind(before)
    .bind(limit)
    .fetch_all(conn)
    .await
}

/// Forgets at most `most` deliveries that were received before `before`, and says how many it were.
pub async fn prune(conn: &mut PgConnection, before: OffsetDateTime, most: i64) -> Result<u64> {
    let done = sqlx::query(
        "delete from deliveries where id in (select id from deliveries where received_at < $1 order by received_at limit $2)",
    )
    .bind(before)
    .bind(most)
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// The forge that sent a site's newest delivery whose signature was right; `None` before the first.
pub async fn newest_provider(conn: &mut PgConnection, team: TeamId, site: SiteId) -> Result<Option<String>> {
    sqlx::query_scalar(
        "select provider from deliveries where team_id = $1 and site_id = $2 and signed_with is not null \
         order by received_at desc limit 1",
    )
    .bind(team)
    .bind(site)
    .fetch_optional(conn)
    .await
}

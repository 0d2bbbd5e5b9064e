//! Webhooks that were received and whose signature was right: once each, however often the forge sends them.

use model::{DeliveryId, DeploymentId, SiteId, TeamId};
use sqlx::{FromRow, PgConnection, Result, types::Json};
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// A delivery, without its headers and body.
#[derive(Debug, Clone, FromRow)]
pub struct DeliveryRow {
    /// Id.
    pub id: DeliveryId,
    /// Its site.
    pub site_id: SiteId,
    /// Which forge.
    pub provider: String,
    /// The forge's word for what happened.
    pub event: String,
    /// `queued` or `ignored`.
    pub outcome: String,
    /// Why, in plain words.
    pub reason: String,
    /// What it started; `None` also once that is gone.
    pub deployment_id: Option<DeploymentId>,
    /// When.
    pub received_at: OffsetDateTime,
}

const SELECT: &str = "select id, site_id, provider, event, outcome, reason, deployment_id, received_at from deliveries";

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
    /// `queued` or `ignored`.
    pub outcome: &'a str,
    /// Why, in plain words.
    pub reason: &'a str,
}

/// Adds a delivery; `false` if it is there already. Waits for a transaction that is adding the same one.
pub async fn insert(conn: &mut PgConnection, new: &NewDelivery<'_>) -> Result<bool> {
    let done = sqlx::query(
        "insert into deliveries (id, team_id, site_id, provider, delivery_key, event, headers, body, outcome, reason) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict on constraint deliveries_key do nothing",
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
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
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

/// A delivery by the forge's id of it.
pub async fn by_key(
    conn: &mut PgConnection,
    team: TeamId,
    site: SiteId,
    provider: &str,
    key: &str,
) -> Result<Option<DeliveryRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{SELECT} where team_id = $1 and site_id = $2 and provider = $3 and delivery_key = $4"
    )))
    .bind(team)
    .bind(site)
    .bind(provider)
    .bind(key)
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
        "{SELECT} where team_id = $1 and site_id = $2 and ($3::uuid is null or id < $3) order by id desc limit $4"
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

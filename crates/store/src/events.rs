//! The outbox: what is announced live. NOTIFY carries a row's number only, so nothing is ever too long for it.

use model::{
    TeamId,
    event::{Event, OutboxRow},
};
use sqlx::{FromRow, PgConnection, Result, types::Json};
use time::OffsetDateTime;

/// Channel of the outbox; the payload is the row's number.
pub const EVENTS: &str = "webmeteor_events";
/// Channel that wakes workers; no payload.
pub const JOBS: &str = "webmeteor_jobs";

#[derive(FromRow)]
struct Row {
    id: i64,
    team_id: TeamId,
    payload: Json<Event>,
    at: OffsetDateTime,
}

impl From<Row> for OutboxRow {
    fn from(row: Row) -> Self {
        Self { id: row.id, team: row.team_id, event: row.payload.0, at: row.at }
    }
}

/// Adds an event and notifies once the transaction commits.
pub async fn insert(conn: &mut PgConnection, team: TeamId, event: &Event) -> Result<i64> {
    sqlx::query_scalar(
        "with added as (insert into events (team_id, payload) values ($1, $2) returning id) \
         select id from added, lateral (select pg_notify($3, added.id::text)) sent",
    )
    .bind(team)
    .bind(Json(event))
    .bind(EVENTS)
    .fetch_one(conn)
    .await
}

/// Wakes the workers once the transaction commits.
pub async fn wake_workers(conn: &mut PgConnection) -> Result<()> {
    sqlx::query("select pg_notify($1, '')").bind(JOBS).execute(conn).await?;
    Ok(())
}

/// The rows after this number, oldest first.
pub async fn after(conn: &mut PgConnection, id: i64, limit: i64) -> Result<Vec<OutboxRow>> {
    let rows: Vec<Row> =
        sqlx::query_as("select id, team_id, payload, at from events where id > $1 order by id limit $2")
            .bind(id)
            .bind(limit)
            .fetch_all(conn)
            .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// One row.
pub async fn by_id(conn: &mut PgConnection, id: i64) -> Result<Option<OutboxRow>> {
    let row: Option<Row> = sqlx::query_as("select id, team_id, payload, at from events where id = $1")
        .bind(id)
        .fetch_optional(conn)
        .await?;
    Ok(row.map(Into::into))
}

/// The newest number, 0 where there is none.
pub async fn last_id(conn: &mut PgConnection) -> Result<i64> {
    sqlx::query_scalar("select coalesce(max(id), 0) from events").fetch_one(conn).await
}

/// Forgets what is older than an hour: whoever missed that much reads the rows themselves.
pub async fn prune(conn: &mut PgConnection) -> Result<u64> {
    let done = sqlx::query("delete from events where at < now() - interval '1 hour'").execute(conn).await?;
    Ok(done.rows_affected())
}

//! The lines of deployments' logs, numbered without gaps.

use crate::deployments::Word;
use model::{DeploymentId, SiteId, TeamId, deployment::Stream, views::LogItem};
use sqlx::{Connection, FromRow, PgConnection, Result};
use time::OffsetDateTime;

/// A line to add.
#[derive(Debug, Clone)]
pub struct NewLine {
    /// When it was read.
    pub at: OffsetDateTime,
    /// Where from.
    pub stream: Stream,
    /// The text.
    pub text: String,
}

/// Adds lines and returns the numbers of the first and the last.
pub async fn append(conn: &mut PgConnection, deployment: DeploymentId, lines: &[NewLine]) -> Result<(i64, i64)> {
    let count = i64::try_from(lines.len()).unwrap_or(i64::MAX);
    let bytes = i64::try_from(lines.iter().map(|l| l.text.len()).sum::<usize>()).unwrap_or(i64::MAX);
    let last: i64 = sqlx::query_scalar(
        "update deployments set log_lines = log_lines + $2, log_bytes = log_bytes + $3 where id = $1 returning log_lines",
    )
    .bind(deployment)
    .bind(count)
    .bind(bytes)
    .fetch_one(&mut *conn)
    .await?;
    let first = last - count + 1;
    let at: Vec<OffsetDateTime> = lines.iter().map(|l| l.at).collect();
    let streams: Vec<&str> = lines.iter().map(|l| l.stream.as_str()).collect();
    // PostgreSQL's text cannot hold the character NUL.
    let texts: Vec<String> = lines.iter().map(|l| l.text.replace('\0', "\u{fffd}")).collect();
    sqlx::query(
        "insert into deployment_logs (deployment_id, seq, at, stream, text) \
         select $1, $2 + n - 1, at, stream, text \
         from unnest($3::timestamptz[], $4::text[], $5::text[]) with ordinality as l (at, stream, text, n)",
    )
    .bind(deployment)
    .bind(first)
    .bind(&at)
    .bind(&streams)
    .bind(&texts)
    .execute(conn)
    .await?;
    Ok((first, last))
}

#[derive(FromRow)]
struct Row {
    seq: i64,
    at: OffsetDateTime,
    #[sqlx(try_from = "String")]
    stream: Word<Stream>,
    text: String,
}

/// The lines after a number, in order.
pub async fn after(
    conn: &mut PgConnection,
    team: TeamId,
    deployment: DeploymentId,
    seq: i64,
    limit: i64,
) -> Result<Vec<LogItem>> {
    let rows: Vec<Row> = sqlx::query_as(
        "select seq, at, stream, text from deployment_logs where deployment_id = $2 and seq > $3 \
         and exists (select from deployments where team_id = $1 and id = $2) order by seq limit $4",
    )
    .bind(team)
    .bind(deployment)
    .bind(seq)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|r| LogItem { seq: r.seq, at: r.at, stream: r.stream.0, text: r.text }).collect())
}

/// When a deployment's lines were removed because their time was over; `None` while they are there.
pub async fn removed_at(
    conn: &mut PgConnection,
    team: TeamId,
    deployment: DeploymentId,
) -> Result<Option<OffsetDateTime>> {
    let found: Option<Option<OffsetDateTime>> =
        sqlx::query_scalar("select log_removed_at from deployments where team_id = $1 and id = $2")
            .bind(team)
            .bind(deployment)
            .fetch_optional(conn)
            .await?;
    Ok(found.flatten())
}

/// Bytes of all lines of a site.
pub async fn bytes_of_site(conn: &mut PgConnection, team: TeamId, site: SiteId) -> Result<i64> {
    sqlx::query_scalar(
        "select coalesce(sum(log_bytes), 0)::bigint from deployments where team_id = $1 and site_id = $2",
    )
    .bind(team)
    .bind(site)
    .fetch_one(conn)
    .await
}

/// Removes at most `most` lines of the deployment that ended first of all that ended before `before`. `None`: there is
/// none any more.
pub async fn prune(conn: &mut PgConnection, before: OffsetDateTime, most: i64) -> Result<Option<u64>> {
    let mut tx = conn.begin().await?;
    // Two processes at once never work on the same deployment.
    let oldest: Option<DeploymentId> = sqlx::query_scalar(
        "select id from deployments where finished_at < $1 and log_lines > 0 \
         order by finished_at limit 1 for update skip locked",
    )
    .bind(before)
    .fetch_optional(&mut *tx)
    .await?;
    let Some(deployment) = oldest else { return Ok(None) };
    let removed = sqlx::query(
        "delete from deployment_logs where deployment_id = $1 and seq in \
         (select seq from deployment_logs where deployment_id = $1 order by seq limit $2)",
    )
    .bind(deployment)
    .bind(most)
    .execute(&mut *tx)
    .await?
    .rows_affected();
    if i64::try_from(removed).is_ok_and(|removed| removed < most) {
        sqlx::query("update deployments set log_lines = 0, log_bytes = 0, log_removed_at = now() where id = $1")
            .bind(deployment)
            .execute(&mut *tx)
            .await?;
    }
    tx.commit().await?;
    Ok(Some(removed))
}

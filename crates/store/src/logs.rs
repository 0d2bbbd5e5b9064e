//! The lines of deployments' logs, numbered without gaps.

use crate::deployments::Word;
use model::{DeploymentId, deployment::Stream, views::LogItem};
use sqlx::{FromRow, PgConnection, Result};
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
    let last: i64 =
        sqlx::query_scalar("update deployments set log_lines = log_lines + $2 where id = $1 returning log_lines")
            .bind(deployment)
            .bind(count)
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
pub async fn after(conn: &mut PgConnection, deployment: DeploymentId, seq: i64, limit: i64) -> Result<Vec<LogItem>> {
    let rows: Vec<Row> = sqlx::query_as(
        "select seq, at, stream, text from deployment_logs where deployment_id = $1 and seq > $2 \
         order by seq limit $3",
    )
    .bind(deployment)
    .bind(seq)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|r| LogItem { seq: r.seq, at: r.at, stream: r.stream.0, text: r.text }).collect())
}

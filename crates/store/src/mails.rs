//! E-mails that are to be sent.

use model::MailId;
use sqlx::{FromRow, PgConnection, Result};

/// Channel that wakes whoever sends mails; no payload.
pub const MAILS: &str = "webmeteor_mails";
/// So many days it can be seen what became of a mail.
const KEPT_DAYS: i32 = 7;

/// A mail that is to be sent.
#[derive(Debug, Clone, FromRow)]
pub struct MailRow {
    /// Id.
    pub id: MailId,
    /// To whom.
    pub recipient: String,
    /// Subject and text, sealed.
    pub sealed: Vec<u8>,
    /// How often it was tried, this time included.
    pub attempts: i32,
    /// Seconds since it was written.
    pub age: f64,
}

/// What came of a try.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outcome<'a> {
    /// It is on its way.
    Sent,
    /// Tried again after so many seconds, for this reason.
    Later(f64, &'a str),
    /// Never tried again, for this reason.
    GivenUp(&'a str),
}

/// Adds one, to be sent as soon as the transaction has committed. One that is not `meant` is never sent: writing it is
/// the same work, so that nobody can tell by the time whether there was somebody to write to.
pub async fn insert(conn: &mut PgConnection, id: MailId, recipient: &str, sealed: &[u8], meant: bool) -> Result<()> {
    sqlx::query(
        "insert into mails (id, recipient, sealed, due_at) values ($1, $2, $3, case when $4 then now() else null end)",
    )
    .bind(id)
    .bind(recipient)
    .bind(sealed)
    .bind(meant)
    .execute(&mut *conn)
    .await?;
    sqlx::query("select pg_notify($1, '')").bind(MAILS).execute(conn).await?;
    Ok(())
}

/// Takes the mail that waits longest; nobody else gets it until it is settled, or `lease_seconds` are over.
pub async fn claim(conn: &mut PgConnection, lease_seconds: f64) -> Result<Option<MailRow>> {
    sqlx::query_as(
        "update mails set attempts = attempts + 1, due_at = now() + make_interval(secs => $1) \
         where id = (select id from mails where due_at <= now() order by due_at limit 1 for update skip locked) \
         returning id, recipient, sealed, attempts, extract(epoch from now() - created_at)::float8 as age",
    )
    .bind(lease_seconds)
    .fetch_optional(conn)
    .await
}

/// Writes down what came of a try, unless the lease ran out and somebody else tries meanwhile. What is in a mail is
/// forgotten with its last try.
pub async fn settle(conn: &mut PgConnection, row: &MailRow, outcome: Outcome<'_>) -> Result<()> {
    let (sent, later, reason) = match outcome {
        Outcome::Sent => (true, None, None),
        Outcome::Later(seconds, reason) => (false, Some(seconds), Some(reason)),
        Outcome::GivenUp(reason) => (false, None, Some(reason)),
    };
    sqlx::query(
        "update mails set sent_at = case when $3 then now() else null end, \
             due_at = now() + make_interval(secs => $4), last_error = $5, \
             sealed = case when $4 is null then null else sealed end \
         where id = $1 and attempts = $2 and due_at is not null",
    )
    .bind(row.id)
    .bind(row.attempts)
    .bind(sent)
    .bind(later)
    .bind(reason)
    .execute(conn)
    .await?;
    Ok(())
}

/// Seconds until the next mail is due; `None` where none waits.
pub async fn next_due(conn: &mut PgConnection) -> Result<Option<f64>> {
    sqlx::query_scalar("select extract(epoch from min(due_at) - now())::float8 from mails where due_at is not null")
        .fetch_one(conn)
        .await
}

/// Removes what was sent or given up some days ago; answers how many there were.
pub async fn delete_old(conn: &mut PgConnection) -> Result<u64> {
    let done = sqlx::query(
        "delete from mails where due_at is null and coalesce(sent_at, created_at) < now() - make_interval(days => $1)",
    )
    .bind(KEPT_DAYS)
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::PgPool;

    const LEASE: f64 = 60.0;

    async fn add(conn: &mut PgConnection, meant: bool) -> MailId {
        let id = MailId::new();
        insert(conn, id, "ada@example.org", b"sealed", meant).await.unwrap();
        id
    }

    async fn sealed(conn: &mut PgConnection, id: MailId) -> Option<Vec<u8>> {
        sqlx::query_scalar("select sealed from mails where id = $1").bind(id).fetch_one(conn).await.unwrap()
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn a_mail_is_given_to_one_sender_and_its_text_forgotten_when_it_is_sent(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        let id = add(&mut conn, true).await;
        assert!(next_due(&mut conn).await.unwrap().unwrap() <= 0.0);
        let row = claim(&mut conn, LEASE).await.unwrap().unwrap();
        assert_eq!((row.id, row.recipient.as_str(), row.attempts), (id, "ada@example.org", 1));
        assert!(claim(&mut conn, LEASE).await.unwrap().is_none());
        settle(&mut conn, &row, Outcome::Sent).await.unwrap();
        assert_eq!(sealed(&mut conn, id).await, None);
        assert_eq!(next_due(&mut conn).await.unwrap(), None);
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn what_is_not_meant_is_never_given_to_a_sender(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        add(&mut conn, false).await;
        assert!(claim(&mut conn, LEASE).await.unwrap().is_none());
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn a_mail_waits_for_its_next_try_and_a_late_sender_changes_nothing(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        let id = add(&mut conn, true).await;
        let slow = claim(&mut conn, 0.0).await.unwrap().unwrap();
        let quick = claim(&mut conn, LEASE).await.unwrap().unwrap();
        assert_eq!((slow.id, quick.attempts), (quick.id, 2));
        settle(&mut conn, &slow, Outcome::GivenUp("late")).await.unwrap();
        settle(&mut conn, &quick, Outcome::Later(30.0, "busy")).await.unwrap();
        assert!(claim(&mut conn, LEASE).await.unwrap().is_none());
        assert!(next_due(&mut conn).await.unwrap().is_some_and(|seconds| (25.0..=30.0).contains(&seconds)));
        assert!(sealed(&mut conn, id).await.is_some());
        settle(&mut conn, &quick, Outcome::GivenUp("nobody")).await.unwrap();
        assert_eq!(sealed(&mut conn, id).await, None);
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn what_is_over_for_a_week_is_removed_and_what_waits_is_not(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        add(&mut conn, true).await;
        let row = claim(&mut conn, LEASE).await.unwrap().unwrap();
        settle(&mut conn, &row, Outcome::Sent).await.unwrap();
        add(&mut conn, true).await;
        assert_eq!(delete_old(&mut conn).await.unwrap(), 0);
        let week =
            "update mails set created_at = created_at - interval '8 days', sent_at = sent_at - interval '8 days'";
        sqlx::query(week).execute(&mut *conn).await.unwrap();
        assert_eq!(delete_old(&mut conn).await.unwrap(), 1);
        assert!(claim(&mut conn, LEASE).await.unwrap().is_some());
    }
}

//! E-mails that are to be sent.

use model::MailId;
use sqlx::PgConnection;

/// Adds one, to be sent as soon as the transaction has committed.
pub async fn insert(conn: &mut PgConnection, id: MailId, recipient: &str, sealed: &[u8]) -> sqlx::Result<()> {
    sqlx::query("insert into mails (id, recipient, sealed) values ($1, $2, $3)")
        .bind(id)
        .bind(recipient)
        .bind(sealed)
        .execute(&mut *conn)
        .await?;
    sqlx::query("select pg_notify('webmeteor_mails', '')").execute(conn).await?;
    Ok(())
}

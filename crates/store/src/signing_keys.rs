//! The keys that sign access tokens, each with the time from which it signs.

use sqlx::{FromRow, PgConnection, Result};
use time::OffsetDateTime;

/// The channel on which processes are told that the keys are others now.
pub const KEYS: &str = "webmeteor_keys";

/// A key as it is stored.
#[derive(Debug, Clone, FromRow)]
pub struct SigningKeyRow {
    /// What tokens name it by.
    pub id: String,
    /// The private half, sealed.
    pub private_key: Vec<u8>,
    /// It signs from then on, until the next one does.
    pub signs_from: OffsetDateTime,
}

/// Holds the list until the transaction ends: one after the other adds to it and takes from it.
pub async fn lock(conn: &mut PgConnection) -> Result<()> {
    sqlx::query("select pg_advisory_xact_lock(hashtext('webmeteor.signing_keys'))").execute(conn).await?;
    Ok(())
}

/// All of them, the one that signs last at the end.
pub async fn all(conn: &mut PgConnection) -> Result<Vec<SigningKeyRow>> {
    sqlx::query_as("select id, private_key, signs_from from signing_keys order by signs_from, id").fetch_all(conn).await
}

/// Adds one; all processes are told once the transaction has committed.
pub async fn insert(conn: &mut PgConnection, key: &SigningKeyRow) -> Result<()> {
    sqlx::query("insert into signing_keys (id, private_key, signs_from) values ($1, $2, $3)")
        .bind(&key.id)
        .bind(&key.private_key)
        .bind(key.signs_from)
        .execute(&mut *conn)
        .await?;
    notify(conn).await
}

/// Forgets these; all processes are told once the transaction has committed.
pub async fn delete(conn: &mut PgConnection, ids: &[String]) -> Result<()> {
    sqlx::query("delete from signing_keys where id = any($1)").bind(ids).execute(&mut *conn).await?;
    notify(conn).await
}

/// Has every process read its keys again.
pub async fn notify(conn: &mut PgConnection) -> Result<()> {
    sqlx::query("select pg_notify($1, '')").bind(KEYS).execute(conn).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::PgPool;
    use time::Duration;

    #[sqlx::test(migrations = "../../migrations")]
    async fn keys_are_listed_in_the_order_they_sign_in(pool: PgPool) {
        let mut tx = pool.begin().await.unwrap();
        lock(&mut tx).await.unwrap();
        let now = OffsetDateTime::now_utc();
        for (id, minutes) in [("next", 5), ("present", 0), ("old", -5)] {
            let signs_from = now + Duration::minutes(minutes);
            insert(&mut tx, &SigningKeyRow { id: id.into(), private_key: vec![1], signs_from }).await.unwrap();
        }
        let ids = |rows: Vec<SigningKeyRow>| rows.into_iter().map(|row| row.id).collect::<Vec<_>>();
        assert_eq!(ids(all(&mut tx).await.unwrap()), ["old", "present", "next"]);
        delete(&mut tx, &["old".into(), "unknown".into()]).await.unwrap();
        assert_eq!(ids(all(&mut tx).await.unwrap()), ["present", "next"]);
    }
}

//! Passkeys of accounts.

use model::{PasskeyId, UserId};
use serde_json::Value;
use sqlx::{FromRow, PgConnection};
use time::OffsetDateTime;

/// The constraint that keeps a passkey to one account.
pub const CREDENTIAL_KEY: &str = "passkeys_credential_key";

/// A passkey as it is stored.
#[derive(Debug, Clone, FromRow)]
pub struct PasskeyRow {
    /// Id.
    pub id: PasskeyId,
    /// What its owner calls it.
    pub name: String,
    /// What browsers know it by.
    pub credential_id: Vec<u8>,
    /// The public half, its counter and its flags.
    pub credential: Value,
    /// Since.
    pub created_at: OffsetDateTime,
    /// When somebody signed in with it last.
    pub last_used_at: Option<OffsetDateTime>,
}

/// Adds one to an account.
///
/// # Errors
/// A violation of [`CREDENTIAL_KEY`] if it is an account's already.
pub async fn insert(
    conn: &mut PgConnection,
    user: UserId,
    name: &str,
    credential_id: &[u8],
    credential: &Value,
) -> sqlx::Result<PasskeyRow> {
    sqlx::query_as(
        "insert into passkeys (id, user_id, name, credential_id, credential) values ($1, $2, $3, $4, $5) returning *",
    )
    .bind(PasskeyId::new())
    .bind(user)
    .bind(name)
    .bind(credential_id)
    .bind(credential)
    .fetch_one(conn)
    .await
}

/// An account's, the oldest first.
pub async fn of_user(conn: &mut PgConnection, user: UserId) -> sqlx::Result<Vec<PasskeyRow>> {
    sqlx::query_as("select * from passkeys where user_id = $1 order by created_at, id").bind(user).fetch_all(conn).await
}

/// The account's passkey that browsers know by this, held until the transaction ends: its counter is compared and
/// written as one.
pub async fn lock(conn: &mut PgConnection, user: UserId, credential_id: &[u8]) -> sqlx::Result<Option<PasskeyRow>> {
    sqlx::query_as("select * from passkeys where user_id = $1 and credential_id = $2 for update")
        .bind(user)
        .bind(credential_id)
        .fetch_optional(conn)
        .await
}

/// Somebody signed in with it; its counter and flags are these now.
pub async fn used(conn: &mut PgConnection, id: PasskeyId, credential: &Value, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query("update passkeys set credential = $2, last_used_at = $3 where id = $1")
        .bind(id)
        .bind(credential)
        .bind(now)
        .execute(conn)
        .await?;
    Ok(())
}

/// Takes one off an account; answers it, if it was there.
pub async fn remove(conn: &mut PgConnection, user: UserId, id: PasskeyId) -> sqlx::Result<Option<PasskeyRow>> {
    sqlx::query_as("delete from passkeys where user_id = $1 and id = $2 returning *")
        .bind(user)
        .bind(id)
        .fetch_optional(conn)
        .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::users::{self, NewUser};
    use serde_json::json;
    use sqlx::PgPool;

    #[sqlx::test(migrations = "../../migrations")]
    async fn a_passkey_is_one_account_s_and_found_for_it_alone(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        let mut users = Vec::new();
        for email in ["ada@example.org", "bob@example.org"] {
            let new = NewUser { email, name: "A", password_hash: "x", is_admin: false };
            users.push(users::insert(&mut conn, new).await.unwrap().id);
        }
        let [ada, bob] = users[..] else { panic!("two were made") };
        let made = insert(&mut conn, ada, "Phone", b"one", &json!({"counter": 1})).await.unwrap();
        let twice = insert(&mut conn, bob, "Stolen", b"one", &json!({})).await.unwrap_err();
        assert_eq!(twice.as_database_error().unwrap().constraint(), Some(CREDENTIAL_KEY));
        assert!(lock(&mut conn, bob, b"one").await.unwrap().is_none());
        used(&mut conn, made.id, &json!({"counter": 2}), OffsetDateTime::now_utc()).await.unwrap();
        let row = lock(&mut conn, ada, b"one").await.unwrap().unwrap();
        assert_eq!((row.credential, row.last_used_at.is_some()), (json!({"counter": 2}), true));
        assert!(remove(&mut conn, bob, made.id).await.unwrap().is_none());
        assert_eq!(remove(&mut conn, ada, made.id).await.unwrap().unwrap().name, "Phone");
        assert!(of_user(&mut conn, ada).await.unwrap().is_empty());
    }
}

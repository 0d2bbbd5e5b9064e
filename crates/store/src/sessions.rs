//! Browser sessions. `key` is a hash of the cookie's value, never the value itself.

use model::UserId;
use serde_json::Value;
use sqlx::PgConnection;
use time::OffsetDateTime;

/// The member of a session's data that holds the account's id.
pub const USER: &str = "user";

/// Stores a new session; `false` if the key is taken.
pub async fn insert(
    conn: &mut PgConnection,
    key: &str,
    data: &Value,
    expires_at: OffsetDateTime,
) -> sqlx::Result<bool> {
    let done = sqlx::query("insert into sessions (id, data, expires_at) values ($1, $2, $3) on conflict do nothing")
        .bind(key)
        .bind(data)
        .bind(expires_at)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Changes a session that still exists. One that was ended meanwhile stays ended: a request that was under way must
/// not bring it back.
pub async fn update(conn: &mut PgConnection, key: &str, data: &Value, expires_at: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query("update sessions set data = $2, expires_at = $3 where id = $1")
        .bind(key)
        .bind(data)
        .bind(expires_at)
        .execute(conn)
        .await?;
    Ok(())
}

/// The data and the end of a session that has not expired.
pub async fn get(conn: &mut PgConnection, key: &str) -> sqlx::Result<Option<(Value, OffsetDateTime)>> {
    sqlx::query_as("select data, expires_at from sessions where id = $1 and expires_at > now()")
        .bind(key)
        .fetch_optional(conn)
        .await
}

/// Ends a session.
pub async fn delete(conn: &mut PgConnection, key: &str) -> sqlx::Result<()> {
    sqlx::query("delete from sessions where id = $1").bind(key).execute(conn).await?;
    Ok(())
}

/// Ends every session of an account; answers how many there were.
pub async fn delete_of_user(conn: &mut PgConnection, user: UserId) -> sqlx::Result<u64> {
    // The literal `user` is what the index `sessions_user` is on.
    let done =
        sqlx::query("delete from sessions where data ->> 'user' = $1").bind(user.to_string()).execute(conn).await?;
    Ok(done.rows_affected())
}

/// Removes what has expired; answers how many there were.
pub async fn delete_expired(conn: &mut PgConnection) -> sqlx::Result<u64> {
    Ok(sqlx::query("delete from sessions where expires_at <= now()").execute(conn).await?.rows_affected())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use sqlx::PgPool;
    use time::Duration;

    fn later() -> OffsetDateTime {
        OffsetDateTime::now_utc() + Duration::hours(1)
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn a_session_is_stored_changed_and_ended(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        assert!(insert(&mut conn, "a", &json!({"n": 1}), later()).await.unwrap());
        assert!(!insert(&mut conn, "a", &json!({"n": 2}), later()).await.unwrap());
        assert_eq!(get(&mut conn, "a").await.unwrap().unwrap().0, json!({"n": 1}));
        update(&mut conn, "a", &json!({"n": 3}), later()).await.unwrap();
        assert_eq!(get(&mut conn, "a").await.unwrap().unwrap().0, json!({"n": 3}));
        delete(&mut conn, "a").await.unwrap();
        assert!(get(&mut conn, "a").await.unwrap().is_none());
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn a_session_that_was_ended_is_not_brought_back(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        insert(&mut conn, "a", &json!({}), later()).await.unwrap();
        delete(&mut conn, "a").await.unwrap();
        update(&mut conn, "a", &json!({}), later()).await.unwrap();
        assert!(get(&mut conn, "a").await.unwrap().is_none());
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn what_has_expired_is_not_found_and_is_removed(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        let past = OffsetDateTime::now_utc() - Duration::seconds(1);
        insert(&mut conn, "old", &json!({}), past).await.unwrap();
        insert(&mut conn, "new", &json!({}), later()).await.unwrap();
        assert!(get(&mut conn, "old").await.unwrap().is_none());
        assert_eq!(delete_expired(&mut conn).await.unwrap(), 1);
        assert!(get(&mut conn, "new").await.unwrap().is_some());
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn the_sessions_of_one_account_end_together(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        let (ada, bob) = (UserId::new(), UserId::new());
        for (key, user) in [("a1", ada), ("a2", ada), ("b", bob)] {
            insert(&mut conn, key, &json!({ USER: user }), later()).await.unwrap();
        }
        assert_eq!(delete_of_user(&mut conn, ada).await.unwrap(), 2);
        assert!(get(&mut conn, "b").await.unwrap().is_some());
    }
}

//! Facts about this installation, each under a key.

use serde_json::Value;
use sqlx::PgConnection;

/// The fact under this key.
pub async fn get(conn: &mut PgConnection, key: &str) -> sqlx::Result<Option<Value>> {
    sqlx::query_scalar("select value from settings where key = $1").bind(key).fetch_optional(conn).await
}

/// Stores a fact, or replaces the one under this key.
pub async fn put(conn: &mut PgConnection, key: &str, value: &Value) -> sqlx::Result<()> {
    sqlx::query(
        "insert into settings (key, value) values ($1, $2)
         on conflict (key) do update set value = excluded.value, updated_at = now()",
    )
    .bind(key)
    .bind(value)
    .execute(conn)
    .await?;
    Ok(())
}

/// Removes a fact if it is this one. Of two callers at once, one is answered `true`: the other waits for its
/// transaction and then finds nothing.
pub async fn take(conn: &mut PgConnection, key: &str, value: &Value) -> sqlx::Result<bool> {
    let done =
        sqlx::query("delete from settings where key = $1 and value = $2").bind(key).bind(value).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}

/// Removes a fact, whatever it is.
pub async fn delete(conn: &mut PgConnection, key: &str) -> sqlx::Result<()> {
    sqlx::query("delete from settings where key = $1").bind(key).execute(conn).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use sqlx::PgPool;

    #[sqlx::test(migrations = "../../migrations")]
    async fn a_fact_is_replaced_and_removed(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        assert_eq!(get(&mut conn, "k").await.unwrap(), None);
        put(&mut conn, "k", &json!(1)).await.unwrap();
        put(&mut conn, "k", &json!(2)).await.unwrap();
        assert_eq!(get(&mut conn, "k").await.unwrap(), Some(json!(2)));
        delete(&mut conn, "k").await.unwrap();
        assert_eq!(get(&mut conn, "k").await.unwrap(), None);
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn a_fact_is_taken_once_and_only_by_its_value(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        put(&mut conn, "k", &json!("a")).await.unwrap();
        assert!(!take(&mut conn, "k", &json!("b")).await.unwrap());
        assert!(take(&mut conn, "k", &json!("a")).await.unwrap());
        assert!(!take(&mut conn, "k", &json!("a")).await.unwrap());
    }
}

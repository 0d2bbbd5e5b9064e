//! Browser sessions. `key` is a hash of the cookie's value, never the value itself.

use model::{SessionId, UserId};
use serde_json::Value;
use sqlx::{FromRow, PgConnection};
use time::OffsetDateTime;

/// Channel that tells that something an account was signed in with has ended; the payload is the account's id.
pub const SIGN_OUTS: &str = "webmeteor_sign_outs";

/// The member of a session's data that holds the account's id.
pub const USER: &str = "user";
/// The one that holds when it was last seen: seconds since 1970, to the hour.
pub const SEEN: &str = "seen";
/// The one that holds where that was.
pub const ADDRESS: &str = "address";
/// The one that holds how the browser called itself.
pub const AGENT: &str = "agent";

/// A session, as its owner may know it.
#[derive(Debug, Clone, FromRow)]
pub struct SessionRow {
    /// The key, which is shown to nobody.
    pub key: String,
    /// What it is called instead.
    pub id: SessionId,
    /// Since.
    pub begun_at: OffsetDateTime,
    /// When it was last seen, to the hour.
    pub seen_at: Option<OffsetDateTime>,
    /// Where.
    pub address: Option<String>,
    /// How the browser called itself.
    pub agent: Option<String>,
}

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
    sqlx::query(
        "with gone as (delete from sessions where id = $1 returning data ->> 'user' as user_id) \
         select pg_notify($2, user_id) from gone where user_id is not null",
    )
    .bind(key)
    .bind(SIGN_OUTS)
    .execute(conn)
    .await?;
    Ok(())
}

/// The sessions of an account that have not expired, the one last seen first.
pub async fn of_user(conn: &mut PgConnection, user: UserId) -> sqlx::Result<Vec<SessionRow>> {
    sqlx::query_as(
        "select id as key, public_id as id, begun_at, to_timestamp((data ->> 'seen')::double precision) as seen_at, \
             data ->> 'address' as address, data ->> 'agent' as agent \
         from sessions where data ->> 'user' = $1 and expires_at > now() \
         order by seen_at desc nulls last, begun_at desc",
    )
    .bind(user.to_string())
    .fetch_all(conn)
    .await
}

/// Ends the sessions of an account but the one with this key; answers how many there were.
pub async fn delete_others(conn: &mut PgConnection, user: UserId, keep: Option<&str>) -> sqlx::Result<u64> {
    let done = sqlx::query("delete from sessions where data ->> 'user' = $1 and id is distinct from $2")
        .bind(user.to_string())
        .bind(keep)
        .execute(conn)
        .await?;
    Ok(done.rows_affected())
}

/// Tells, once the transaction has committed, that something this account was signed in with has ended.
pub async fn tell_of_end(conn: &mut PgConnection, user: UserId) -> sqlx::Result<()> {
    sqlx::query("select pg_notify($1, $2)").bind(SIGN_OUTS).bind(user.to_string()).execute(conn).await?;
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

    #[sqlx::test(migrations = "../../migrations")]
    async fn the_sessions_of_one_account_are_told_apart_and_end_but_for_one(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        let (ada, bob) = (UserId::new(), UserId::new());
        let seen = json!({ USER: ada, SEEN: 3600, ADDRESS: "192.0.2.1", AGENT: "Firefox" });
        insert(&mut conn, "a1", &seen, later()).await.unwrap();
        insert(&mut conn, "a2", &json!({ USER: ada }), later()).await.unwrap();
        insert(&mut conn, "old", &json!({ USER: ada }), OffsetDateTime::now_utc()).await.unwrap();
        insert(&mut conn, "b", &json!({ USER: bob }), later()).await.unwrap();
        let rows = of_user(&mut conn, ada).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.key.as_str()).collect::<Vec<_>>(), ["a1", "a2"]);
        assert_eq!(rows[0].seen_at.unwrap().unix_timestamp(), 3600);
        assert_eq!((rows[0].address.as_deref(), rows[0].agent.as_deref()), (Some("192.0.2.1"), Some("Firefox")));
        assert!(rows[0].id != rows[1].id && rows[1].seen_at.is_none());
        tell_of_end(&mut conn, ada).await.unwrap();
        delete_others(&mut conn, ada, Some("a2")).await.unwrap();
        assert!(get(&mut conn, "a1").await.unwrap().is_none());
        assert!(get(&mut conn, "a2").await.unwrap().is_some() && get(&mut conn, "b").await.unwrap().is_some());
    }
}

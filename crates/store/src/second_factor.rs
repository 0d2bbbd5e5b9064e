//! The second factor of accounts: the secret that codes are made of, and the codes for when it is lost.

use model::UserId;
use sqlx::{FromRow, PgConnection};
use time::OffsetDateTime;

/// A second factor, on or being set up.
#[derive(Debug, Clone, FromRow)]
pub struct TotpRow {
    /// Sealed.
    pub secret: Vec<u8>,
    /// Since when it is being set up.
    pub created_at: OffsetDateTime,
    /// Since when it is on; none: it does not count yet.
    pub confirmed_at: Option<OffsetDateTime>,
    /// The step of time whose code was accepted last.
    pub last_step: i64,
    /// Wrong codes in a row.
    pub failures: i32,
    /// Until when no code is looked at.
    pub locked_until: Option<OffsetDateTime>,
}

/// The account's, whether or not it counts.
pub async fn get(conn: &mut PgConnection, user: UserId) -> sqlx::Result<Option<TotpRow>> {
    sqlx::query_as("select * from totp where user_id = $1").bind(user).fetch_optional(conn).await
}

/// The same, held until the transaction ends: codes are judged one after the other.
pub async fn lock(conn: &mut PgConnection, user: UserId) -> sqlx::Result<Option<TotpRow>> {
    sqlx::query_as("select * from totp where user_id = $1 for update").bind(user).fetch_optional(conn).await
}

/// Whether the account has one that counts.
pub async fn is_on(conn: &mut PgConnection, user: UserId) -> sqlx::Result<bool> {
    sqlx::query_scalar("select exists (select from totp where user_id = $1 and confirmed_at is not null)")
        .bind(user)
        .fetch_one(conn)
        .await
}

/// Begins to set one up, in place of one that was never confirmed; `false` if one is on.
pub async fn begin(conn: &mut PgConnection, user: UserId, secret: &[u8], now: OffsetDateTime) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "insert into totp (user_id, secret, created_at) values ($1, $2, $3)
         on conflict (user_id) do update set secret = excluded.secret, created_at = excluded.created_at, failures = 0,
                                             locked_until = null
         where totp.confirmed_at is null",
    )
    .bind(user)
    .bind(secret)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// It counts from now on.
pub async fn confirm(conn: &mut PgConnection, user: UserId, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query("update totp set confirmed_at = $2 where user_id = $1").bind(user).bind(now).execute(conn).await?;
    Ok(())
}

/// The right thing was given; `step` is that of a code.
pub async fn accept(conn: &mut PgConnection, user: UserId, step: Option<i64>) -> sqlx::Result<()> {
    sqlx::query(
        "update totp set failures = 0, locked_until = null, last_step = coalesce($2, last_step) where user_id = $1",
    )
    .bind(user)
    .bind(step)
    .execute(conn)
    .await?;
    Ok(())
}

/// A wrong code was given, the `failures`th in a row.
pub async fn refuse(
    conn: &mut PgConnection,
    user: UserId,
    failures: i32,
    locked_until: Option<OffsetDateTime>,
) -> sqlx::Result<()> {
    sqlx::query("update totp set failures = $2, locked_until = $3 where user_id = $1")
        .bind(user)
        .bind(failures)
        .bind(locked_until)
        .execute(conn)
        .await?;
    Ok(())
}

/// Takes it off the account, with the recovery codes; `false` if there was none.
pub async fn remove(conn: &mut PgConnection, user: UserId) -> sqlx::Result<bool> {
    Ok(sqlx::query("delete from totp where user_id = $1").bind(user).execute(conn).await?.rows_affected() == 1)
}

/// These recovery codes are good from now on, and no others.
pub async fn replace_codes(conn: &mut PgConnection, user: UserId, hashes: &[Vec<u8>]) -> sqlx::Result<()> {
    sqlx::query("delete from recovery_codes where user_id = $1").bind(user).execute(&mut *conn).await?;
    sqlx::query("insert into recovery_codes (user_id, code_hash) select $1, unnest($2)")
        .bind(user)
        .bind(hashes)
        .execute(conn)
        .await?;
    Ok(())
}

/// Spends a recovery code; `false` if it is not, or no longer, one of the account's.
pub async fn spend_code(conn: &mut PgConnection, user: UserId, hash: &[u8]) -> sqlx::Result<bool> {
    let done = sqlx::query("delete from recovery_codes where user_id = $1 and code_hash = $2")
        .bind(user)
        .bind(hash)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// How many recovery codes are left.
pub async fn codes_left(conn: &mut PgConnection, user: UserId) -> sqlx::Result<i64> {
    sqlx::query_scalar("select count(*) from recovery_codes where user_id = $1").bind(user).fetch_one(conn).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::users::{self, NewUser};
    use sqlx::PgPool;

    async fn ada(conn: &mut PgConnection) -> UserId {
        let new = NewUser { email: "ada@example.org", name: "Ada", password_hash: "x", is_admin: false };
        users::insert(conn, new).await.unwrap().id
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn it_counts_once_confirmed_and_is_not_begun_anew_from_then_on(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        let (ada, now) = (ada(&mut conn).await, OffsetDateTime::now_utc());
        assert!(get(&mut conn, ada).await.unwrap().is_none());
        assert!(begin(&mut conn, ada, b"one", now).await.unwrap());
        assert!(begin(&mut conn, ada, b"two", now).await.unwrap());
        assert!(!is_on(&mut conn, ada).await.unwrap());
        confirm(&mut conn, ada, now).await.unwrap();
        assert!(is_on(&mut conn, ada).await.unwrap());
        assert!(!begin(&mut conn, ada, b"three", now).await.unwrap());
        assert_eq!(get(&mut conn, ada).await.unwrap().unwrap().secret, b"two");
        assert!(remove(&mut conn, ada).await.unwrap());
        assert!(!remove(&mut conn, ada).await.unwrap());
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn what_was_accepted_or_refused_is_remembered(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        let (ada, now) = (ada(&mut conn).await, OffsetDateTime::now_utc());
        begin(&mut conn, ada, b"one", now).await.unwrap();
        refuse(&mut conn, ada, 5, Some(now)).await.unwrap();
        let row = lock(&mut conn, ada).await.unwrap().unwrap();
        assert_eq!((row.failures, row.locked_until.is_some()), (5, true));
        accept(&mut conn, ada, Some(7)).await.unwrap();
        accept(&mut conn, ada, None).await.unwrap();
        let row = lock(&mut conn, ada).await.unwrap().unwrap();
        assert_eq!((row.failures, row.locked_until, row.last_step), (0, None, 7));
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn a_recovery_code_is_spent_once_and_goes_with_its_second_factor(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        let ada = ada(&mut conn).await;
        begin(&mut conn, ada, b"one", OffsetDateTime::now_utc()).await.unwrap();
        replace_codes(&mut conn, ada, &[b"a".to_vec(), b"b".to_vec()]).await.unwrap();
        assert!(spend_code(&mut conn, ada, b"a").await.unwrap());
        assert!(!spend_code(&mut conn, ada, b"a").await.unwrap());
        replace_codes(&mut conn, ada, &[b"c".to_vec()]).await.unwrap();
        assert!(!spend_code(&mut conn, ada, b"b").await.unwrap());
        assert_eq!(codes_left(&mut conn, ada).await.unwrap(), 1);
        remove(&mut conn, ada).await.unwrap();
        assert_eq!(codes_left(&mut conn, ada).await.unwrap(), 0);
    }
}

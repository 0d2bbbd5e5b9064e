//! Links that are mailed: by them an account is made, an address proved or changed, a password reset. Each is good once.

use model::UserId;
use sqlx::{FromRow, PgConnection, Result};

/// A link to be stored.
#[derive(Debug, Clone, Copy)]
pub struct NewLink<'a> {
    /// SHA-256 of its token.
    pub hash: &'a [u8],
    /// What it is for.
    pub kind: &'a str,
    /// Whose it is, if there is an account.
    pub user: Option<UserId>,
    /// Where it is sent.
    pub email: &'a str,
    /// Of the account that it makes.
    pub name: Option<&'a str>,
    /// Of the account that it makes: PHC string.
    pub password_hash: Option<&'a str>,
    /// How long it is good for.
    pub seconds: f64,
}

/// A link that is good.
#[derive(Debug, Clone, FromRow)]
pub struct LinkRow {
    /// What it is for.
    pub kind: String,
    /// Whose it is, if there is an account.
    pub user_id: Option<UserId>,
    /// Where it was sent.
    pub email: String,
    /// Of the account that it makes.
    pub name: Option<String>,
    /// Of the account that it makes: PHC string.
    pub password_hash: Option<String>,
}

/// Stores a link.
pub async fn insert(conn: &mut PgConnection, new: &NewLink<'_>) -> Result<()> {
    sqlx::query(
        "insert into account_links (token_hash, kind, user_id, email, name, password_hash, expires_at) \
         values ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7))",
    )
    .bind(new.hash)
    .bind(new.kind)
    .bind(new.user)
    .bind(new.email)
    .bind(new.name)
    .bind(new.password_hash)
    .bind(new.seconds)
    .execute(conn)
    .await?;
    Ok(())
}

/// The link with this hash, if it is good for one of these; it stays good.
pub async fn get(conn: &mut PgConnection, kinds: &[&str], hash: &[u8]) -> Result<Option<LinkRow>> {
    sqlx::query_as(
        "select kind, user_id, email, name, password_hash from account_links \
         where token_hash = $1 and kind = any($2) and expires_at > now()",
    )
    .bind(hash)
    .bind(kinds)
    .fetch_optional(conn)
    .await
}

/// Spends the link with this hash, if it is good for one of these. Of two callers at once, one is answered.
pub async fn take(conn: &mut PgConnection, kinds: &[&str], hash: &[u8]) -> Result<Option<LinkRow>> {
    sqlx::query_as(
        "delete from account_links where token_hash = $1 and kind = any($2) and expires_at > now() \
         returning kind, user_id, email, name, password_hash",
    )
    .bind(hash)
    .bind(kinds)
    .fetch_optional(conn)
    .await
}

/// How many were made for this address in the last hour.
pub async fn recent(conn: &mut PgConnection, email: &str) -> Result<i64> {
    sqlx::query_scalar("select count(*) from account_links where email = $1 and created_at > now() - interval '1 hour'")
        .bind(email)
        .fetch_one(conn)
        .await
}

/// Voids the links of an account that are for one of these.
pub async fn void_of_user(conn: &mut PgConnection, user: UserId, kinds: &[&str]) -> Result<()> {
    sqlx::query("delete from account_links where user_id = $1 and kind = any($2)")
        .bind(user)
        .bind(kinds)
        .execute(conn)
        .await?;
    Ok(())
}

/// Voids the links that would make an account for this address.
pub async fn void_registrations(conn: &mut PgConnection, email: &str) -> Result<()> {
    sqlx::query("delete from account_links where email = $1 and kind = 'register'").bind(email).execute(conn).await?;
    Ok(())
}

/// Removes what is no longer good; answers how many there were.
pub async fn delete_expired(conn: &mut PgConnection) -> Result<u64> {
    let expired = "delete from account_links where expires_at <= now() and created_at < now() - interval '1 hour'";
    Ok(sqlx::query(expired).execute(conn).await?.rows_affected())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::PgPool;

    const LINK: NewLink<'_> = NewLink {
        hash: b"one",
        kind: "register",
        user: None,
        email: "ada@example.org",
        name: Some("Ada"),
        password_hash: Some("hash"),
        seconds: 60.0,
    };

    #[sqlx::test(migrations = "../../migrations")]
    async fn a_link_is_good_once_and_for_its_own_purpose(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        insert(&mut conn, &LINK).await.unwrap();
        assert!(take(&mut conn, &["reset"], b"one").await.unwrap().is_none());
        assert!(get(&mut conn, &["register", "email"], b"one").await.unwrap().is_some());
        let taken = take(&mut conn, &["register"], b"one").await.unwrap().unwrap();
        assert_eq!((taken.email.as_str(), taken.name.as_deref()), ("ada@example.org", Some("Ada")));
        assert!(take(&mut conn, &["register"], b"one").await.unwrap().is_none());
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn a_link_that_is_too_old_is_not_good_and_goes_once_it_is_not_counted(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        insert(&mut conn, &NewLink { seconds: -1.0, ..LINK }).await.unwrap();
        assert!(get(&mut conn, &["register"], b"one").await.unwrap().is_none());
        assert!(take(&mut conn, &["register"], b"one").await.unwrap().is_none());
        assert_eq!(recent(&mut conn, LINK.email).await.unwrap(), 1);
        assert_eq!(delete_expired(&mut conn).await.unwrap(), 0);
        let older = "update account_links set created_at = created_at - interval '2 hours'";
        sqlx::query(older).execute(&mut *conn).await.unwrap();
        assert_eq!(recent(&mut conn, LINK.email).await.unwrap(), 0);
        assert_eq!(delete_expired(&mut conn).await.unwrap(), 1);
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn links_are_voided_by_account_and_by_address(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        let new = crate::users::NewUser { email: LINK.email, name: "Ada", password_hash: "x", is_admin: false };
        let ada = crate::users::insert(&mut conn, new).await.unwrap().id;
        for (hash, kind, user) in [("a", "register", None), ("b", "reset", Some(ada)), ("c", "email", Some(ada))] {
            insert(&mut conn, &NewLink { hash: hash.as_bytes(), kind, user, ..LINK }).await.unwrap();
        }
        void_registrations(&mut conn, LINK.email).await.unwrap();
        void_of_user(&mut conn, ada, &["reset"]).await.unwrap();
        let all = ["register", "reset", "email"];
        assert!(get(&mut conn, &all, b"a").await.unwrap().is_none());
        assert!(get(&mut conn, &all, b"b").await.unwrap().is_none());
        assert!(get(&mut conn, &all, b"c").await.unwrap().is_some());
    }
}

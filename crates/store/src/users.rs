//! Accounts.

use model::UserId;
use sqlx::{FromRow, PgConnection};
use time::OffsetDateTime;

/// The constraint that keeps an address to one account.
pub const EMAIL_KEY: &str = "users_email_key";

/// An account as it is stored.
#[derive(Debug, Clone, FromRow)]
pub struct User {
    /// Id.
    pub id: UserId,
    /// Address, lower-cased.
    pub email: String,
    /// Name for people.
    pub name: String,
    /// PHC string.
    pub password_hash: String,
    /// Its owner knows the password; else nobody does.
    pub has_password: bool,
    /// Administrator of the platform.
    pub is_admin: bool,
    /// When somebody who reads mail there said that the address is theirs.
    pub email_verified_at: Option<OffsetDateTime>,
    /// Since.
    pub created_at: OffsetDateTime,
}

/// What is needed to make an account.
#[derive(Debug, Clone, Copy)]
pub struct NewUser<'a> {
    /// Address, lower-cased.
    pub email: &'a str,
    /// Name for people.
    pub name: &'a str,
    /// PHC string.
    pub password_hash: &'a str,
    /// Administrator of the platform.
    pub is_admin: bool,
}

/// Makes an account.
///
/// # Errors
/// A violation of [`EMAIL_KEY`] if the address is taken.
pub async fn insert(conn: &mut PgConnection, new: NewUser<'_>) -> sqlx::Result<User> {
    sqlx::query_as(
        "insert into users (id, email, name, password_hash, is_admin) values ($1, $2, $3, $4, $5) returning *",
    )
    .bind(UserId::new())
    .bind(new.email)
    .bind(new.name)
    .bind(new.password_hash)
    .bind(new.is_admin)
    .fetch_one(conn)
    .await
}

/// The account with this id.
pub async fn get(conn: &mut PgConnection, id: UserId) -> sqlx::Result<Option<User>> {
    sqlx::query_as("select * from users where id = $1").bind(id).fetch_optional(conn).await
}

/// The account with this address, given in lower case.
pub async fn find_by_email(conn: &mut PgConnection, email: &str) -> sqlx::Result<Option<User>> {
    sqlx::query_as("select * from users where email = $1").bind(email).fetch_optional(conn).await
}

/// Whether there is an administrator.
pub async fn admin_exists(conn: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar("select exists (select from users where is_admin)").fetch_one(conn).await
}

/// Holds the account's row until the transaction ends, so that what depends on it happens one after the other;
/// `false` if the account is gone.
pub async fn lock(conn: &mut PgConnection, id: UserId) -> sqlx::Result<bool> {
    let row = sqlx::query("select from users where id = $1 for no key update").bind(id).fetch_optional(conn).await?;
    Ok(row.is_some())
}

/// Gives the account another name; `None` if it is gone.
pub async fn rename(conn: &mut PgConnection, id: UserId, name: &str) -> sqlx::Result<Option<User>> {
    sqlx::query_as("update users set name = $2 where id = $1 returning *")
        .bind(id)
        .bind(name)
        .fetch_optional(conn)
        .await
}

/// Notes that the address is proved; `false` if the account is gone, or has another address by now.
pub async fn verify_email(conn: &mut PgConnection, id: UserId, email: &str) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "update users set email_verified_at = coalesce(email_verified_at, now()) where id = $1 and email = $2",
    )
    .bind(id)
    .bind(email)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Gives the account another address, which was proved.
///
/// # Errors
/// A violation of [`EMAIL_KEY`] if the address is taken.
pub async fn set_email(conn: &mut PgConnection, id: UserId, email: &str) -> sqlx::Result<()> {
    sqlx::query("update users set email = $2, email_verified_at = now() where id = $1")
        .bind(id)
        .bind(email)
        .execute(conn)
        .await?;
    Ok(())
}

/// Whether another account than this is an administrator. All administrators' rows are held until the transaction
/// ends: of two who leave at once, one stays.
pub async fn lock_other_admins(conn: &mut PgConnection, id: UserId) -> sqlx::Result<bool> {
    let admins: Vec<UserId> =
        sqlx::query_scalar("select id from users where is_admin order by id for no key update").fetch_all(conn).await?;
    Ok(admins.iter().any(|admin| *admin != id))
}

/// Removes an account, with its memberships, tokens and links.
pub async fn delete(conn: &mut PgConnection, id: UserId) -> sqlx::Result<()> {
    sqlx::query("delete from users where id = $1").bind(id).execute(conn).await?;
    Ok(())
}

/// Notes that nobody knows the account's password.
pub async fn forget_password(conn: &mut PgConnection, id: UserId) -> sqlx::Result<()> {
    sqlx::query("update users set has_password = false where id = $1").bind(id).execute(conn).await?;
    Ok(())
}

/// Stores another password, which the owner knows.
pub async fn set_password(conn: &mut PgConnection, id: UserId, hash: &str) -> sqlx::Result<()> {
    sqlx::query("update users set password_hash = $2, has_password = true where id = $1")
        .bind(id)
        .bind(hash)
        .execute(conn)
        .await?;
    Ok(())
}

/// Stores another hash of the same password; does nothing if the password was changed meanwhile.
pub async fn replace_hash(conn: &mut PgConnection, id: UserId, old: &str, new: &str) -> sqlx::Result<()> {
    sqlx::query("update users set password_hash = $3 where id = $1 and password_hash = $2")
        .bind(id)
        .bind(old)
        .bind(new)
        .execute(conn)
        .await?;
    Ok(())
}

/// Makes the account with this address an administrator; `None` if there is no such account.
pub async fn promote(conn: &mut PgConnection, email: &str) -> sqlx::Result<Option<User>> {
    sqlx::query_as("update users set is_admin = true where email = $1 returning *")
        .bind(email)
        .fetch_optional(conn)
        .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::PgPool;

    const ADA: NewUser<'_> = NewUser { email: "ada@example.org", name: "Ada", password_hash: "first", is_admin: false };

    #[sqlx::test(migrations = "../../migrations")]
    async fn an_address_has_one_account(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        insert(&mut conn, ADA).await.unwrap();
        let error = insert(&mut conn, NewUser { name: "Another", ..ADA }).await.unwrap_err();
        assert_eq!(error.as_database_error().unwrap().constraint(), Some(EMAIL_KEY));
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn an_account_is_found_by_id_and_by_address(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        let ada = insert(&mut conn, ADA).await.unwrap();
        assert_eq!(get(&mut conn, ada.id).await.unwrap().unwrap().email, "ada@example.org");
        assert_eq!(find_by_email(&mut conn, "ada@example.org").await.unwrap().unwrap().id, ada.id);
        assert!(find_by_email(&mut conn, "bob@example.org").await.unwrap().is_none());
        assert!(get(&mut conn, UserId::new()).await.unwrap().is_none());
        assert!(lock(&mut conn, ada.id).await.unwrap());
        assert!(!lock(&mut conn, UserId::new()).await.unwrap());
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn an_account_becomes_an_administrator(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        insert(&mut conn, ADA).await.unwrap();
        assert!(!admin_exists(&mut conn).await.unwrap());
        assert!(promote(&mut conn, "bob@example.org").await.unwrap().is_none());
        assert!(promote(&mut conn, ADA.email).await.unwrap().unwrap().is_admin);
        assert!(admin_exists(&mut conn).await.unwrap());
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn name_and_password_change(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        let id = insert(&mut conn, ADA).await.unwrap().id;
        assert_eq!(rename(&mut conn, id, "Ada L.").await.unwrap().unwrap().name, "Ada L.");
        forget_password(&mut conn, id).await.unwrap();
        assert!(!get(&mut conn, id).await.unwrap().unwrap().has_password);
        set_password(&mut conn, id, "second").await.unwrap();
        let ada = get(&mut conn, id).await.unwrap().unwrap();
        assert_eq!((ada.password_hash.as_str(), ada.has_password), ("second", true));
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn an_address_is_proved_and_changed(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        let ada = insert(&mut conn, ADA).await.unwrap();
        assert!(ada.email_verified_at.is_none());
        assert!(!verify_email(&mut conn, ada.id, "old@example.org").await.unwrap());
        assert!(verify_email(&mut conn, ada.id, ADA.email).await.unwrap());
        let first = get(&mut conn, ada.id).await.unwrap().unwrap().email_verified_at;
        assert!(first.is_some() && verify_email(&mut conn, ada.id, ADA.email).await.unwrap());
        assert_eq!(get(&mut conn, ada.id).await.unwrap().unwrap().email_verified_at, first);
        set_email(&mut conn, ada.id, "new@example.org").await.unwrap();
        assert_eq!(get(&mut conn, ada.id).await.unwrap().unwrap().email, "new@example.org");
        let bob = insert(&mut conn, ADA).await.unwrap();
        let error = set_email(&mut conn, bob.id, "new@example.org").await.unwrap_err();
        assert_eq!(error.as_database_error().unwrap().constraint(), Some(EMAIL_KEY));
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn it_is_known_whether_another_administrator_stays(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        let ada = insert(&mut conn, NewUser { is_admin: true, ..ADA }).await.unwrap().id;
        assert!(!lock_other_admins(&mut conn, ada).await.unwrap());
        let bob = insert(&mut conn, NewUser { email: "b@example.org", is_admin: true, ..ADA }).await.unwrap().id;
        assert!(lock_other_admins(&mut conn, ada).await.unwrap());
        delete(&mut conn, bob).await.unwrap();
        assert!(!lock_other_admins(&mut conn, ada).await.unwrap());
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn a_hash_is_replaced_only_while_its_password_stands(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        let id = insert(&mut conn, ADA).await.unwrap().id;
        replace_hash(&mut conn, id, "another", "stale").await.unwrap();
        assert_eq!(get(&mut conn, id).await.unwrap().unwrap().password_hash, "first");
        replace_hash(&mut conn, id, "first", "fresh").await.unwrap();
        assert_eq!(get(&mut conn, id).await.unwrap().unwrap().password_hash, "fresh");
    }
}

//! Accounts at other providers, by which accounts here are signed in to.

use model::UserId;
use sqlx::{FromRow, PgConnection};
use time::OffsetDateTime;

/// The constraint that keeps an identity to one account.
pub const KEY: &str = "identities_key";
/// The constraint that keeps an account to one identity of each provider.
pub const OF_USER_KEY: &str = "identities_of_user_key";

/// An identity as it is stored.
#[derive(Debug, Clone, FromRow)]
pub struct IdentityRow {
    /// The account here.
    pub user_id: UserId,
    /// The provider's name in the settings.
    pub provider: String,
    /// The address at the provider.
    pub email: String,
    /// Since.
    pub created_at: OffsetDateTime,
    /// When somebody signed in with it last.
    pub last_used_at: Option<OffsetDateTime>,
}

/// What is needed to link one.
#[derive(Debug, Clone, Copy)]
pub struct NewIdentity<'a> {
    /// Who says so.
    pub issuer: &'a str,
    /// Whom it means there.
    pub subject: &'a str,
    /// The provider's name in the settings.
    pub provider: &'a str,
    /// The address at the provider.
    pub email: &'a str,
}

/// Links one to an account.
///
/// # Errors
/// A violation of [`KEY`] if it is an account's already, of [`OF_USER_KEY`] if the account has another of the provider.
pub async fn insert(conn: &mut PgConnection, user: UserId, new: NewIdentity<'_>) -> sqlx::Result<IdentityRow> {
    sqlx::query_as(
        "insert into identities (issuer, subject, user_id, provider, email) values ($1, $2, $3, $4, $5) returning *",
    )
    .bind(new.issuer)
    .bind(new.subject)
    .bind(user)
    .bind(new.provider)
    .bind(new.email)
    .fetch_one(conn)
    .await
}

/// Somebody came with this identity: whose it is here, if anybody's.
pub async fn used(
    conn: &mut PgConnection,
    issuer: &str,
    subject: &str,
    now: OffsetDateTime,
) -> sqlx::Result<Option<UserId>> {
    sqlx::query_scalar("update identities set last_used_at = $3 where issuer = $1 and subject = $2 returning user_id")
        .bind(issuer)
        .bind(subject)
        .bind(now)
        .fetch_optional(conn)
        .await
}

/// An account's, by provider.
pub async fn of_user(conn: &mut PgConnection, user: UserId) -> sqlx::Result<Vec<IdentityRow>> {
    sqlx::query_as("select * from identities where user_id = $1 order by provider").bind(user).fetch_all(conn).await
}

/// Takes the identity of a provider off an account; answers it, if it was there.
pub async fn remove(conn: &mut PgConnection, user: UserId, provider: &str) -> sqlx::Result<Option<IdentityRow>> {
    sqlx::query_as("delete from identities where user_id = $1 and provider = $2 returning *")
        .bind(user)
        .bind(provider)
        .fetch_optional(conn)
        .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::users::{self, NewUser};
    use sqlx::PgPool;

    #[sqlx::test(migrations = "../../migrations")]
    async fn an_identity_is_one_account_s_and_one_of_each_provider(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        let mut users = Vec::new();
        for email in ["ada@example.org", "bob@example.org"] {
            let new = NewUser { email, name: "A", password_hash: "x", is_admin: false };
            users.push(users::insert(&mut conn, new).await.unwrap().id);
        }
        let [ada, bob] = users[..] else { panic!("two were made") };
        let now = OffsetDateTime::now_utc();
        let new = NewIdentity { issuer: "https://id.example", subject: "1", provider: "oidc", email: "a@id.example" };
        insert(&mut conn, ada, new).await.unwrap();
        let constraint = |error: sqlx::Error| error.as_database_error().unwrap().constraint().unwrap().to_owned();
        assert_eq!(constraint(insert(&mut conn, bob, new).await.unwrap_err()), KEY);
        let second = NewIdentity { subject: "2", ..new };
        assert_eq!(constraint(insert(&mut conn, ada, second).await.unwrap_err()), OF_USER_KEY);
        assert_eq!(used(&mut conn, "https://id.example", "1", now).await.unwrap(), Some(ada));
        assert_eq!(used(&mut conn, "https://other.example", "1", now).await.unwrap(), None);
        assert!(of_user(&mut conn, ada).await.unwrap()[0].last_used_at.is_some());
        assert!(remove(&mut conn, bob, "oidc").await.unwrap().is_none());
        assert_eq!(remove(&mut conn, ada, "oidc").await.unwrap().unwrap().email, "a@id.example");
    }
}

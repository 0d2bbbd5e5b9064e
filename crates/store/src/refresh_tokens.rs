//! Refresh tokens: single use, in families that begin at a sign-in.

use model::{TokenId, UserId};
use sqlx::{FromRow, PgConnection};
use std::net::IpAddr;
use time::OffsetDateTime;
use uuid::Uuid;

/// A program, as far as it is known.
#[derive(Debug, Clone, Default)]
pub struct Client {
    /// Where it is.
    pub address: Option<IpAddr>,
    /// How it calls itself.
    pub agent: Option<String>,
}

/// A sign-in that goes on.
#[derive(Debug, Clone, FromRow)]
pub struct SignInRow {
    /// All tokens that came from it; says when it began (UUID v7).
    pub family: Uuid,
    /// When it was last given tokens.
    pub seen_at: OffsetDateTime,
    /// Where.
    pub address: Option<String>,
    /// How the program called itself.
    pub agent: Option<String>,
}

/// Where a refresh token belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct Owner {
    /// The account.
    pub user_id: UserId,
    /// All tokens that came from one sign-in.
    pub family: Uuid,
}

/// Stores a token by its hash.
pub async fn insert(
    conn: &mut PgConnection,
    owner: Owner,
    hash: &[u8],
    expires_at: OffsetDateTime,
    client: &Client,
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into refresh_tokens (id, user_id, family, token_hash, expires_at, address, agent) \
         values ($1, $2, $3, $4, $5, $6::inet, $7)",
    )
    .bind(TokenId::new())
    .bind(owner.user_id)
    .bind(owner.family)
    .bind(hash)
    .bind(expires_at)
    .bind(client.address.map(|address| address.to_string()))
    .bind(client.agent.as_deref())
    .execute(conn)
    .await?;
    Ok(())
}

/// The sign-ins of an account that go on, the one last seen first.
pub async fn of_user(conn: &mut PgConnection, user: UserId) -> sqlx::Result<Vec<SignInRow>> {
    sqlx::query_as(
        "select family, created_at as seen_at, host(address) as address, agent from refresh_tokens \
         where user_id = $1 and used_at is null and revoked_at is null and expires_at > now() order by created_at desc",
    )
    .bind(user)
    .fetch_all(conn)
    .await
}

/// Whether a sign-in goes on.
pub async fn is_alive(conn: &mut PgConnection, family: Uuid) -> sqlx::Result<bool> {
    sqlx::query_scalar("select exists (select from refresh_tokens where family = $1 and revoked_at is null)")
        .bind(family)
        .fetch_one(conn)
        .await
}

/// Revokes all tokens of an account but those of one sign-in; answers how many sign-ins ended.
pub async fn revoke_others(conn: &mut PgConnection, user: UserId, keep: Option<Uuid>) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "with gone as (update refresh_tokens set revoked_at = now() \
             where user_id = $1 and revoked_at is null and family is distinct from $2 returning family, used_at, expires_at) \
         select count(*) from gone where used_at is null and expires_at > now()",
    )
    .bind(user)
    .bind(keep)
    .fetch_one(conn)
    .await
}

/// Where the token with this hash belongs, whatever state it is in.
pub async fn owner(conn: &mut PgConnection, hash: &[u8]) -> sqlx::Result<Option<Owner>> {
    sqlx::query_as("select user_id, family from refresh_tokens where token_hash = $1")
        .bind(hash)
        .fetch_optional(conn)
        .await
}

/// Marks a token as used; `false` if it was used or revoked before, or has expired.
pub async fn consume(conn: &mut PgConnection, hash: &[u8]) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "update refresh_tokens set used_at = now()
         where token_hash = $1 and used_at is null and revoked_at is null and expires_at > now()",
    )
    .bind(hash)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether the token with this hash was used before.
pub async fn is_spent(conn: &mut PgConnection, hash: &[u8]) -> sqlx::Result<bool> {
    sqlx::query_scalar("select exists (select from refresh_tokens where token_hash = $1 and used_at is not null)")
        .bind(hash)
        .fetch_one(conn)
        .await
}

/// Revokes all tokens of one sign-in.
pub async fn revoke_family(conn: &mut PgConnection, family: Uuid) -> sqlx::Result<()> {
    sqlx::query("update refresh_tokens set revoked_at = now() where family = $1 and revoked_at is null")
        .bind(family)
        .execute(conn)
        .await?;
    Ok(())
}

/// Revokes all tokens of an account.
pub async fn revoke_of_user(conn: &mut PgConnection, user: UserId) -> sqlx::Result<()> {
    sqlx::query("update refresh_tokens set revoked_at = now() where user_id = $1 and revoked_at is null")
        .bind(user)
        .execute(conn)
        .await?;
    Ok(())
}

/// Removes what has expired; answers how many there were. Used tokens stay until then, so that their reuse is noticed.
pub async fn delete_expired(conn: &mut PgConnection) -> sqlx::Result<u64> {
    Ok(sqlx::query("delete from refresh_tokens where expires_at <= now()").execute(conn).await?.rows_affected())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::users::{self, NewUser};
    use sqlx::PgPool;
    use time::Duration;

    async fn sign_in(conn: &mut PgConnection, email: &str) -> Owner {
        let new = NewUser { email, name: "Ada", password_hash: "x", is_admin: false };
        Owner { user_id: users::insert(conn, new).await.unwrap().id, family: Uuid::now_v7() }
    }

    fn later() -> OffsetDateTime {
        OffsetDateTime::now_utc() + Duration::hours(1)
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn a_token_is_used_once(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        let ada = sign_in(&mut conn, "ada@example.org").await;
        insert(&mut conn, ada, b"one", later(), &Client::default()).await.unwrap();
        assert!(consume(&mut conn, b"one").await.unwrap());
        assert!(!consume(&mut conn, b"one").await.unwrap());
        assert!(is_spent(&mut conn, b"one").await.unwrap());
        insert(&mut conn, ada, b"fresh", later(), &Client::default()).await.unwrap();
        assert!(!is_spent(&mut conn, b"fresh").await.unwrap());
        assert_eq!(owner(&mut conn, b"one").await.unwrap(), Some(ada));
        assert_eq!(owner(&mut conn, b"two").await.unwrap(), None);
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn an_expired_token_is_refused_and_removed(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        let ada = sign_in(&mut conn, "ada@example.org").await;
        insert(&mut conn, ada, b"old", OffsetDateTime::now_utc() - Duration::seconds(1), &Client::default())
            .await
            .unwrap();
        assert!(!consume(&mut conn, b"old").await.unwrap());
        assert_eq!(delete_expired(&mut conn).await.unwrap(), 1);
        assert_eq!(owner(&mut conn, b"old").await.unwrap(), None);
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn a_family_is_revoked_alone_and_an_account_as_a_whole(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        let phone = sign_in(&mut conn, "ada@example.org").await;
        let laptop = Owner { family: Uuid::now_v7(), ..phone };
        let desk = Owner { family: Uuid::now_v7(), ..phone };
        let bob = sign_in(&mut conn, "bob@example.org").await;
        for (owner, hash) in [(phone, b"phone"), (laptop, b"lapto"), (desk, b"desk1"), (bob, b"bob_1")] {
            insert(&mut conn, owner, hash, later(), &Client::default()).await.unwrap();
        }
        revoke_family(&mut conn, phone.family).await.unwrap();
        assert!(!consume(&mut conn, b"phone").await.unwrap());
        assert!(consume(&mut conn, b"lapto").await.unwrap());
        revoke_of_user(&mut conn, phone.user_id).await.unwrap();
        assert!(!consume(&mut conn, b"desk1").await.unwrap());
        assert!(consume(&mut conn, b"bob_1").await.unwrap());
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn sign_ins_are_told_apart_and_end_but_for_one(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        let phone = sign_in(&mut conn, "ada@example.org").await;
        let laptop = Owner { family: Uuid::now_v7(), ..phone };
        let client = Client { address: Some("2001:db8::1".parse().unwrap()), agent: Some("curl/8".into()) };
        insert(&mut conn, phone, b"one", later(), &Client::default()).await.unwrap();
        consume(&mut conn, b"one").await.unwrap();
        insert(&mut conn, phone, b"two", later(), &client).await.unwrap();
        insert(&mut conn, laptop, b"three", later(), &client).await.unwrap();
        let rows = of_user(&mut conn, phone.user_id).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.family).collect::<Vec<_>>(), [laptop.family, phone.family]);
        assert_eq!((rows[1].address.as_deref(), rows[1].agent.as_deref()), (Some("2001:db8::1"), Some("curl/8")));
        assert!(is_alive(&mut conn, phone.family).await.unwrap());
        assert_eq!(revoke_others(&mut conn, phone.user_id, Some(laptop.family)).await.unwrap(), 1);
        assert!(!is_alive(&mut conn, phone.family).await.unwrap());
        assert!(is_alive(&mut conn, laptop.family).await.unwrap());
        assert!(!is_alive(&mut conn, Uuid::now_v7()).await.unwrap());
    }
}

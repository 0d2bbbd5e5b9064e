//! Refresh tokens: single use, in families that begin at a sign-in.

use model::{TokenId, UserId};
use sqlx::{FromRow, PgConnection};
use time::OffsetDateTime;
use uuid::Uuid;

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
) -> sqlx::Result<()> {
    sqlx::query("insert into refresh_tokens (id, user_id, family, token_hash, expires_at) values ($1, $2, $3, $4, $5)")
        .bind(TokenId::new())
        .bind(owner.user_id)
        .bind(owner.family)
        .bind(hash)
        .bind(expires_at)
        .execute(conn)
        .await?;
    Ok(())
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
        insert(&mut conn, ada, b"one", later()).await.unwrap();
        assert!(consume(&mut conn, b"one").await.unwrap());
        assert!(!consume(&mut conn, b"one").await.unwrap());
        assert_eq!(owner(&mut conn, b"one").await.unwrap(), Some(ada));
        assert_eq!(owner(&mut conn, b"two").await.unwrap(), None);
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn an_expired_token_is_refused_and_removed(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        let ada = sign_in(&mut conn, "ada@example.org").await;
        insert(&mut conn, ada, b"old", OffsetDateTime::now_utc() - Duration::seconds(1)).await.unwrap();
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
            insert(&mut conn, owner, hash, later()).await.unwrap();
        }
        revoke_family(&mut conn, phone.family).await.unwrap();
        assert!(!consume(&mut conn, b"phone").await.unwrap());
        assert!(consume(&mut conn, b"lapto").await.unwrap());
        revoke_of_user(&mut conn, phone.user_id).await.unwrap();
        assert!(!consume(&mut conn, b"desk1").await.unwrap());
        assert!(consume(&mut conn, b"bob_1").await.unwrap());
    }
}

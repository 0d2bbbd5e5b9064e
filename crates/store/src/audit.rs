//! The audit: who did what. Rows are added and read, never changed.

use model::{AuditId, TeamId, TokenId, UserId};
use serde_json::Value;
use sqlx::PgConnection;
use std::net::IpAddr;

/// An entry to add.
#[derive(Debug, Clone)]
pub struct NewEntry<'a> {
    /// The team whose affair it is; `None`: the platform's, or an account's own.
    pub team: Option<TeamId>,
    /// Who; `None`: the platform itself.
    pub actor: Option<UserId>,
    /// What was done: `site.create`.
    pub action: &'a str,
    /// What kind of thing it was done to: `site`.
    pub target_kind: &'a str,
    /// Which one.
    pub target_id: &'a str,
    /// Its name at that time.
    pub target_name: &'a str,
    /// How it was.
    pub before: Option<&'a Value>,
    /// How it is.
    pub after: Option<&'a Value>,
    /// Where the request came from.
    pub address: Option<IpAddr>,
    /// The API token it came with.
    pub token: Option<TokenId>,
}

/// Adds an entry; the actor's address as a name is looked up and kept with it.
pub async fn insert(conn: &mut PgConnection, new: &NewEntry<'_>) -> sqlx::Result<AuditId> {
    sqlx::query_scalar(
        "insert into audit_entries (id, team_id, actor_id, actor_name, action, target_kind, target_id, target_name,
                                    before, after, address, token_id)
         values ($1, $2, $3, coalesce((select email from users where id = $3), 'WebMeteor'), $4, $5, $6, $7, $8, $9,
                 $10::inet, $11)
         returning id",
    )
    .bind(AuditId::new())
    .bind(new.team)
    .bind(new.actor)
    .bind(new.action)
    .bind(new.target_kind)
    .bind(new.target_id)
    .bind(new.target_name)
    .bind(new.before)
    .bind(new.after)
    .bind(new.address.map(|address| address.to_string()))
    .bind(new.token)
    .fetch_one(conn)
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use sqlx::PgPool;

    #[sqlx::test(migrations = "../../migrations")]
    async fn an_entry_can_be_neither_changed_nor_removed(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        let after = json!({"name": "Shop"});
        let new = NewEntry {
            team: Some(TeamId::new()),
            actor: None,
            action: "site.create",
            target_kind: "site",
            target_id: "1",
            target_name: "Shop",
            before: None,
            after: Some(&after),
            address: Some("2001:db8::1".parse().unwrap()),
            token: None,
        };
        insert(&mut conn, &new).await.unwrap();
        for change in ["update audit_entries set action = 'x'", "delete from audit_entries", "truncate audit_entries"] {
            assert!(sqlx::query(change).execute(&mut *conn).await.is_err(), "{change}");
        }
        let (name, count): (String, i64) =
            sqlx::query_as("select max(actor_name), count(*) from audit_entries").fetch_one(&mut *conn).await.unwrap();
        assert_eq!((name.as_str(), count), ("WebMeteor", 1));
    }
}

//! Teams and their members.

use model::{Role, TeamId, UserId};
use sqlx::{FromRow, PgConnection};

/// A team as it is stored.
#[derive(Debug, Clone, FromRow)]
pub struct Team {
    /// Id.
    pub id: TeamId,
    /// In container names and Git addresses.
    pub slug: String,
    /// Name for people.
    pub name: String,
}

/// A team and the role of one member in it.
#[derive(Debug, Clone)]
pub struct Membership {
    /// The team.
    pub team: Team,
    /// The member's role.
    pub role: Role,
}

/// Makes a team; `None` if its short name is taken (the transaction stays usable).
pub async fn insert(conn: &mut PgConnection, slug: &str, name: &str) -> sqlx::Result<Option<Team>> {
    sqlx::query_as(
        "insert into teams (id, slug, name) values ($1, $2, $3)
         on conflict on constraint teams_slug_key do nothing returning id, slug, name",
    )
    .bind(TeamId::new())
    .bind(slug)
    .bind(name)
    .fetch_optional(conn)
    .await
}

/// The team with this id.
pub async fn get(conn: &mut PgConnection, id: TeamId) -> sqlx::Result<Option<Team>> {
    sqlx::query_as("select id, slug, name from teams where id = $1").bind(id).fetch_optional(conn).await
}

/// Puts an account into a team, or changes its role there.
pub async fn set_member(conn: &mut PgConnection, team: TeamId, user: UserId, role: Role) -> sqlx::Result<()> {
    sqlx::query(
        "insert into members (team_id, user_id, role) values ($1, $2, $3)
         on conflict (team_id, user_id) do update set role = excluded.role",
    )
    .bind(team)
    .bind(user)
    .bind(role.as_str())
    .execute(conn)
    .await?;
    Ok(())
}

/// The teams of an account with its role in each, the oldest membership first.
pub async fn of_user(conn: &mut PgConnection, user: UserId) -> sqlx::Result<Vec<Membership>> {
    let rows: Vec<(TeamId, String, String, String)> = sqlx::query_as(
        "select t.id, t.slug, t.name, m.role from members m join teams t on t.id = m.team_id
         where m.user_id = $1 order by m.created_at, t.id",
    )
    .bind(user)
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|(id, slug, name, role)| {
            let role = Role::from_word(&role)
                .ok_or_else(|| sqlx::Error::Decode(format!("“{role}” is no role of a member").into()))?;
            Ok(Membership { team: Team { id, slug, name }, role })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::users::{self, NewUser};
    use sqlx::PgPool;

    async fn user(conn: &mut PgConnection, email: &str) -> UserId {
        let new = NewUser { email, name: "Ada", password_hash: "x", is_admin: false };
        users::insert(conn, new).await.unwrap().id
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn a_short_name_belongs_to_one_team(pool: PgPool) {
        let mut tx = pool.begin().await.unwrap();
        let team = insert(&mut tx, "ada", "Ada").await.unwrap().unwrap();
        assert!(insert(&mut tx, "ada", "Another").await.unwrap().is_none());
        assert_eq!(get(&mut tx, team.id).await.unwrap().unwrap().name, "Ada");
        assert!(get(&mut tx, TeamId::new()).await.unwrap().is_none());
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn an_account_has_one_role_in_each_of_its_teams(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        let (ada, bob) = (user(&mut conn, "ada@example.org").await, user(&mut conn, "bob@example.org").await);
        let own = insert(&mut conn, "ada", "Ada").await.unwrap().unwrap();
        let other = insert(&mut conn, "bob", "Bob").await.unwrap().unwrap();
        set_member(&mut conn, own.id, ada, Role::Owner).await.unwrap();
        set_member(&mut conn, other.id, bob, Role::Owner).await.unwrap();
        set_member(&mut conn, other.id, ada, Role::Developer).await.unwrap();
        set_member(&mut conn, other.id, ada, Role::Viewer).await.unwrap();
        let found: Vec<_> = of_user(&mut conn, ada).await.unwrap().into_iter().map(|m| (m.team.slug, m.role)).collect();
        assert_eq!(found, [("ada".to_owned(), Role::Owner), ("bob".to_owned(), Role::Viewer)]);
    }
}

//! Members of a team.

use crate::teams;
use model::{Role, TeamId, UserId};
use sqlx::{FromRow, PgConnection, Result};
use time::OffsetDateTime;

/// A member.
#[derive(Debug, Clone)]
pub struct Member {
    /// The account.
    pub user: UserId,
    /// Its name.
    pub name: String,
    /// Its address.
    pub email: String,
    /// Its role.
    pub role: Role,
    /// Since.
    pub since: OffsetDateTime,
}

#[derive(FromRow)]
struct Row {
    id: UserId,
    name: String,
    email: String,
    role: String,
    created_at: OffsetDateTime,
}

impl TryFrom<Row> for Member {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self> {
        let role = teams::role(&row.role)?;
        Ok(Self { user: row.id, name: row.name, email: row.email, role, since: row.created_at })
    }
}

/// All members of a team, the longest there first.
pub async fn of_team(conn: &mut PgConnection, team: TeamId) -> Result<Vec<Member>> {
    let rows: Vec<Row> = sqlx::query_as(
        "select u.id, u.name, u.email, m.role, m.created_at from members m join users u on u.id = m.user_id \
         where m.team_id = $1 order by m.created_at, u.id",
    )
    .bind(team)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Member::try_from).collect()
}

/// One member of a team.
pub async fn get(conn: &mut PgConnection, team: TeamId, user: UserId) -> Result<Option<Member>> {
    let row: Option<Row> = sqlx::query_as(
        "select u.id, u.name, u.email, m.role, m.created_at from members m join users u on u.id = m.user_id \
         where m.team_id = $1 and m.user_id = $2",
    )
    .bind(team)
    .bind(user)
    .fetch_optional(conn)
    .await?;
    row.map(Member::try_from).transpose()
}

/// Whether a member of a team has this address, given in lower case.
pub async fn has_address(conn: &mut PgConnection, team: TeamId, email: &str) -> Result<bool> {
    sqlx::query_scalar(
        "select exists (select from members m join users u on u.id = m.user_id where m.team_id = $1 and u.email = $2)",
    )
    .bind(team)
    .bind(email)
    .fetch_one(conn)
    .await
}

/// How many owners a team has.
pub async fn owners(conn: &mut PgConnection, team: TeamId) -> Result<i64> {
    sqlx::query_scalar("select count(*) from members where team_id = $1 and role = 'owner'")
        .bind(team)
        .fetch_one(conn)
        .await
}

/// Puts an account into a team; `false` if it is there already, in whatever role.
pub async fn add(conn: &mut PgConnection, team: TeamId, user: UserId, role: Role) -> Result<bool> {
    let done = sqlx::query("insert into members (team_id, user_id, role) values ($1, $2, $3) on conflict do nothing")
        .bind(team)
        .bind(user)
        .bind(role.as_str())
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes an account out of a team.
pub async fn remove(conn: &mut PgConnection, team: TeamId, user: UserId) -> Result<()> {
    sqlx::query("delete from members where team_id = $1 and user_id = $2").bind(team).bind(user).execute(conn).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::users::{self, NewUser};
    use sqlx::PgPool;

    #[sqlx::test(migrations = "../../migrations")]
    async fn members_come_are_counted_and_go(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        let team = teams::insert(&mut conn, "acme", "Acme").await.unwrap().unwrap().id;
        let user = async |email: &str| {
            let new = NewUser { email, name: "Ada", password_hash: "x", is_admin: false };
            users::insert(&mut pool.acquire().await.unwrap(), new).await.unwrap().id
        };
        let (ada, bob) = (user("ada@example.org").await, user("bob@example.org").await);
        assert!(add(&mut conn, team, ada, Role::Owner).await.unwrap());
        assert!(add(&mut conn, team, bob, Role::Viewer).await.unwrap());
        assert!(!add(&mut conn, team, bob, Role::Owner).await.unwrap(), "the role stays");
        assert_eq!(owners(&mut conn, team).await.unwrap(), 1);
        let counts = teams::counts(&mut conn, team).await.unwrap().unwrap();
        assert_eq!((counts.members, counts.owners, counts.sites), (2, 1, 0));
        assert_eq!(teams::owned_by(&mut conn, ada).await.unwrap(), 1);
        let found: Vec<_> = of_team(&mut conn, team).await.unwrap().into_iter().map(|it| (it.user, it.role)).collect();
        assert_eq!(found, [(ada, Role::Owner), (bob, Role::Viewer)]);
        assert!(has_address(&mut conn, team, "bob@example.org").await.unwrap());
        remove(&mut conn, team, bob).await.unwrap();
        assert!(get(&mut conn, team, bob).await.unwrap().is_none());
        assert!(!has_address(&mut conn, team, "bob@example.org").await.unwrap());
        teams::rename(&mut conn, team, "Acme Ltd").await.unwrap();
        assert_eq!(teams::lock(&mut conn, team).await.unwrap().unwrap().name, "Acme Ltd");
        assert!(teams::remove(&mut conn, team).await.unwrap());
        assert!(teams::get(&mut conn, team).await.unwrap().is_none());
    }
}

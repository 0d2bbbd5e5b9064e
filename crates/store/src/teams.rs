//! Teams and their members.

use model::{Role, SiteId, TeamId, UserId};
use sqlx::{FromRow, PgConnection};
use time::OffsetDateTime;

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

/// Holds a team's row until the transaction ends, so that what is decided about its members happens one after the other;
/// `None` if it is gone. What is added to the team meanwhile does not wait.
pub async fn lock(conn: &mut PgConnection, id: TeamId) -> sqlx::Result<Option<Team>> {
    sqlx::query_as("select id, slug, name from teams where id = $1 for no key update")
        .bind(id)
        .fetch_optional(conn)
        .await
}

/// What a team has.
#[derive(Debug, Clone, Copy, FromRow)]
pub struct Counts {
    /// Members.
    pub members: i64,
    /// Owners among them.
    pub owners: i64,
    /// Sites, those that are being removed included.
    pub sites: i64,
    /// Since when there is the team.
    pub created_at: OffsetDateTime,
}

/// Counts what a team has; `None` if it is gone.
pub async fn counts(conn: &mut PgConnection, id: TeamId) -> sqlx::Result<Option<Counts>> {
    sqlx::query_as(
        "select (select count(*) from members where team_id = t.id) as members, \
                (select count(*) from members where team_id = t.id and role = 'owner') as owners, \
                (select count(*) from sites where team_id = t.id) as sites, created_at \
         from teams t where id = $1",
    )
    .bind(id)
    .fetch_optional(conn)
    .await
}

/// How many teams an account owns.
pub async fn owned_by(conn: &mut PgConnection, user: UserId) -> sqlx::Result<i64> {
    sqlx::query_scalar("select count(*) from members where user_id = $1 and role = 'owner'")
        .bind(user)
        .fetch_one(conn)
        .await
}

/// Gives a team another name for people.
pub async fn rename(conn: &mut PgConnection, id: TeamId, name: &str) -> sqlx::Result<()> {
    sqlx::query("update teams set name = $2 where id = $1").bind(id).bind(name).execute(conn).await?;
    Ok(())
}

/// Removes a team that has no site, with its memberships, tokens and invitations; `false` if it has one.
pub async fn remove(conn: &mut PgConnection, id: TeamId) -> sqlx::Result<bool> {
    let done = sqlx::query("delete from teams where id = $1 and not exists (select from sites where team_id = $1)")
        .bind(id)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
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

/// A role of a row that was read.
pub(crate) fn role(word: &str) -> sqlx::Result<Role> {
    Role::from_word(word).ok_or_else(|| sqlx::Error::Decode(format!("“{word}” is no role of a member").into()))
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
        .map(|(id, slug, name, role)| Ok(Membership { team: Team { id, slug, name }, role: self::role(&role)? }))
        .collect()
}

/// A team and the part that an account has in it.
#[derive(Debug, Clone, FromRow)]
pub struct Part {
    /// Id.
    pub id: TeamId,
    /// In container names and Git addresses.
    pub slug: String,
    /// Name for people.
    pub name: String,
    role: String,
    /// How many others are in it.
    pub other_members: i64,
    /// How many of them own it.
    pub other_owners: i64,
}

impl Part {
    /// The account's role.
    pub fn role(&self) -> Option<Role> {
        Role::from_word(&self.role)
    }
}

/// The parts that an account has in its teams, whose rows are held until the transaction ends. Held first, then counted:
/// what a statement that waits would count is how it was before it waited.
pub async fn lock_parts(conn: &mut PgConnection, user: UserId) -> sqlx::Result<Vec<Part>> {
    let held: Vec<TeamId> = sqlx::query_scalar(
        "select t.id from members m join teams t on t.id = m.team_id where m.user_id = $1 order by t.id \
         for update of t",
    )
    .bind(user)
    .fetch_all(&mut *conn)
    .await?;
    sqlx::query_as(
        "select t.id, t.slug, t.name, m.role, \
             (select count(*) from members o where o.team_id = t.id and o.user_id <> $1) as other_members, \
             (select count(*) from members o where o.team_id = t.id and o.user_id <> $1 and o.role = 'owner') \
                 as other_owners \
         from members m join teams t on t.id = m.team_id where m.user_id = $1 and t.id = any($2) order by t.id",
    )
    .bind(user)
    .bind(held)
    .fetch_all(conn)
    .await
}

/// The sites of these teams that are not being removed: id, name, and their team's name.
pub async fn sites(conn: &mut PgConnection, teams: &[TeamId]) -> sqlx::Result<Vec<(SiteId, String, String)>> {
    sqlx::query_as(
        "select s.id, s.name, t.name from sites s join teams t on t.id = s.team_id \
         where s.team_id = any($1) and s.deleting_at is null order by t.name, s.name, s.id",
    )
    .bind(teams)
    .fetch_all(conn)
    .await
}

/// Removes those of these teams that have neither members nor sites.
pub async fn delete_empty(conn: &mut PgConnection, teams: &[TeamId]) -> sqlx::Result<u64> {
    let done = sqlx::query(
        "delete from teams t where t.id = any($1) \
         and not exists (select from members m where m.team_id = t.id) \
         and not exists (select from sites s where s.team_id = t.id)",
    )
    .bind(teams)
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// The teams that nobody is in any more.
pub async fn abandoned(conn: &mut PgConnection) -> sqlx::Result<Vec<TeamId>> {
    sqlx::query_scalar("select id from teams t where not exists (select from members m where m.team_id = t.id)")
        .fetch_all(conn)
        .await
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

    #[sqlx::test(migrations = "../../migrations")]
    async fn a_team_is_left_by_its_last_member_and_then_removed(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        let (ada, bob) = (user(&mut conn, "ada@example.org").await, user(&mut conn, "bob@example.org").await);
        let own = insert(&mut conn, "ada", "Ada").await.unwrap().unwrap();
        let both = insert(&mut conn, "both", "Both").await.unwrap().unwrap();
        set_member(&mut conn, own.id, ada, Role::Owner).await.unwrap();
        set_member(&mut conn, both.id, ada, Role::Owner).await.unwrap();
        set_member(&mut conn, both.id, bob, Role::Viewer).await.unwrap();
        let parts = lock_parts(&mut conn, ada).await.unwrap();
        let told: Vec<_> =
            parts.iter().map(|it| (it.slug.as_str(), it.role(), it.other_members, it.other_owners)).collect();
        assert_eq!(told, [("ada", Some(Role::Owner), 0, 0), ("both", Some(Role::Owner), 1, 0)]);
        assert!(sites(&mut conn, &[own.id]).await.unwrap().is_empty());
        users::delete(&mut conn, ada).await.unwrap();
        assert_eq!(abandoned(&mut conn).await.unwrap(), [own.id]);
        assert_eq!(delete_empty(&mut conn, &[own.id, both.id]).await.unwrap(), 1);
        assert!(get(&mut conn, both.id).await.unwrap().is_some());
    }
}

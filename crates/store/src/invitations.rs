//! Invitations, into a team or to the platform alone; found by the hash of what stands in their links.

use model::{InvitationId, Role, TeamId, UserId};
use sqlx::{FromRow, PgConnection, Result};
use time::OffsetDateTime;

/// The constraint that keeps an address to one open invitation into a team.
pub const OPEN_KEY: &str = "invitations_open_key";

/// An invitation as it is stored.
#[derive(Debug, Clone, FromRow)]
pub struct InvitationRow {
    /// Id.
    pub id: InvitationId,
    /// The team; `None`: to the platform alone.
    pub team_id: Option<TeamId>,
    /// That team's name.
    pub team_name: Option<String>,
    /// The address that it is for.
    pub email: String,
    role: Option<String>,
    /// SHA-256 of what is mailed.
    pub mail_hash: Vec<u8>,
    /// Sealed; what is mailed.
    pub mail_sealed: Option<Vec<u8>>,
    /// Who invited.
    pub invited_by: Option<UserId>,
    /// That account's name.
    pub inviter: Option<String>,
    /// When it was mailed last.
    pub sent_at: OffsetDateTime,
    /// Good until.
    pub expires_at: OffsetDateTime,
    /// When it was accepted.
    pub accepted_at: Option<OffsetDateTime>,
    /// When it was withdrawn.
    pub withdrawn_at: Option<OffsetDateTime>,
}

impl InvitationRow {
    /// The role in the team.
    pub fn role(&self) -> Option<Role> {
        self.role.as_deref().and_then(Role::from_word)
    }
}

const SELECT: &str = "select i.id, i.team_id, t.name as team_name, i.email, i.role, i.mail_hash, i.mail_sealed, \
     i.invited_by, u.name as inviter, i.sent_at, i.expires_at, i.accepted_at, i.withdrawn_at \
     from invitations i left join teams t on t.id = i.team_id left join users u on u.id = i.invited_by";

/// What a new invitation needs.
#[derive(Debug, Clone, Copy)]
pub struct NewInvitation<'a> {
    /// Id.
    pub id: InvitationId,
    /// The team; `None`: to the platform alone.
    pub team: Option<TeamId>,
    /// The address, lower-cased.
    pub email: &'a str,
    /// The role in the team.
    pub role: Option<Role>,
    /// SHA-256 of what the inviter is shown.
    pub link_hash: &'a [u8],
    /// SHA-256 of what is mailed.
    pub mail_hash: &'a [u8],
    /// Sealed; what is mailed.
    pub mail_sealed: &'a [u8],
    /// Who invites.
    pub invited_by: Option<UserId>,
    /// Good until.
    pub expires_at: OffsetDateTime,
}

/// Adds an invitation.
///
/// # Errors
/// A violation of [`OPEN_KEY`] if one for this address is open.
pub async fn insert(conn: &mut PgConnection, new: &NewInvitation<'_>) -> Result<()> {
    sqlx::query(
        "insert into invitations \
             (id, team_id, email, role, link_hash, mail_hash, mail_sealed, invited_by, expires_at) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(new.id)
    .bind(new.team)
    .bind(new.email)
    .bind(new.role.map(Role::as_str))
    .bind(new.link_hash)
    .bind(new.mail_hash)
    .bind(new.mail_sealed)
    .bind(new.invited_by)
    .bind(new.expires_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// The invitations into a team, or without one those to the platform, newest first; the last `limit` of them.
pub async fn list(conn: &mut PgConnection, team: Option<TeamId>, limit: i64) -> Result<Vec<InvitationRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{SELECT} where i.team_id is not distinct from $1 order by i.id desc limit $2"
    )))
    .bind(team)
    .bind(limit)
    .fetch_all(conn)
    .await
}

/// One of them, held until the transaction ends.
pub async fn lock(conn: &mut PgConnection, team: Option<TeamId>, id: InvitationId) -> Result<Option<InvitationRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{SELECT} where i.team_id is not distinct from $1 and i.id = $2 for update of i"
    )))
    .bind(team)
    .bind(id)
    .fetch_optional(conn)
    .await
}

/// For whoever has its link, of which nothing else is known: by the hash of what stands there, whichever link it is.
pub async fn by_hash(conn: &mut PgConnection, hash: &[u8]) -> Result<Option<InvitationRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!("{SELECT} where i.link_hash = $1 or i.mail_hash = $1")))
        .bind(hash)
        .fetch_optional(conn)
        .await
}

/// How many of a team, or of the platform, are open and in time.
pub async fn count_open(conn: &mut PgConnection, team: Option<TeamId>) -> Result<i64> {
    sqlx::query_scalar(
        "select count(*) from invitations where team_id is not distinct from $1 \
             and accepted_at is null and withdrawn_at is null and expires_at > now()",
    )
    .bind(team)
    .fetch_one(conn)
    .await
}

/// Withdraws those for this address whose time is over, so that there is room for a new one.
pub async fn withdraw_expired(conn: &mut PgConnection, team: Option<TeamId>, email: &str) -> Result<()> {
    sqlx::query(
        "update invitations set withdrawn_at = now(), mail_sealed = null \
         where team_id is not distinct from $1 and email = $2 \
             and accepted_at is null and withdrawn_at is null and expires_at <= now()",
    )
    .bind(team)
    .bind(email)
    .execute(conn)
    .await?;
    Ok(())
}

/// How many invitations an address was mailed in the last hour, whoever invited it and whatever became of them.
pub async fn recent(conn: &mut PgConnection, email: &str) -> sqlx::Result<i64> {
    sqlx::query_scalar("select count(*) from invitations where email = $1 and sent_at > now() - interval '1 hour'")
        .bind(email)
        .fetch_one(conn)
        .await
}

/// It was mailed again, and is good until then.
pub async fn sent(
    conn: &mut PgConnection,
    team: Option<TeamId>,
    id: InvitationId,
    until: OffsetDateTime,
) -> Result<()> {
    sqlx::query(
        "update invitations set sent_at = now(), expires_at = $3 where team_id is not distinct from $1 and id = $2",
    )
    .bind(team)
    .bind(id)
    .bind(until)
    .execute(conn)
    .await?;
    Ok(())
}

/// It can no longer be accepted.
pub async fn withdraw(conn: &mut PgConnection, team: Option<TeamId>, id: InvitationId) -> Result<()> {
    sqlx::query(
        "update invitations set withdrawn_at = now(), mail_sealed = null \
         where team_id is not distinct from $1 and id = $2 and accepted_at is null and withdrawn_at is null",
    )
    .bind(team)
    .bind(id)
    .execute(conn)
    .await?;
    Ok(())
}

/// Withdraws what a member invited to these roles and was not accepted yet: it may no longer invite to them.
pub async fn withdraw_of(conn: &mut PgConnection, team: TeamId, by: UserId, roles: &[Role]) -> Result<u64> {
    let words: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    let done = sqlx::query(
        "update invitations set withdrawn_at = now(), mail_sealed = null \
         where team_id = $1 and invited_by = $2 and role = any($3) and accepted_at is null and withdrawn_at is null",
    )
    .bind(team)
    .bind(by)
    .bind(words)
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Withdraws whatever an account invited to and was not accepted yet, into teams and to the platform: the account goes.
pub async fn withdraw_all_of(conn: &mut PgConnection, by: UserId) -> Result<u64> {
    let done = sqlx::query(
        "update invitations set withdrawn_at = now(), mail_sealed = null \
         where invited_by = $1 and accepted_at is null and withdrawn_at is null",
    )
    .bind(by)
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// It was accepted by this account.
pub async fn accept(conn: &mut PgConnection, team: Option<TeamId>, id: InvitationId, by: UserId) -> Result<()> {
    sqlx::query(
        "update invitations set accepted_at = now(), accepted_by = $3, mail_sealed = null \
         where team_id is not distinct from $1 and id = $2",
    )
    .bind(team)
    .bind(id)
    .bind(by)
    .execute(conn)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        teams,
        users::{self, NewUser},
    };
    use sqlx::PgPool;
    use time::Duration;

    fn new(team: Option<TeamId>, hashes: &'static [u8], expires_at: OffsetDateTime) -> NewInvitation<'static> {
        NewInvitation {
            id: InvitationId::new(),
            team,
            email: "bob@example.org",
            role: team.map(|_| Role::Developer),
            link_hash: &hashes[..1],
            mail_hash: &hashes[1..],
            mail_sealed: b"sealed",
            invited_by: None,
            expires_at,
        }
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn an_address_has_one_open_invitation_into_each_team_and_one_to_the_platform(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        let team = Some(teams::insert(&mut conn, "acme", "Acme").await.unwrap().unwrap().id);
        let now = OffsetDateTime::now_utc();
        let (later, before) = (now + Duration::days(7), now - Duration::days(1));
        let first = new(team, b"ab", later);
        insert(&mut conn, &first).await.unwrap();
        insert(&mut conn, &new(None, b"cd", later)).await.unwrap();
        for twice in [new(team, b"ef", later), new(None, b"ef", later)] {
            let error = insert(&mut conn, &twice).await.unwrap_err();
            assert_eq!(error.as_database_error().unwrap().constraint(), Some(OPEN_KEY));
        }
        assert_eq!(count_open(&mut conn, team).await.unwrap(), 1);
        let found = by_hash(&mut conn, b"b").await.unwrap().unwrap();
        assert_eq!(
            (found.id, found.role(), found.team_name.as_deref()),
            (first.id, Some(Role::Developer), Some("Acme"))
        );
        assert_eq!(by_hash(&mut conn, b"a").await.unwrap().unwrap().id, first.id);
        assert!(by_hash(&mut conn, b"z").await.unwrap().is_none());
        assert!(lock(&mut conn, None, first.id).await.unwrap().is_none(), "it is the team's");

        sent(&mut conn, team, first.id, before).await.unwrap();
        assert_eq!(count_open(&mut conn, team).await.unwrap(), 0);
        withdraw_expired(&mut conn, team, "bob@example.org").await.unwrap();
        let row = lock(&mut conn, team, first.id).await.unwrap().unwrap();
        assert!(row.withdrawn_at.is_some() && row.mail_sealed.is_none());
        insert(&mut conn, &new(team, b"gh", later)).await.unwrap();
        assert_eq!(list(&mut conn, team, 10).await.unwrap().len(), 2);
        assert_eq!(list(&mut conn, None, 10).await.unwrap().len(), 1);
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn what_a_member_invited_is_withdrawn_by_role(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        let team = teams::insert(&mut conn, "acme", "Acme").await.unwrap().unwrap().id;
        let ada = NewUser { email: "ada@example.org", name: "Ada", password_hash: "x", is_admin: false };
        let ada = users::insert(&mut conn, ada).await.unwrap().id;
        let later = OffsetDateTime::now_utc() + Duration::days(7);
        let one = NewInvitation { invited_by: Some(ada), ..new(Some(team), b"ab", later) };
        insert(&mut conn, &one).await.unwrap();
        assert_eq!(withdraw_of(&mut conn, team, ada, &[Role::Owner]).await.unwrap(), 0);
        assert_eq!(withdraw_of(&mut conn, team, ada, &Role::ALL).await.unwrap(), 1);
        let (three, four) = (new(Some(team), b"ef", later), new(None, b"gh", later));
        for one in [three, four] {
            insert(&mut conn, &NewInvitation { invited_by: Some(ada), ..one }).await.unwrap();
        }
        assert_eq!(withdraw_all_of(&mut conn, ada).await.unwrap(), 2, "into a team and to the platform");
        let two = new(Some(team), b"cd", later);
        insert(&mut conn, &two).await.unwrap();
        accept(&mut conn, Some(team), two.id, ada).await.unwrap();
        withdraw(&mut conn, Some(team), two.id).await.unwrap();
        let row = lock(&mut conn, Some(team), two.id).await.unwrap().unwrap();
        assert!(row.accepted_at.is_some() && row.withdrawn_at.is_none());
    }
}

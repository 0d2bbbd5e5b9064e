//! Members of a team: listed, given another role, removed. Who may is decided by [`model::members::decide`].

use crate::{Platform, Result, access, audit, audit::Entry};
use model::{
    Actor, Problem, Role, TeamId, UserId,
    event::Event,
    members::{Asker, Step, decide},
    views::MemberView,
};
use serde::Deserialize;
use serde_json::json;
use sqlx::PgConnection;
use store::members::Member;
use utoipa::ToSchema;

/// What a person sends to give a member another role.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MemberChange)]
pub struct Change {
    /// The role.
    pub role: Role,
}

/// The members of a team, the longest there first; all of them.
///
/// # Errors
/// 404 if the caller is none; 403 `token_not_allowed` for a caller with a token: their addresses are for people.
pub async fn list(platform: &Platform, actor: &Actor, team: TeamId) -> Result<Vec<MemberView>> {
    actor.role_in(team).ok_or_else(|| Problem::not_found("team"))?;
    access::in_person(actor)?;
    let mut conn = platform.pool.acquire().await?;
    let members = store::members::of_team(&mut conn, team).await?;
    Ok(members.into_iter().map(|member| view(actor, member)).collect())
}

/// The same actor with the memberships that it still has, and no higher role in any, for what goes on for longer than a
/// request.
///
/// # Errors
/// The database's.
pub async fn still(platform: &Platform, actor: &Actor) -> Result<Actor> {
    let Some(user) = actor.user else { return Ok(actor.clone()) };
    let now = store::teams::of_user(&mut *platform.pool.acquire().await?, user).await?;
    let role_now = |team: TeamId| now.iter().find(|it| it.team.id == team).map(|it| it.role);
    let still = |(team, role): &(TeamId, Role)| Some((*team, role.lesser(role_now(*team)?)));
    let memberships = actor.memberships.iter().filter_map(still).collect();
    Ok(Actor { memberships, ..actor.clone() })
}

/// Gives a member another role.
///
/// # Errors
/// 404; 403, also `own_role` and `token_not_allowed`; 409 `last_owner`.
pub async fn change(
    platform: &Platform,
    actor: &Actor,
    team: TeamId,
    user: UserId,
    change: Change,
) -> Result<MemberView> {
    let mut tx = platform.pool.begin().await?;
    let (member, asker) = asked(&mut tx, actor, team, user).await?;
    let (from, to) = (member.role, change.role);
    decide(asker, Step::Change { from, to }).map_err(Problem::from)?;
    if from != to {
        store::teams::set_member(&mut tx, team, user, to).await?;
        withdraw_invitations(&mut tx, team, user, Some(to)).await?;
        let entry = Entry::new("member.change", user, &member.email).of(team);
        audit::record(&mut tx, actor, entry.change(json!({ "role": from }), json!({ "role": to }))).await?;
        store::events::insert(&mut tx, team, &Event::Members {}).await?;
    }
    tx.commit().await?;
    Ok(view(actor, Member { role: to, ..member }))
}

/// Removes a member, or lets the caller leave: from now on it may see and do nothing more in this team, its API tokens
/// for it are forgotten, and what it invited to and was not accepted is withdrawn.
///
/// # Errors
/// 404; 403, also `token_not_allowed`; 409 `last_owner`.
pub async fn remove(platform: &Platform, actor: &Actor, team: TeamId, user: UserId) -> Result<()> {
    let mut tx = platform.pool.begin().await?;
    let (member, asker) = asked(&mut tx, actor, team, user).await?;
    decide(asker, Step::Remove(member.role)).map_err(Problem::from)?;
    store::members::remove(&mut tx, team, user).await?;
    let tokens = store::api_tokens::delete_of_member(&mut tx, team, user).await?;
    withdraw_invitations(&mut tx, team, user, None).await?;
    let action = if asker.is_self { "member.leave" } else { "member.remove" };
    let entry = Entry::new(action, user, &member.email).of(team);
    audit::record(&mut tx, actor, entry.change(json!({ "role": member.role, "tokens": tokens }), None)).await?;
    store::events::insert(&mut tx, team, &Event::Members {}).await?;
    tx.commit().await?;
    tracing::info!(%team, %user, by = ?actor.user, tokens, "a member is no longer in a team");
    Ok(())
}

/// The member that it is about, and who asks, by what is stored now; the team is held until the transaction ends.
async fn asked(conn: &mut PgConnection, actor: &Actor, team: TeamId, user: UserId) -> Result<(Member, Asker)> {
    let (_, me) = access::team_in_person(conn, actor, team).await?;
    let member = store::members::get(conn, team, user).await?.ok_or_else(|| Problem::not_found("member"))?;
    let owners = store::members::owners(conn, team).await?;
    Ok((member, Asker { role: me.role, is_self: me.user == user, owners }))
}

/// Withdraws what somebody invited to and may no longer invite to in this role; in none, all of it.
async fn withdraw_invitations(conn: &mut PgConnection, team: TeamId, user: UserId, role: Option<Role>) -> Result<()> {
    let may = |invited: Role| {
        role.is_some_and(|role| decide(Asker { role, is_self: false, owners: 1 }, Step::Invite(invited)).is_ok())
    };
    let lost: Vec<Role> = Role::ALL.into_iter().filter(|invited| !may(*invited)).collect();
    store::invitations::withdraw_of(conn, team, user, &lost).await?;
    Ok(())
}

/// A member, as this actor sees it.
pub(crate) fn view(actor: &Actor, member: Member) -> MemberView {
    MemberView {
        is_you: actor.user == Some(member.user),
        user_id: member.user,
        name: member.name,
        email: member.email,
        role: member.role,
        since: member.since,
    }
}

#[cfg(test)]
mod tests;

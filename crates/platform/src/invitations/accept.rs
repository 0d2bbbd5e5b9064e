//! Accepting an invitation: by the account of its address, or by one that is made for it.

use super::{digest, is_over, state};
use crate::{
    Platform, Result, access,
    accounts::{self, Registered, invited},
    audit,
    audit::Entry,
    teams,
};
use model::{
    Actor, Problem, TeamId, UserId,
    event::Event,
    views::{Accepted, InvitationLook, InvitationState},
};
use serde::Deserialize;
use serde_json::json;
use sqlx::PgConnection;
use std::fmt;
use store::invitations::InvitationRow;
use utoipa::ToSchema;

/// What a person sends who makes an account to accept; the address is the invitation's.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Joining {
    /// Name for people.
    pub name: String,
    /// Password, 12 characters or more.
    pub password: String,
}

impl fmt::Debug for Joining {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Joining").field("name", &self.name).finish_non_exhaustive()
    }
}

/// An invitation, for whoever has its link; looking changes nothing.
///
/// # Errors
/// 404 for a link that is none.
pub async fn look(platform: &Platform, token: &str) -> Result<InvitationLook> {
    let mut conn = platform.pool.acquire().await?;
    let row = found(&mut conn, token).await?;
    let may_join = is_mailed(&row, token) || !platform.settings.mail.transport.reaches_people();
    Ok(InvitationLook {
        role: row.role(),
        state: state(&row),
        email: row.email,
        team: row.team_name,
        invited_by: row.inviter,
        expires_at: row.expires_at,
        may_join,
    })
}

/// Accepts an invitation with the caller's account, which has to be of its address. Who is in the team already keeps its
/// role, and who came by the mailed link has proven the address.
///
/// # Errors
/// 404; 403 `other_address`, `address_unproven` where mail is sent and neither the link nor the account proves the address,
/// or `token_not_allowed` for a caller with an API token; 409 `invitation_accepted`,
/// `invitation_withdrawn` or `invitation_expired`.
pub async fn accept(platform: &Platform, actor: &Actor, token: &str) -> Result<Accepted> {
    access::in_person(actor)?;
    let user = actor.user.ok_or_else(Problem::unauthenticated)?;
    let mut tx = platform.pool.begin().await?;
    let row = open(&mut tx, token).await?;
    let account = store::users::get(&mut tx, user).await?.ok_or_else(Problem::unauthenticated)?;
    if account.email != row.email {
        let detail = format!(
            "This invitation is for {}, and you are signed in as {}; sign in with the address that it is for.",
            row.email, account.email
        );
        return Err(Problem::new(403, "other_address", detail).into());
    }
    if account.email_verified_at.is_none() {
        if is_mailed(&row, token) {
            accounts::note_verified(&mut tx, actor, user, &row.email).await?;
        } else if platform.settings.mail.transport.reaches_people() {
            let detail = format!("Open the link that was mailed to {}, or confirm your address first.", row.email);
            return Err(Problem::new(403, "address_unproven", detail).into());
        }
    }
    let team = enter(&mut tx, actor, &row, user).await?;
    let team = match team {
        Some(team) => {
            let mine = store::teams::of_user(&mut tx, user).await?;
            mine.into_iter().find(|it| it.team.id == team).map(|it| teams::view(it.team, it.role))
        }
        None => None,
    };
    tx.commit().await?;
    Ok(Accepted { team })
}

/// Makes an account of the invitation's address and accepts with it, whoever may register otherwise. Who came by the
/// mailed link has proven the address; where mail reaches people, no account is made without that, as when registering.
///
/// # Errors
/// 404; 403 `address_unproven`; 409 as [`accept`], and `email_taken` where the address has an account: sign in with it; 422 for the fields `name`
/// and `password`.
pub async fn join(platform: &Platform, actor: &Actor, token: &str, new: &Joining) -> Result<Registered> {
    let row = found(&mut *platform.pool.acquire().await?, token).await?;
    if state(&row) != InvitationState::Open {
        return Err(is_over(state(&row)));
    }
    if !is_mailed(&row, token) && platform.settings.mail.transport.reaches_people() {
        let detail = format!(
            "To make an account, open the link that was mailed to {}; this one is for who has an account already.",
            row.email
        );
        return Err(Problem::new(403, "address_unproven", detail).into());
    }
    let account = invited::check(&row.email, &new.name, &new.password).await?;
    let mut tx = platform.pool.begin().await?;
    let row = open(&mut tx, token).await?;
    let is_proven = is_mailed(&row, token);
    let registered = invited::insert(&mut tx, actor, &account, is_proven).await?;
    let actor = Actor { user: Some(registered.user.id), ..actor.clone() };
    enter(&mut tx, &actor, &row, registered.user.id).await?;
    tx.commit().await?;
    platform.throttle.signed_in(&registered.user.email, actor.origin.address);
    tracing::info!(user = %registered.user.id, invitation = %row.id, is_proven, "an account was made by invitation");
    Ok(registered)
}

/// The link with this token was mailed: whoever has it reads mail at the invitation's address.
fn is_mailed(row: &InvitationRow, token: &str) -> bool {
    row.mail_hash == digest(token)
}

async fn found(conn: &mut PgConnection, token: &str) -> Result<InvitationRow> {
    let row = store::invitations::by_hash(conn, &digest(token)).await?;
    Ok(row.ok_or_else(|| Problem::not_found("invitation"))?)
}

/// An invitation that can be accepted, held until the transaction ends.
async fn open(conn: &mut PgConnection, token: &str) -> Result<InvitationRow> {
    let row = found(conn, token).await?;
    if let Some(team) = row.team_id {
        // First the team, then the invitation, as everywhere.
        store::teams::lock(conn, team).await?;
    }
    let row = store::invitations::lock(conn, row.team_id, row.id).await?;
    let row = row.ok_or_else(|| Problem::not_found("invitation"))?;
    match state(&row) {
        InvitationState::Open => Ok(row),
        other => Err(is_over(other)),
    }
}

/// Puts the account into the team, if there is one, and notes that the invitation was accepted.
async fn enter(conn: &mut PgConnection, actor: &Actor, row: &InvitationRow, user: UserId) -> Result<Option<TeamId>> {
    store::invitations::accept(conn, row.team_id, row.id, user).await?;
    let mut entry = Entry::new("invitation.accept", row.id, &row.email);
    if let (Some(team), Some(role)) = (row.team_id, row.role()) {
        store::members::add(conn, team, user, role).await?;
        store::events::insert(conn, team, &Event::Members {}).await?;
        entry = entry.of(team);
    }
    audit::record(conn, actor, entry.change(None, json!({ "email": row.email, "role": row.role() }))).await?;
    Ok(row.team_id)
}

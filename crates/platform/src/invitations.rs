//! Invitations by e-mail, into a team or to the platform alone: made, listed, sent again, withdrawn, accepted.
//!
//! There are two links to each. The one that is mailed proves the address; the one that the inviter is shown, once, to
//! hand it over where no mail is sent, does not. Neither tells anybody whether the address has an account.

mod accept;

pub use accept::{Joining, accept, join, look};

use crate::{
    Platform, Result, access, audit,
    audit::Entry,
    mail::{self, Mail},
    vault,
};
use anyhow::Context;
use model::{
    Actor, FieldError, InvitationId, Problem, Role, TeamId,
    members::{Asker, Step, decide},
    names::Email,
    views::{InvitationState, InvitationView, NewInvitationView},
};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use store::invitations::{InvitationRow, NewInvitation as NewRow};
use time::{Duration, OffsetDateTime};
use utoipa::ToSchema;

/// So long an invitation is good.
const GOOD_FOR: Duration = Duration::days(7);
/// It is not mailed again before so long.
const PAUSE: Duration = Duration::minutes(1);
/// So many an address is mailed in an hour, by all teams together; who invites it once more is answered the same, and
/// nothing is sent.
const MOST_IN_AN_HOUR: i64 = 5;
/// So many of a team may be open.
const MOST: i64 = 50;
/// So many are shown.
const SHOWN: i64 = 100;

/// What a person sends to invite somebody into a team.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInvitation {
    /// The address.
    pub email: String,
    /// The role in the team.
    pub role: Role,
}

/// What an administrator sends to invite somebody to the platform.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPlatformInvitation {
    /// The address.
    pub email: String,
}

/// Where an invitation leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Into this team.
    Team(TeamId),
    /// To the platform alone; the person gets a personal team.
    Platform,
}

impl Place {
    fn team(self) -> Option<TeamId> {
        match self {
            Self::Team(team) => Some(team),
            Self::Platform => None,
        }
    }
}

/// What the caller may do with invitations there, held until the transaction ends: the team's name, and the role of the
/// caller, which for the platform's administrators is an owner's.
async fn admitted(conn: &mut PgConnection, actor: &Actor, into: Place) -> Result<(Option<String>, Role)> {
    match into {
        Place::Team(team) => {
            let (team, me) = access::team_in_person(conn, actor, team).await?;
            if !me.role.may_administer() {
                return Err(Problem::forbidden().into());
            }
            Ok((Some(team.name), me.role))
        }
        Place::Platform => {
            access::in_person(actor)?;
            if !actor.is_admin {
                return Err(Problem::forbidden().into());
            }
            Ok((None, Role::Owner))
        }
    }
}

/// Invites somebody into a team. The answer is the same whether the address has an account or not.
///
/// # Errors
/// 404; 403 for a role that the caller's may not give; 409 `already_member`, `already_invited` or
/// `too_many_invitations`; 422 for the field `email`.
pub async fn create(
    platform: &Platform,
    actor: &Actor,
    team: TeamId,
    new: &NewInvitation,
) -> Result<NewInvitationView> {
    invite(platform, actor, Place::Team(team), &new.email, Some(new.role)).await
}

/// Invites somebody to the platform, without a team.
///
/// # Errors
/// 403 for who does not administer the platform; 409 `already_invited` or `too_many_invitations`; 422 for the field
/// `email`.
pub async fn create_for_platform(
    platform: &Platform,
    actor: &Actor,
    new: &NewPlatformInvitation,
) -> Result<NewInvitationView> {
    invite(platform, actor, Place::Platform, &new.email, None).await
}

async fn invite(
    platform: &Platform,
    actor: &Actor,
    into: Place,
    email: &str,
    role: Option<Role>,
) -> Result<NewInvitationView> {
    let mut tx = platform.pool.begin().await?;
    let (team_name, mine) = admitted(&mut tx, actor, into).await?;
    if let Some(role) = role {
        decide(Asker { role: mine, is_self: false, owners: 1 }, Step::Invite(role)).map_err(Problem::from)?;
    }
    let email = Email::parse(email).map_err(|e| Problem::invalid("email", e.code, e.message))?;
    if let Place::Team(team) = into
        && store::members::has_address(&mut tx, team, email.as_str()).await?
    {
        return Err(beside_email("already_member", "This address belongs to a member of the team already."));
    }
    store::invitations::withdraw_expired(&mut tx, into.team(), email.as_str()).await?;
    if store::invitations::count_open(&mut tx, into.team()).await? >= MOST {
        let detail = format!("At most {MOST} invitations are open at a time; withdraw one first.");
        return Err(Problem::conflict("too_many_invitations", detail).into());
    }
    let (shown, mailed) = (vault::random_secret(), vault::random_secret());
    let id = InvitationId::new();
    let row = NewRow {
        id,
        team: into.team(),
        email: email.as_str(),
        role,
        link_hash: &digest(&shown),
        mail_hash: &digest(&mailed),
        mail_sealed: &platform.vault.seal(&row_name(id), mailed.as_bytes())?,
        invited_by: actor.user,
        expires_at: OffsetDateTime::now_utc() + GOOD_FOR,
    };
    store::invitations::insert(&mut tx, &row).await.map_err(|error| {
        let error = crate::Error::from(error);
        match error.constraint() {
            Some(store::invitations::OPEN_KEY) => beside_email(
                "already_invited",
                "This address is invited already; send that invitation again, or withdraw it first.",
            ),
            _ => error,
        }
    })?;
    let row = locked(&mut tx, into, id).await?;
    post(platform, &mut tx, &row, team_name.as_deref(), &mailed).await?;
    record(&mut tx, actor, "invitation.create", &row).await?;
    tx.commit().await?;
    Ok(NewInvitationView { invitation: view(row), link: link(platform, &shown) })
}

/// The invitations into a team or to the platform, newest first: at most a hundred.
///
/// # Errors
/// 404; 403 for who may not invite there.
pub async fn list(platform: &Platform, actor: &Actor, into: Place) -> Result<Vec<InvitationView>> {
    let mut tx = platform.pool.begin().await?;
    admitted(&mut tx, actor, into).await?;
    let rows = store::invitations::list(&mut tx, into.team(), SHOWN).await?;
    Ok(rows.into_iter().map(view).collect())
}

/// Mails an invitation again, and lets it be good from now on for as long as a new one.
///
/// # Errors
/// 404; 403; 409 `invitation_accepted` or `invitation_withdrawn`; 429 where it was mailed a moment ago.
pub async fn resend(platform: &Platform, actor: &Actor, into: Place, id: InvitationId) -> Result<InvitationView> {
    let mut tx = platform.pool.begin().await?;
    let (team_name, mine) = admitted(&mut tx, actor, into).await?;
    let row = locked(&mut tx, into, id).await?;
    if let Some(role) = row.role() {
        decide(Asker { role: mine, is_self: false, owners: 1 }, Step::Invite(role)).map_err(Problem::from)?;
    }
    if let over @ (InvitationState::Accepted | InvitationState::Withdrawn) = state(&row) {
        return Err(is_over(over));
    }
    let now = OffsetDateTime::now_utc();
    if row.sent_at + PAUSE > now {
        let detail = "This invitation was mailed a moment ago; wait a minute.";
        return Err(Problem::new(429, "too_many_requests", detail).into());
    }
    let sealed = row.mail_sealed.as_deref().context("an open invitation has its link")?;
    let mailed = platform.vault.open(&row_name(id), sealed)?;
    store::invitations::sent(&mut tx, into.team(), id, now + GOOD_FOR).await?;
    let row = locked(&mut tx, into, id).await?;
    post(platform, &mut tx, &row, team_name.as_deref(), &String::from_utf8_lossy(&mailed)).await?;
    record(&mut tx, actor, "invitation.resend", &row).await?;
    tx.commit().await?;
    Ok(view(row))
}

/// Withdraws an invitation: neither of its links is good for anything any more.
///
/// # Errors
/// 404; 403; 409 `invitation_accepted` or `invitation_withdrawn`.
pub async fn withdraw(platform: &Platform, actor: &Actor, into: Place, id: InvitationId) -> Result<()> {
    let mut tx = platform.pool.begin().await?;
    admitted(&mut tx, actor, into).await?;
    let row = locked(&mut tx, into, id).await?;
    if let over @ (InvitationState::Accepted | InvitationState::Withdrawn) = state(&row) {
        return Err(is_over(over));
    }
    store::invitations::withdraw(&mut tx, into.team(), id).await?;
    record(&mut tx, actor, "invitation.withdraw", &row).await?;
    tx.commit().await?;
    Ok(())
}

async fn locked(conn: &mut PgConnection, into: Place, id: InvitationId) -> Result<InvitationRow> {
    let row = store::invitations::lock(conn, into.team(), id).await?;
    Ok(row.ok_or_else(|| Problem::not_found("invitation"))?)
}

async fn record(conn: &mut PgConnection, actor: &Actor, action: &str, row: &InvitationRow) -> Result<()> {
    let mut entry = Entry::new(action, row.id, &row.email);
    if let Some(team) = row.team_id {
        entry = entry.of(team);
    }
    audit::record(conn, actor, entry.change(None, json!({ "email": row.email, "role": row.role() }))).await
}

async fn post(
    platform: &Platform,
    conn: &mut PgConnection,
    row: &InvitationRow,
    team: Option<&str>,
    token: &str,
) -> Result<()> {
    let to = Email::parse(&row.email).map_err(anyhow::Error::from)?;
    let who = row.inviter.as_deref().unwrap_or("Somebody");
    let what = match (team, row.role()) {
        (Some(team), Some(role)) => format!("the team “{team}” on WebMeteor, as {}", role.as_str()),
        _ => "WebMeteor".to_owned(),
    };
    let (day, link) = (row.expires_at.date(), link(platform, token));
    let text = format!(
        "{who} invites you to {what}.\n\nTo look at the invitation, open\n\n{link}\n\nIt is good until {day}, once, and for this \
         address alone. If you do not know what this is about, do nothing: nothing happens then.\n"
    );
    let subject = match team {
        Some(team) => format!("Invitation to {team} on WebMeteor"),
        None => "Invitation to WebMeteor".to_owned(),
    };
    // This one is counted already.
    let may_send = store::invitations::recent(conn, to.as_str()).await? <= MOST_IN_AN_HOUR;
    mail::send_if(platform, conn, &to, &Mail { subject, text }, may_send).await
}

fn link(platform: &Platform, token: &str) -> String {
    format!("{}/invitations/{token}", platform.settings.public_url)
}

/// What its mailed link is bound to.
pub(crate) fn row_name(id: InvitationId) -> String {
    format!("invitations/{id}/mail")
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// How an invitation stands.
fn state(row: &InvitationRow) -> InvitationState {
    match row {
        InvitationRow { accepted_at: Some(_), .. } => InvitationState::Accepted,
        InvitationRow { withdrawn_at: Some(_), .. } => InvitationState::Withdrawn,
        _ if row.expires_at <= OffsetDateTime::now_utc() => InvitationState::Expired,
        _ => InvitationState::Open,
    }
}

/// 409: nothing can be done with it any more.
fn is_over(state: InvitationState) -> crate::Error {
    let (code, detail) = match state {
        InvitationState::Accepted => ("invitation_accepted", "This invitation was accepted already."),
        InvitationState::Withdrawn => ("invitation_withdrawn", "This invitation was withdrawn; ask for another one."),
        _ => ("invitation_expired", "This invitation's time is over; ask for it to be sent again."),
    };
    Problem::conflict(code, detail).into()
}

fn beside_email(code: &str, message: &str) -> crate::Error {
    let error = FieldError { field: "email".into(), code: code.into(), message: message.into() };
    Problem { errors: vec![error], ..Problem::conflict(code, message) }.into()
}

fn view(row: InvitationRow) -> InvitationView {
    InvitationView {
        id: row.id,
        role: row.role(),
        state: state(&row),
        email: row.email,
        invited_by: row.inviter,
        sent_at: row.sent_at,
        expires_at: row.expires_at,
        accepted_at: row.accepted_at,
    }
}

#[cfg(test)]
mod tests;

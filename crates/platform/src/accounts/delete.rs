//! Deleting one's account: what stands in the way is named first, and what goes with it.

use super::{own_account, password::confirm_password, words};
use crate::{
    Error, Platform, Result, access,
    audit::{self, Entry},
    mail, sites,
};
use model::{
    Actor, Problem, Role, UserId,
    event::Event,
    names::Email,
    views::{DeletionView, OwnSiteView, TeamView},
};
use serde::Deserialize;
use serde_json::json;
use sqlx::PgConnection;
use std::fmt;
use store::{
    events, invitations, sessions,
    teams::{self, Part},
    users::{self, User},
};
use utoipa::ToSchema;

/// What a person sends to delete an account.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteAccount {
    /// The account's address, typed.
    pub email: String,
    /// Its password.
    pub password: String,
    /// The sites that nobody else could look after are deleted with it, with their data.
    #[serde(default)]
    pub delete_sites: bool,
}

impl fmt::Debug for DeleteAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeleteAccount").field("delete_sites", &self.delete_sites).finish_non_exhaustive()
    }
}

/// What stands in the way of deleting the caller's account, and what goes with it.
///
/// # Errors
/// 403 `token_not_allowed`.
pub async fn deletion(platform: &Platform, actor: &Actor) -> Result<DeletionView> {
    access::in_person(actor)?;
    let user = own_account(platform, actor).await?;
    let mut tx = platform.pool.begin().await?;
    Ok(look(&mut tx, &user).await?.found)
}

/// Deletes the caller's account: its memberships, tokens and sessions, and the teams that nobody else is in. Their sites
/// go the ordinary way where that is wanted; the audit keeps the account's address.
///
/// # Errors
/// 422 for the fields `email` and `password`; 409 `last_admin`, `only_owner` with the teams that are to be handed over,
/// `has_sites` with the sites that are to be deleted or handed over.
pub async fn delete(platform: &Platform, actor: &Actor, asked: &DeleteAccount) -> Result<()> {
    access::in_person(actor)?;
    let user = own_account(platform, actor).await?;
    if Email::parse(&asked.email).ok().is_none_or(|typed| typed.as_str() != user.email) {
        let words = format!("Type {} to confirm.", user.email);
        return Err(Problem::invalid("email", "mismatch", words).into());
    }
    confirm_password(&user, &asked.password, "password").await?;
    let mut tx = platform.pool.begin().await?;
    let Stand { found, .. } = look(&mut tx, &user).await?;
    drop(tx);
    refuse(&found)?;
    if !asked.delete_sites {
        refuse_sites(&found)?;
    }
    for site in &found.sites {
        match sites::delete(platform, actor, site.id, false).await {
            // Somebody else just did.
            Ok(()) | Err(Error::Problem(Problem { status: 404 | 409, .. })) => {}
            Err(error) => return Err(error),
        }
    }
    let mut tx = platform.pool.begin().await?;
    // Again, now that it is held: a member may have come meanwhile, or a site.
    let Stand { found, left } = look(&mut tx, &user).await?;
    refuse(&found)?;
    refuse_sites(&found)?;
    leave(&mut tx, actor, &user, left).await?;
    let before = json!({"email": user.email, "name": user.name});
    audit::record(&mut tx, actor, Entry::new("account.delete", user.id, &user.email).change(before, None)).await?;
    let email = Email::parse(&user.email).map_err(anyhow::Error::from)?;
    mail::send(platform, &mut tx, &email, &words::deleted(platform)).await?;
    end(&mut tx, user.id, &found).await?;
    tx.commit().await?;
    tracing::info!(user = %user.id, "an account was deleted by its owner");
    Ok(())
}

/// Leaves the teams that others stay in, as a member does: what the account invited to is withdrawn, the team's audit
/// tells of it, and sockets look again. Its API tokens go with the account.
async fn leave(conn: &mut PgConnection, actor: &Actor, user: &User, teams: Vec<Part>) -> Result<()> {
    invitations::withdraw_all_of(conn, user.id).await?;
    for team in teams {
        let entry = Entry::new("member.leave", user.id, &user.email).of(team.id);
        audit::record(conn, actor, entry.change(json!({"role": team.role()}), None)).await?;
        events::insert(conn, team.id, &Event::Members {}).await?;
    }
    Ok(())
}

async fn end(conn: &mut PgConnection, user: UserId, found: &DeletionView) -> Result<()> {
    sessions::delete_of_user(conn, user).await?;
    sessions::tell_of_end(conn, user).await?;
    users::delete(conn, user).await?;
    // One with sites that are still being removed goes after them.
    let teams: Vec<_> = found.teams.iter().map(|team| team.id).collect();
    teams::delete_empty(conn, &teams).await?;
    Ok(())
}

/// How things stand.
struct Stand {
    found: DeletionView,
    /// The teams that others stay in.
    left: Vec<Part>,
}

/// How things stand; what it says holds until the transaction ends.
async fn look(conn: &mut PgConnection, user: &User) -> Result<Stand> {
    let last_admin = user.is_admin && !users::lock_other_admins(conn, user.id).await?;
    let parts = teams::lock_parts(conn, user.id).await?;
    let is_alone = |part: &Part| part.other_members == 0;
    let (own, shared): (Vec<_>, Vec<_>) = parts.into_iter().partition(is_alone);
    let must_stay = shared.iter().filter(|part| part.role() == Some(Role::Owner) && part.other_owners == 0);
    let hand_over = must_stay.cloned().map(team_view).collect();
    let ids: Vec<_> = own.iter().map(|part| part.id).collect();
    let sites = teams::sites(conn, &ids).await?;
    let sites = sites.into_iter().map(|(id, name, team)| OwnSiteView { id, name, team }).collect();
    let found = DeletionView { last_admin, hand_over, sites, teams: own.into_iter().map(team_view).collect() };
    Ok(Stand { found, left: shared })
}

fn refuse(found: &DeletionView) -> Result<(), Problem> {
    if found.last_admin {
        let words = "You are the only administrator here; make another account one first \
                     (`webmeteor user promote` on the machine).";
        return Err(Problem::conflict("last_admin", words));
    }
    if !found.hand_over.is_empty() {
        let names: Vec<_> = found.hand_over.iter().map(|team| team.name.as_str()).collect();
        let words = format!("You are the only owner of {}; make another member an owner first.", names.join(", "));
        return Err(Problem::conflict("only_owner", words));
    }
    Ok(())
}

fn refuse_sites(found: &DeletionView) -> Result<(), Problem> {
    if found.sites.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = found.sites.iter().map(|site| site.name.as_str()).collect();
    let words = format!(
        "Nobody else could look after {}: delete them or hand their team over first, or choose that they are deleted \
         with the account.",
        names.join(", ")
    );
    Err(Problem::conflict("has_sites", words))
}

fn team_view(part: Part) -> TeamView {
    TeamView { role: part.role(), id: part.id, slug: part.slug, name: part.name }
}

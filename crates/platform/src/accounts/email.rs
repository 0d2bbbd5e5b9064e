//! The address of an account: proved, changed, and what a mailed link confirms.

use super::{links, own_account, password::confirm_password, register, words};
use crate::{
    Platform, Result, access,
    audit::{self, Entry},
    mail,
};
use model::{
    Actor, Problem, UserId,
    names::Email,
    views::{LinkKind, LinkView},
};
use serde_json::json;
use sqlx::PgConnection;
use std::time::Duration;
use store::{account_links, account_links::LinkRow, users};

/// How long an address can be confirmed by a link.
const LIFETIME: Duration = Duration::from_hours(24);

/// Has a link sent by which the caller's address is proved; nothing is sent where it is.
///
/// # Errors
/// 403 `token_not_allowed`.
pub async fn send_verification(platform: &Platform, actor: &Actor) -> Result<()> {
    access::in_person(actor)?;
    let user = own_account(platform, actor).await?;
    if user.email_verified_at.is_some() {
        return Ok(());
    }
    let email = Email::parse(&user.email).map_err(anyhow::Error::from)?;
    let mut tx = platform.pool.begin().await?;
    let wanted =
        links::For { kind: links::VERIFY, user: Some(user.id), email: &email, account: None, lifetime: LIFETIME };
    let (token, may_send) = links::make(&mut tx, &wanted).await?;
    mail::send_if(platform, &mut tx, &email, &words::verification(platform, &token), may_send).await?;
    tx.commit().await?;
    Ok(())
}

/// Asks for another address of the caller's account: it is changed once that is confirmed from there. The answer and the
/// work are the same whether or not another account has it.
///
/// # Errors
/// 422 for the fields `email` and `password`.
pub async fn request_email_change(platform: &Platform, actor: &Actor, email: &str, password: &str) -> Result<()> {
    access::in_person(actor)?;
    let user = own_account(platform, actor).await?;
    let new = Email::parse(email).map_err(|e| Problem::invalid("email", e.code, e.message))?;
    if new.as_str() == user.email {
        return Err(Problem::invalid("email", "same", "This is your address already.").into());
    }
    confirm_password(&user, password, "password").await?;
    let old = Email::parse(&user.email).map_err(anyhow::Error::from)?;
    let mut tx = platform.pool.begin().await?;
    let is_taken = users::find_by_email(&mut tx, new.as_str()).await?.is_some();
    let kind = if is_taken { links::NOTICE } else { links::EMAIL };
    let wanted = links::For { kind, user: Some(user.id), email: &new, account: None, lifetime: LIFETIME };
    let (token, may_send) = links::make(&mut tx, &wanted).await?;
    let mail = if is_taken { words::email_in_use(platform) } else { words::new_email(platform, &token) };
    mail::send_if(platform, &mut tx, &new, &mail, may_send).await?;
    mail::send_if(platform, &mut tx, &old, &words::email_change_asked(platform, new.as_str()), may_send).await?;
    tx.commit().await?;
    Ok(())
}

/// What a mailed link is for; it stays good. Mail scanners open links, so opening one changes nothing.
///
/// # Errors
/// 422 for the field `token`.
pub async fn look_at_link(platform: &Platform, token: &str) -> Result<LinkView> {
    let mut conn = platform.pool.acquire().await?;
    let link = links::look(&mut conn, &links::CONFIRMED, token).await?;
    Ok(link_view(link))
}

/// Does what a mailed link is for, and spends it.
///
/// # Errors
/// 422 for the field `token`; 409 `email_taken` where an account was given the address meanwhile; 403 `signup_closed`
/// for a registration where people are no longer let in.
pub async fn confirm_link(platform: &Platform, actor: &Actor, token: &str) -> Result<LinkView> {
    let mut tx = platform.pool.begin().await?;
    let link = links::take(&mut tx, &links::CONFIRMED, token).await?;
    match kind(&link) {
        LinkKind::Register => register::confirmed(platform, &mut tx, actor, &link).await?,
        LinkKind::Verify => verified(&mut tx, actor, &link).await?,
        LinkKind::Email => changed(platform, &mut tx, actor, &link).await?,
    }
    tx.commit().await?;
    Ok(link_view(link))
}

async fn verified(conn: &mut PgConnection, actor: &Actor, link: &LinkRow) -> Result<()> {
    note_verified(conn, &of(actor, owner(link)?), owner(link)?, &link.email).await
}

/// Notes that the address of an account is proved.
///
/// # Errors
/// 422 for the field `token` where the account has another address.
pub(crate) async fn note_verified(conn: &mut PgConnection, actor: &Actor, user: UserId, email: &str) -> Result<()> {
    if !users::verify_email(conn, user, email).await? {
        let words = "Your account has another address by now; nothing was changed.";
        return Err(Problem::invalid("token", "invalid", words).into());
    }
    audit::record(conn, actor, Entry::new("account.verify_email", user, email)).await
}

async fn changed(platform: &Platform, conn: &mut PgConnection, actor: &Actor, link: &LinkRow) -> Result<()> {
    let id = owner(link)?;
    let user = users::get(conn, id).await?.ok_or_else(|| Problem::not_found("account"))?;
    users::set_email(conn, id, &link.email).await.map_err(register::email_taken)?;
    // What was mailed to the old address opens nothing any more.
    account_links::void_of_user(conn, id, &[links::RESET, links::VERIFY, links::EMAIL]).await?;
    let entry = Entry::new("account.change_email", id, &link.email);
    let entry = entry.change(json!({"email": user.email}), json!({"email": link.email}));
    audit::record(conn, &of(actor, id), entry).await?;
    let old = Email::parse(&user.email).map_err(anyhow::Error::from)?;
    mail::send(platform, conn, &old, &words::email_changed(platform, &link.email)).await
}

/// Who confirms is whoever reads the mail, signed in or not.
fn of(actor: &Actor, user: UserId) -> Actor {
    Actor { user: Some(user), ..actor.clone() }
}

fn owner(link: &LinkRow) -> Result<UserId> {
    Ok(link.user_id.ok_or_else(|| anyhow::anyhow!("a link of an account is stored without it"))?)
}

fn link_view(link: LinkRow) -> LinkView {
    LinkView { kind: kind(&link), email: link.email }
}

fn kind(link: &LinkRow) -> LinkKind {
    match link.kind.as_str() {
        links::REGISTER => LinkKind::Register,
        links::EMAIL => LinkKind::Email,
        _ => LinkKind::Verify,
    }
}

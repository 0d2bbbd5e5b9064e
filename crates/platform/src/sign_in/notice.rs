//! What is noted of sign-ins, and what an account's owner is told by e-mail.

use crate::{
    Platform, Result,
    audit::{self, Entry},
    mail::{self, Mail},
};
use model::{Actor, Origin, names::Email};
use serde_json::{Value, json};
use sqlx::PgConnection;
use store::users::User;

/// Adds to the audit what happened to an account.
pub(super) async fn record(
    conn: &mut PgConnection,
    actor: &Actor,
    user: &User,
    action: &str,
    details: impl Into<Option<Value>>,
) -> Result<()> {
    audit::record(conn, actor, Entry::new(action, user.id, &user.email).change(None, details)).await
}

/// Adds to the audit that somebody, whoever it was, failed to sign in to an account.
pub(super) async fn refused(conn: &mut PgConnection, user: &User, origin: Origin, way: &str) -> Result<()> {
    let stranger = Actor { origin, ..Actor::nobody() };
    record(conn, &stranger, user, "account.fail_sign_in", json!({ "way": way })).await
}

/// Adds a change of how the account is signed in to, and tells its owner.
pub(super) async fn changed(
    platform: &Platform,
    conn: &mut PgConnection,
    actor: &Actor,
    user: &User,
    action: &str,
    subject: &str,
    details: impl Into<Option<Value>>,
) -> Result<()> {
    record(conn, actor, user, action, details).await?;
    tell(platform, conn, user, subject, "").await
}

/// Tells the owner that a recovery code was used.
pub(super) async fn recovery_code_used(
    platform: &Platform,
    conn: &mut PgConnection,
    user: &User,
    left: i64,
) -> Result<()> {
    let more = format!("There are {left} left. Make new ones, or set up your app anew:\n\n{}\n\n", page(platform));
    tell(platform, conn, user, "A recovery code was used to sign in to your account", &more).await
}

async fn tell(platform: &Platform, conn: &mut PgConnection, user: &User, subject: &str, more: &str) -> Result<()> {
    let Ok(email) = Email::parse(&user.email) else { return Ok(()) };
    let text = format!(
        "Hello {},\n\n{subject} {} at {}.\n\n{more}If this was not you, somebody else can sign in to your account: change \
         your password, then look at how it is signed in to:\n\n{}\n",
        user.name,
        user.email,
        platform.settings.public_url,
        page(platform),
    );
    mail::send(platform, conn, &email, &Mail { subject: subject.to_owned(), text }).await
}

fn page(platform: &Platform) -> String {
    format!("{}/account/security", platform.settings.public_url)
}

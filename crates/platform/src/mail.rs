//! E-mail: written in the transaction that gives the reason, so that neither is there without the other.

use crate::{Platform, Result};
use anyhow::Context;
use model::{MailId, names::Email};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

/// What is told. Plain text: links stand on lines of their own.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Mail {
    /// The subject.
    pub(crate) subject: String,
    /// The text.
    pub(crate) text: String,
}

/// Has a mail sent as soon as the caller's transaction has committed.
///
/// # Errors
/// The database's.
pub(crate) async fn send(platform: &Platform, conn: &mut PgConnection, to: &Email, mail: &Mail) -> Result<()> {
    let id = MailId::new();
    let plain = serde_json::to_vec(mail).context("writing a mail")?;
    store::mails::insert(conn, id, to.as_str(), &platform.vault.seal(&row(id), &plain)?).await?;
    Ok(())
}

/// What a mail is sealed for.
fn row(id: MailId) -> String {
    format!("mails/{id}")
}

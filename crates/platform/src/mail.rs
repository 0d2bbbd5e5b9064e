//! E-mail: written in the transaction that gives the reason, so that neither is there without the other; sent beside
//! everything else ([`sender`]).

mod message;
pub mod sender;
mod transport;

pub use transport::{Smtp, Tls, Transport};

use crate::{Platform, Result};
use anyhow::Context;
use model::{MailId, names::Email};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

/// How this installation sends mail.
#[derive(Debug, Clone)]
pub struct Settings {
    /// By which way.
    pub transport: Transport,
    /// From whom: `WebMeteor <no-reply@example.org>`.
    pub from: String,
}

/// Whether mail can be from this: an address, or a name and an address.
pub fn is_sender(text: &str) -> bool {
    text.parse::<lettre::message::Mailbox>().is_ok()
}

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
    send_if(platform, conn, to, mail, true).await
}

/// Has a mail sent if it is `meant`, and does the same work if it is not: the time that it takes tells nobody whether
/// there was somebody to write to.
///
/// # Errors
/// The database's.
pub(crate) async fn send_if(
    platform: &Platform,
    conn: &mut PgConnection,
    to: &Email,
    mail: &Mail,
    meant: bool,
) -> Result<()> {
    let id = MailId::new();
    let plain = serde_json::to_vec(mail).context("writing a mail")?;
    store::mails::insert(conn, id, to.as_str(), &platform.vault.seal(&row(id), &plain)?, meant).await?;
    Ok(())
}

/// Opens what was sealed for a mail.
fn open(platform: &Platform, id: MailId, sealed: &[u8]) -> Result<Mail> {
    let plain = platform.vault.open(&row(id), sealed)?;
    Ok(serde_json::from_slice(&plain).context("reading a mail")?)
}

/// What a mail is sealed for.
fn row(id: MailId) -> String {
    format!("mails/{id}")
}

#[cfg(test)]
pub(crate) mod tests;

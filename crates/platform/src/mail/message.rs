//! A mail as it travels: RFC 5322, with whatever is not ASCII encoded, and no way for a name or a subject to add a
//! header.

use super::Mail;
use lettre::{
    Address, Message,
    message::{Mailbox, header},
};
use model::MailId;

/// Tells other programs not to answer (RFC 3834, section 5).
#[derive(Clone)]
struct AutoSubmitted;

impl header::Header for AutoSubmitted {
    fn name() -> header::HeaderName {
        header::HeaderName::new_from_ascii_str("Auto-Submitted")
    }
    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }
    fn display(&self) -> header::HeaderValue {
        header::HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// Puts a mail together. Its `Message-ID` is the same at every try, so that a mail server knows it again.
///
/// # Errors
/// A sentence, where one of the addresses is none that mail can be sent to.
pub(super) fn build(id: MailId, from: &str, to: &str, mail: &Mail) -> Result<Message, String> {
    let from: Mailbox = from.parse().map_err(|e| format!("WEBMETEOR_MAIL_FROM is no address: {e}"))?;
    let to: Address = to.parse().map_err(|e| format!("mail cannot be sent to this address: {e}"))?;
    let id = format!("<{id}@{}>", from.email.domain());
    Message::builder()
        .message_id(Some(id))
        .from(from)
        .to(Mailbox::new(None, to))
        .subject(one_line(&mail.subject))
        .header(AutoSubmitted)
        .header(header::ContentType::TEXT_PLAIN)
        .body(mail.text.clone())
        .map_err(|e| format!("the mail cannot be put together: {e}"))
}

/// A header ends where its line does.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

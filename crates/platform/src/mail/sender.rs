//! Sends what waits, beside everything else. A mail that cannot be sent is tried again with growing pauses for a day.

use super::{Smtp, Tls, Transport, message};
use crate::{Platform, Result};
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    transport::smtp::{
        authentication::Credentials,
        client::{Tls as SmtpTls, TlsParameters},
        extension::ClientId,
        response::{Category, Code, Detail, Severity},
    },
};
use model::MailId;
use secrecy::ExposeSecret;
use std::{path::Path, sync::Arc, time::Duration};
use store::mails::{MailRow, Outcome};
use tokio::{io::AsyncWriteExt, sync::Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Nobody else sends it in this time; longer than the longest conversation with a server.
const LEASE: Duration = Duration::from_mins(5);
/// How long a server may take with one command.
const PATIENCE: Duration = Duration::from_secs(30);
/// So many are sent at once.
const AT_ONCE: usize = 4;
/// The pause after the first try; it doubles with every further one …
const FIRST_PAUSE: Duration = Duration::from_secs(30);
/// … up to this one.
const LONGEST_PAUSE: Duration = Duration::from_hours(2);
/// A mail that is older is given up.
const GIVE_UP: Duration = Duration::from_hours(24);
/// Without any wake-up it is looked this often: a notification may be lost.
const LOOK: Duration = Duration::from_secs(30);
/// After trouble with the database.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Why a mail was not sent.
#[derive(Debug, PartialEq, Eq)]
enum Failed {
    /// It may work later.
    Later(String),
    /// It never will.
    Never(String),
}

/// Sends until it is told to stop. What is not sent then is sent after the next start.
pub async fn run(platform: Arc<Platform>, stop: CancellationToken) {
    let tasks = TaskTracker::new();
    let room = Arc::new(Semaphore::new(AT_ONCE));
    while !stop.is_cancelled() {
        let pause = match begin(&platform, &room, &tasks).await {
            Ok(pause) => pause,
            Err(error) => {
                tracing::warn!(%error, "mails cannot be looked at");
                LOOK_AGAIN
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = platform.mails.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
    tasks.close();
    tasks.wait().await;
}

/// Begins to send all that is due and has room; how long until it is worth to look again.
async fn begin(platform: &Arc<Platform>, room: &Arc<Semaphore>, tasks: &TaskTracker) -> Result<Duration> {
    while let Ok(place) = Arc::clone(room).try_acquire_owned() {
        let mut conn = platform.pool.acquire().await?;
        let Some(row) = store::mails::claim(&mut conn, LEASE.as_secs_f64()).await? else {
            let due = store::mails::next_due(&mut conn).await?;
            let due = due.and_then(|seconds| Duration::try_from_secs_f64(seconds.max(0.1)).ok());
            return Ok(due.unwrap_or(LOOK).min(LOOK));
        };
        drop(conn);
        let platform = Arc::clone(platform);
        tasks.spawn(async move {
            if let Err(error) = one(&platform, &row).await {
                // Its lease runs out, and it is sent again.
                tracing::warn!(mail = %row.id, %error, "what came of a mail could not be written down");
            }
            drop(place);
            platform.mails.notify_one();
        });
    }
    // Whoever ends next wakes this.
    Ok(LOOK)
}

/// Sends one and writes down what came of it.
pub(super) async fn one(platform: &Platform, row: &MailRow) -> Result<()> {
    let (id, attempt) = (row.id, row.attempts);
    let sent = deliver(platform, row).await;
    let outcome = match &sent {
        Ok(()) => Outcome::Sent,
        Err(Failed::Later(reason)) if row.age < GIVE_UP.as_secs_f64() => {
            tracing::info!(mail = %id, attempt, reason, "a mail could not be sent; tried again");
            Outcome::Later(pause(attempt).as_secs_f64(), reason)
        }
        Err(Failed::Later(reason) | Failed::Never(reason)) => {
            tracing::warn!(mail = %id, to = row.recipient, attempt, reason, "a mail could not be sent; given up");
            Outcome::GivenUp(reason)
        }
    };
    let mut conn = platform.pool.acquire().await?;
    store::mails::settle(&mut conn, row, outcome).await?;
    Ok(())
}

async fn deliver(platform: &Platform, row: &MailRow) -> Result<(), Failed> {
    // Sealed with another master key, say: it never opens.
    let mail = super::open(platform, row.id, &row.sealed).map_err(|e| Failed::Never(e.to_string()))?;
    let settings = &platform.settings.mail;
    if matches!(settings.transport, Transport::Log) {
        tracing::info!(
            to = row.recipient,
            subject = mail.subject,
            "no mail is sent here (WEBMETEOR_MAIL); pass it on:\n{}",
            mail.text
        );
        return Ok(());
    }
    let message = message::build(row.id, &settings.from, &row.recipient, &mail).map_err(Failed::Never)?;
    match &settings.transport {
        Transport::Log => Ok(()),
        Transport::Folder(folder) => {
            let written = write(folder, row.id, &message.formatted()).await;
            written.map_err(|e| Failed::Later(format!("{} cannot be written: {e}", folder.display())))
        }
        Transport::Smtp(smtp) => send(smtp, &platform.settings.public_url, message).await,
    }
}

/// Writes a mail into a file that is there only when it is whole, and that nobody else may read.
async fn write(folder: &Path, id: MailId, bytes: &[u8]) -> std::io::Result<()> {
    tokio::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).await?;
    let half = folder.join(format!(".{id}"));
    let mut file =
        tokio::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&half).await?;
    file.write_all(bytes).await?;
    file.flush().await?;
    drop(file);
    tokio::fs::rename(half, folder.join(format!("{id}.eml"))).await
}

async fn send(smtp: &Smtp, public_url: &str, message: Message) -> Result<(), Failed> {
    // An IPv6 address stands in brackets in a URL alone.
    let host = smtp.host.trim_start_matches('[').trim_end_matches(']');
    let parameters = || TlsParameters::new(host.to_owned()).map_err(|e| Failed::Later(in_full(&e)));
    let tls = match smtp.tls {
        Tls::None => SmtpTls::None,
        Tls::StartTls => SmtpTls::Required(parameters()?),
        Tls::Implicit => SmtpTls::Wrapper(parameters()?),
    };
    let mut server = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
        .port(smtp.port)
        .tls(tls)
        .timeout(Some(PATIENCE))
        .hello_name(hello(public_url));
    if let Some((user, password)) = &smtp.credentials {
        server = server.credentials(Credentials::new(user.clone(), password.expose_secret().to_owned()));
    }
    match server.build().send(message).await {
        Ok(_) => Ok(()),
        Err(error) if error.status().is_some_and(is_about_the_recipient) => Err(Failed::Never(in_full(&error))),
        Err(error) => Err(Failed::Later(in_full(&error))),
    }
}

/// Who we say that we are: the dashboard's host (RFC 5321, section 4.1.4).
fn hello(public_url: &str) -> ClientId {
    match url::Url::parse(public_url).ok().as_ref().and_then(url::Url::host) {
        Some(url::Host::Ipv4(address)) => ClientId::Ipv4(address),
        Some(url::Host::Ipv6(address)) => ClientId::Ipv6(address),
        Some(url::Host::Domain(name)) => ClientId::Domain(name.to_owned()),
        None => ClientId::default(),
    }
}

/// 550, 551 and 553: there is no such mailbox, and there will be none (RFC 5321, section 4.2.3). Other refusals, such as
/// of our password, are for the operator to mend, and then the mail is sent.
fn is_about_the_recipient(code: Code) -> bool {
    code.severity == Severity::PermanentNegativeCompletion
        && code.category == Category::MailSystem
        && matches!(code.detail, Detail::Zero | Detail::One | Detail::Three)
}

/// An error with its causes.
fn in_full(error: &lettre::transport::smtp::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        cause = error.source();
    }
    text
}

/// How long to wait after this try.
fn pause(attempt: i32) -> Duration {
    let doublings = u32::try_from(attempt - 1).unwrap_or(0).min(10);
    (FIRST_PAUSE * 2_u32.pow(doublings)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_a_mail_is_tried_for_about_a_day() {
        assert_eq!(pause(1), Duration::from_secs(30));
        assert_eq!(pause(2), Duration::from_mins(1));
        assert_eq!(pause(20), LONGEST_PAUSE);
        let tries = (1..).scan(Duration::ZERO, |sum, attempt| {
            *sum += pause(attempt);
            (*sum < GIVE_UP).then_some(())
        });
        assert!((15..25).contains(&tries.count()));
    }

    #[test]
    fn we_call_ourselves_by_the_dashboards_host() {
        assert_eq!(hello("https://paas.example.org:8443").to_string(), "paas.example.org");
        assert_eq!(hello("http://127.0.0.1:3000").to_string(), "[127.0.0.1]");
    }
}

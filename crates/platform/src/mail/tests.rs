//! Mail as it arrives at a server, in a folder, and not at all.

use super::*;
use crate::{Signup, testing};
use model::names::Email;
use secrecy::SecretString;
use sqlx::PgPool;
use std::{os::unix::fs::PermissionsExt, path::PathBuf};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
    task::JoinHandle,
};

/// What was sealed for a mail.
pub(crate) fn opened(platform: &Platform, id: MailId, sealed: &[u8]) -> Mail {
    open(platform, id, sealed).unwrap()
}

/// A server for one conversation: answers as it is told, and gives back what it heard.
struct Server {
    port: u16,
    heard: JoinHandle<String>,
}

impl Server {
    /// `refuse`: a command, and what is answered to it instead of consent.
    async fn start(refuse: Option<(&'static str, &'static str)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let (read, mut write) = stream.into_split();
            let mut lines = BufReader::new(read).lines();
            let (mut heard, mut in_text) = (String::new(), false);
            write.write_all(b"220 mail.test ESMTP\r\n").await.unwrap();
            while let Ok(Some(line)) = lines.next_line().await {
                heard += &line;
                heard.push('\n');
                let command = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
                let answer = match command.as_str() {
                    _ if in_text && line != "." => continue,
                    _ if in_text => {
                        in_text = false;
                        "250 taken"
                    }
                    _ if refuse.is_some_and(|(refused, _)| refused == command) => refuse.unwrap().1,
                    "EHLO" => "250-mail.test\r\n250-AUTH PLAIN\r\n250 8BITMIME",
                    "AUTH" => "235 welcome",
                    "DATA" => {
                        in_text = true;
                        "354 go on"
                    }
                    "QUIT" => "221 bye",
                    _ => "250 ok",
                };
                write.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
            }
            heard
        });
        Self { port, heard }
    }

    fn transport(&self) -> Transport {
        Transport::parse(&format!("smtp://ada:hush@127.0.0.1:{}?tls=none", self.port)).unwrap()
    }
}

fn platform(pool: PgPool, transport: Transport) -> Platform {
    let mut platform = testing::platform(pool, Signup::Open);
    platform.settings.mail = Settings { transport, from: "Wëb Meteor <no-reply@paas.example.org>".into() };
    platform
}

async fn queue(platform: &Platform, to: &str, subject: &str, text: &str) {
    let mut tx = platform.pool.begin().await.unwrap();
    let mail = Mail { subject: subject.into(), text: text.into() };
    send(platform, &mut tx, &Email::parse(to).unwrap(), &mail).await.unwrap();
    tx.commit().await.unwrap();
}

/// Tries the one mail that is due.
async fn attempt(platform: &Platform) {
    let row = store::mails::claim(&mut platform.pool.acquire().await.unwrap(), 60.0).await.unwrap().unwrap();
    sender::one(platform, &row).await.unwrap();
}

/// Whether it was sent, whether it is tried again, and what went wrong.
async fn state(platform: &Platform) -> (bool, bool, String) {
    let state = "select sent_at is not null, due_at is not null, coalesce(last_error, '') from mails";
    sqlx::query_as(state).fetch_one(&platform.pool).await.unwrap()
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_mail_arrives_with_its_headers_and_every_letter(pool: PgPool) {
    let server = Server::start(None).await;
    let platform = platform(pool, server.transport());
    queue(&platform, "ada@example.org", "Grüße, 世界", "Ein Gruß:\n\nhttps://x.org/?token=0123\n.\nEnde").await;
    attempt(&platform).await;
    assert_eq!(state(&platform).await, (true, false, String::new()));
    let heard = server.heard.await.unwrap();
    for line in [
        "EHLO localhost",
        "MAIL FROM:<no-reply@paas.example.org>",
        "RCPT TO:<ada@example.org>",
        "To: ada@example.org",
        "Auto-Submitted: auto-generated",
        "Content-Type: text/plain; charset=utf-8",
    ] {
        assert!(heard.lines().any(|heard| heard.starts_with(line)), "{line} is missing:\n{heard}");
    }
    assert!(heard.is_ascii(), "{heard}");
    assert!(heard.contains("AUTH PLAIN"), "{heard}");
    assert!(heard.lines().any(|line| line.starts_with("Subject: =?utf-8?")), "{heard}");
    assert!(heard.contains("From: =?utf-8?") && heard.contains("<no-reply@paas.example.org>"), "{heard}");
    assert!(heard.contains("Date: ") && heard.contains("@paas.example.org>"), "{heard}");
}

#[sqlx::test(migrations = "../../migrations")]
async fn no_subject_and_no_name_adds_a_header_or_a_command(pool: PgPool) {
    let server = Server::start(None).await;
    let platform = platform(pool, server.transport());
    let subject = "Hello\r\nBcc: eve@example.org\r\n\r\n.\r\nRCPT TO:<eve@example.org>";
    queue(&platform, "ada@example.org", subject, "x\r\n.\r\nMAIL FROM:<eve@example.org>\r\n").await;
    attempt(&platform).await;
    let heard = server.heard.await.unwrap();
    assert_eq!(heard.lines().filter(|line| line.starts_with("RCPT TO")).count(), 1, "{heard}");
    assert!(!heard.lines().any(|line| line.starts_with("Bcc")), "{heard}");
    // A line that is a dot alone would end the text (RFC 5321, section 4.5.2).
    assert_eq!(heard.lines().filter(|line| *line == ".").count(), 1, "{heard}");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_server_that_is_busy_or_away_is_asked_again(pool: PgPool) {
    let server = Server::start(Some(("MAIL", "451 busy"))).await;
    let platform = platform(pool.clone(), server.transport());
    queue(&platform, "ada@example.org", "Hello", "x").await;
    attempt(&platform).await;
    let (sent, again, reason) = state(&platform).await;
    assert!(!sent && again && reason.contains("451"), "{reason}");
    server.heard.await.unwrap();

    sqlx::query("update mails set due_at = now()").execute(&pool).await.unwrap();
    // Nobody listens there any more.
    attempt(&platform).await;
    let (sent, again, reason) = state(&platform).await;
    assert!(!sent && again, "{reason}");
    let older = "update mails set due_at = now(), created_at = now() - interval '25 hours'";
    sqlx::query(older).execute(&pool).await.unwrap();
    attempt(&platform).await;
    let (sent, again, reason) = state(&platform).await;
    assert!(!sent && !again && !reason.is_empty());
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_mailbox_that_is_not_there_is_given_up_and_a_refused_password_is_not(pool: PgPool) {
    for (refuse, again) in [(("RCPT", "550 no such mailbox"), false), (("AUTH", "535 wrong password"), true)] {
        let server = Server::start(Some(refuse)).await;
        let platform = platform(pool.clone(), server.transport());
        sqlx::query("delete from mails").execute(&pool).await.unwrap();
        queue(&platform, "ada@example.org", "Hello", "x").await;
        attempt(&platform).await;
        let (sent, tried_again, reason) = state(&platform).await;
        assert_eq!((sent, tried_again), (false, again), "{reason}");
        assert!(!reason.contains("hush"), "{reason}");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_server_without_starttls_is_given_neither_password_nor_mail(pool: PgPool) {
    let server = Server::start(None).await;
    let credentials = Some(("ada".to_owned(), SecretString::from("hush")));
    let smtp = Smtp { host: "127.0.0.1".into(), port: server.port, tls: Tls::StartTls, credentials };
    let platform = platform(pool, Transport::Smtp(smtp));
    queue(&platform, "ada@example.org", "Hello", "x").await;
    attempt(&platform).await;
    assert!(!state(&platform).await.0);
    let heard = server.heard.await.unwrap();
    assert!(!heard.contains("AUTH") && !heard.contains("MAIL"), "{heard}");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_mail_becomes_a_file_of_ones_own(pool: PgPool) {
    let folder = tempfile::tempdir().unwrap();
    let mails = folder.path().join("mails");
    let platform = platform(pool, Transport::Folder(mails.clone()));
    queue(&platform, "ada@example.org", "Hello", "https://x.org/?token=0123\n").await;
    attempt(&platform).await;
    let files: Vec<PathBuf> = std::fs::read_dir(&mails).unwrap().map(|entry| entry.unwrap().path()).collect();
    let [file] = files.as_slice() else { panic!("{files:?}") };
    assert_eq!(file.extension().unwrap(), "eml");
    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains("Subject: Hello\r\n") && text.contains("https://x.org/?token=0123"), "{text}");
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_waits_is_sent_by_the_task_and_it_ends_when_it_is_told(pool: PgPool) {
    let folder = tempfile::tempdir().unwrap();
    let platform = std::sync::Arc::new(platform(pool, Transport::Folder(folder.path().into())));
    for number in 0..9 {
        queue(&platform, "ada@example.org", &format!("Number {number}"), "x").await;
    }
    let stop = tokio_util::sync::CancellationToken::new();
    let task = tokio::spawn(sender::run(std::sync::Arc::clone(&platform), stop.clone()));
    let waiting = "select count(*) from mails where due_at is not null";
    let look = async {
        while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&platform.pool).await.unwrap() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), look).await.unwrap();
    stop.cancel();
    task.await.unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 9);
}

//! A deployment's log while it is written: lines are redacted, numbered, stored in batches and announced.

use model::{DeploymentId, SiteId, TeamId, deployment::Stream, event::Event};
use sqlx::PgPool;
use std::{sync::Arc, time::Duration};
use store::logs::NewLine;
use time::OffsetDateTime;
use tokio::sync::{mpsc, oneshot};

/// A batch is written once it has this many lines …
const BATCH: usize = 500;
/// … or is this old.
const PATIENCE: Duration = Duration::from_millis(60);
/// A log ends here; the rest is left out, and the log says so.
const MOST_LINES: usize = 100_000;
/// Shown where a secret stood.
const REDACTED: &str = "••••••";

enum Message {
    Line(NewLine),
    Flush(oneshot::Sender<()>),
}

/// Writes a deployment's log; clones write the same one.
#[derive(Clone)]
pub struct LogSink {
    lines: mpsc::Sender<Message>,
    secrets: Arc<Vec<String>>,
}

impl LogSink {
    /// Opens a deployment's log. `secrets` are cut out of every line.
    pub fn open(pool: PgPool, team: TeamId, site: SiteId, deployment: DeploymentId, secrets: Vec<String>) -> Self {
        let (lines, inbox) = mpsc::channel(4_096);
        tokio::spawn(write(pool, team, site, deployment, inbox));
        let mut secrets: Vec<String> = secrets.into_iter().filter(|s| s.len() >= 6).collect();
        secrets.sort_by_key(|s| std::cmp::Reverse(s.len()));
        Self { lines, secrets: Arc::new(secrets) }
    }

    /// Adds a line.
    pub async fn line(&self, stream: Stream, text: &str) {
        let text = self.redact(text);
        let line = NewLine { at: OffsetDateTime::now_utc(), stream, text };
        // The writer ends only with the last sink, so this cannot fail while a sink is there.
        let _ = self.lines.send(Message::Line(line)).await;
    }

    /// Adds what the platform itself has to say.
    pub async fn say(&self, text: impl AsRef<str>) {
        for line in text.as_ref().lines() {
            self.line(Stream::Platform, line).await;
        }
    }

    /// Waits until every line so far is stored.
    pub async fn flush(&self) {
        let (done, stored) = oneshot::channel();
        if self.lines.send(Message::Flush(done)).await.is_ok() {
            let _ = stored.await;
        }
    }

    /// The text without the secrets.
    pub fn redact(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in self.secrets.iter() {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), REDACTED);
            }
        }
        text
    }
}

async fn write(pool: PgPool, team: TeamId, site: SiteId, deployment: DeploymentId, mut inbox: mpsc::Receiver<Message>) {
    let mut written = 0_usize;
    while let Some(first) = inbox.recv().await {
        let (mut batch, mut waiting) = (vec![], vec![]);
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let mut next = Some(first);
        while let Some(message) = next.take() {
            match message {
                Message::Line(line) => batch.push(line),
                Message::Flush(done) => waiting.push(done),
            }
            if batch.len() >= BATCH || !waiting.is_empty() {
                break;
            }
            next = tokio::time::timeout_at(deadline, inbox.recv()).await.ok().flatten();
        }
        let room = MOST_LINES.saturating_sub(written);
        if batch.len() > room {
            batch.truncate(room);
            if room > 0 {
                batch.push(NewLine {
                    at: OffsetDateTime::now_utc(),
                    stream: Stream::Platform,
                    text: format!("The log was cut here: it has more than {MOST_LINES} lines."),
                });
            }
        }
        written += batch.len();
        if !batch.is_empty() {
            store_batch(&pool, team, site, deployment, &batch).await;
        }
        for done in waiting {
            let _ = done.send(());
        }
    }
}

/// Tries again while the database is away: a line that was printed is not lost to a restart of the database.
async fn store_batch(pool: &PgPool, team: TeamId, site: SiteId, deployment: DeploymentId, batch: &[NewLine]) {
    for attempt in 0..30_u64 {
        match try_store(pool, team, site, deployment, batch).await {
            Ok(()) | Err(sqlx::Error::RowNotFound) => return,
            Err(error) => tracing::warn!(%deployment, %error, "log lines wait for the database"),
        }
        tokio::time::sleep(Duration::from_millis(200 * attempt.min(10))).await;
    }
    tracing::error!(%deployment, lines = batch.len(), "log lines were lost: the database did not come back");
}

async fn try_store(
    pool: &PgPool,
    team: TeamId,
    site: SiteId,
    deployment: DeploymentId,
    batch: &[NewLine],
) -> sqlx::Result<()> {
    let mut tx = pool.begin().await?;
    let (from, to) = store::logs::append(&mut tx, deployment, batch).await?;
    store::events::insert(&mut tx, team, &Event::DeploymentLog { id: deployment, site_id: site, from, to }).await?;
    tx.commit().await
}

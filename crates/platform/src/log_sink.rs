//! A deployment's log while it is written: secrets are cut out, what is too much is left out, lines are numbered,
//! stored in batches and announced.

use crate::{redact::Redactor, settings::Limits};
use model::{DeploymentId, SiteId, TeamId, deployment::Stream, event::Event};
use sqlx::PgPool;
use std::{borrow::Cow, collections::VecDeque, sync::Arc, time::Duration};
use store::logs::NewLine;
use time::OffsetDateTime;
use tokio::sync::{mpsc, oneshot};

/// A batch is written once it has this many lines …
const BATCH: usize = 1_000;
/// … or is this old.
const PATIENCE: Duration = Duration::from_millis(60);
/// Bytes of one line that are shown.
const LONGEST: usize = 16 * 1024;
/// Of a log that was cut, so many of the last lines are kept all the same: they tell why it failed.
const LAST_LINES: usize = 1_000;
/// They have at most so many bytes.
const LAST_BYTES: usize = 1024 * 1024;

enum Message {
    Line(NewLine),
    Flush(oneshot::Sender<()>),
}

/// Writes a deployment's log; clones write the same one.
#[derive(Clone)]
pub struct LogSink {
    lines: mpsc::Sender<Message>,
    redactor: Arc<Redactor>,
}

impl LogSink {
    /// Opens a deployment's log. What `redactor` knows is cut out of every line.
    pub(crate) fn open(
        pool: PgPool,
        team: TeamId,
        site: SiteId,
        deployment: DeploymentId,
        redactor: Redactor,
        limits: &Limits,
    ) -> Self {
        let (lines, inbox) = mpsc::channel(4_096);
        tokio::spawn(write(Place { pool, team, site, deployment }, Gate::new(limits), inbox));
        Self { lines, redactor: Arc::new(redactor) }
    }

    /// Adds a line.
    pub async fn line(&self, stream: Stream, text: &str) {
        let text = shortened(&self.redactor.redact(text)).into_owned();
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

    /// Waits until every line so far is stored. Of a log that was cut, the last lines are stored now.
    pub async fn flush(&self) {
        let (done, stored) = oneshot::channel();
        if self.lines.send(Message::Flush(done)).await.is_ok() {
            let _ = stored.await;
        }
    }

    /// The text without the secrets.
    pub fn redact(&self, text: &str) -> String {
        self.redactor.redact(text).into_owned()
    }
}

/// A line of a bearable length. Secrets must be gone from it: a part of one would no longer be found.
fn shortened(text: &str) -> Cow<'_, str> {
    if text.len() <= LONGEST {
        return Cow::Borrowed(text);
    }
    let end = text.floor_char_boundary(LONGEST);
    Cow::Owned(format!("{} … (the rest of this line was left out)", &text[..end]))
}

/// Lets lines through until the limits are reached. After that it holds back the last ones, and lets go of those
/// before them.
struct Gate {
    most: (usize, usize),
    lines: usize,
    bytes: usize,
    is_shut: bool,
    last: VecDeque<NewLine>,
    last_bytes: usize,
    left_out: (u64, u64),
}

impl Gate {
    fn new(limits: &Limits) -> Self {
        let most = (limits.log_lines, limits.log_bytes);
        Self { most, lines: 0, bytes: 0, is_shut: false, last: VecDeque::new(), last_bytes: 0, left_out: (0, 0) }
    }

    fn take(&mut self, line: NewLine, out: &mut Vec<NewLine>) {
        let bytes = line.text.len();
        if !self.is_shut && self.lines < self.most.0 && self.bytes + bytes <= self.most.1 {
            self.lines += 1;
            self.bytes += bytes;
            out.push(line);
            return;
        }
        if !self.is_shut {
            self.is_shut = true;
            out.push(mark(format!(
                "The log is cut here, after {} lines ({}). Its last lines are shown when it ends.",
                self.lines,
                model::size::human(self.bytes as u64),
            )));
        }
        self.last_bytes += bytes;
        self.last.push_back(line);
        while self.last.len() > LAST_LINES || self.last_bytes > LAST_BYTES {
            let Some(gone) = self.last.pop_front() else { break };
            self.last_bytes -= gone.text.len();
            self.left_out.0 += 1;
            self.left_out.1 += gone.text.len() as u64;
        }
    }

    /// The lines that were held back, with a mark where others are missing.
    fn open(&mut self, out: &mut Vec<NewLine>) {
        let (lines, bytes) = std::mem::take(&mut self.left_out);
        if lines > 0 {
            let size = model::size::human(bytes);
            out.push(mark(format!("… {lines} lines ({size}) were left out here …")));
        }
        out.extend(self.last.drain(..));
        self.last_bytes = 0;
    }
}

fn mark(text: String) -> NewLine {
    NewLine { at: OffsetDateTime::now_utc(), stream: Stream::Platform, text }
}

/// Where a log is stored.
struct Place {
    pool: PgPool,
    team: TeamId,
    site: SiteId,
    deployment: DeploymentId,
}

async fn write(place: Place, mut gate: Gate, mut inbox: mpsc::Receiver<Message>) {
    while let Some(first) = inbox.recv().await {
        let (mut batch, mut waiting) = (vec![], vec![]);
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let mut next = Some(first);
        while let Some(message) = next.take() {
            match message {
                Message::Line(line) => gate.take(line, &mut batch),
                Message::Flush(done) => {
                    gate.open(&mut batch);
                    waiting.push(done);
                }
            }
            if batch.len() >= BATCH || !waiting.is_empty() {
                break;
            }
            next = tokio::time::timeout_at(deadline, inbox.recv()).await.ok().flatten();
        }
        if !batch.is_empty() {
            store_batch(&place, &batch).await;
        }
        for done in waiting {
            let _ = done.send(());
        }
    }
    let mut rest = vec![];
    gate.open(&mut rest);
    if !rest.is_empty() {
        store_batch(&place, &rest).await;
    }
}

/// Tries again while the database is away: a line that was printed is not lost to a restart of the database.
async fn store_batch(place: &Place, batch: &[NewLine]) {
    let deployment = place.deployment;
    for attempt in 0..30_u64 {
        match try_store(place, batch).await {
            Ok(()) | Err(sqlx::Error::RowNotFound) => return,
            Err(error) => tracing::warn!(%deployment, %error, "log lines wait for the database"),
        }
        tokio::time::sleep(Duration::from_millis(200 * attempt.min(10))).await;
    }
    tracing::error!(%deployment, lines = batch.len(), "log lines were lost: the database did not come back");
}

async fn try_store(place: &Place, batch: &[NewLine]) -> sqlx::Result<()> {
    let Place { pool, team, site, deployment } = place;
    let mut tx = pool.begin().await?;
    let (from, to) = store::logs::append(&mut tx, *deployment, batch).await?;
    store::events::insert(&mut tx, *team, &Event::DeploymentLog { id: *deployment, site_id: *site, from, to }).await?;
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: impl Into<String>) -> NewLine {
        NewLine { at: OffsetDateTime::UNIX_EPOCH, stream: Stream::Stdout, text: text.into() }
    }

    fn gate(log_lines: usize, log_bytes: usize) -> Gate {
        Gate::new(&Limits { log_lines, log_bytes, ..Limits::default() })
    }

    fn through(gate: &mut Gate, lines: impl IntoIterator<Item = String>) -> Vec<String> {
        let mut out = vec![];
        for text in lines {
            gate.take(line(text), &mut out);
        }
        out.into_iter().map(|line| line.text).collect()
    }

    fn opened(gate: &mut Gate) -> Vec<String> {
        let mut out = vec![];
        gate.open(&mut out);
        out.into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn a_log_within_its_limits_is_not_touched() {
        let mut gate = gate(3, 30);
        assert_eq!(through(&mut gate, ["a", "b", "c"].map(String::from)), ["a", "b", "c"]);
        assert!(opened(&mut gate).is_empty());
    }

    #[test]
    fn a_log_that_is_cut_keeps_its_beginning_and_its_end() {
        let mut gate = gate(3, 1_000_000);
        let told = through(&mut gate, (1..=5_000).map(|n| n.to_string()));
        assert_eq!(told.len(), 4, "{told:?}");
        assert!(told[3].starts_with("The log is cut here, after 3 lines"), "{}", told[3]);
        let end = opened(&mut gate);
        assert!(end[0].starts_with("… 3997 lines "), "{}", end[0]);
        assert_eq!((end.len(), end[1].as_str(), end[1_000].as_str()), (1_001, "4001", "5000"));
        // It stays shut: what comes later is held back until it is asked for again.
        assert!(through(&mut gate, ["later".to_owned()]).is_empty());
        assert_eq!(opened(&mut gate), ["later"]);
    }

    #[test]
    fn bytes_are_limited_too_at_both_ends() {
        let mut gate = gate(1_000, 25);
        let long = "x".repeat(10);
        let told = through(&mut gate, std::iter::repeat_n(long.clone(), 3));
        assert_eq!(told[..2], [long.clone(), long]);
        assert!(told[2].contains("cut here, after 2 lines"), "{}", told[2]);
        through(&mut gate, std::iter::repeat_n("y".repeat(LAST_BYTES / 4), 9));
        let end = opened(&mut gate);
        assert!(end[1..].iter().map(String::len).sum::<usize>() <= LAST_BYTES, "{}", end.len());
        assert_eq!(end.len(), 5);
    }

    #[test]
    fn a_huge_line_is_cut_at_a_whole_character() {
        let text = "é".repeat(LONGEST);
        let told = shortened(&text);
        assert!(told.starts_with("éé") && told.ends_with("left out)") && told.len() < LONGEST + 100);
        assert_eq!(shortened("short"), "short");
    }
}

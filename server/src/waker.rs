//! PostgreSQL's notifications: wakes the worker, and tells what stands in the outbox. Nothing is lost while the
//! connection is: the rows since then are read when it is back.

use crate::{
    live::{Live, Told},
    recent::Recent,
    state::AppState,
};
use model::{
    Actor,
    deployment::Status,
    event::{Event, Notification, OutboxRow},
};
use platform::{Platform, deployments, signing};
use sqlx::postgres::{PgListener, PgNotification};
use std::{sync::Arc, time::Duration};
use store::{events, mails, reports, sessions, signing_keys};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Row numbers are given before their transactions end, so a row may appear after one with a higher number. Looking
/// back this far finds it.
const LOOK_BACK: i64 = 500;
/// How many rows are read at once.
const PAGE: i64 = 1_000;
/// The rows are looked at this often even where no notification comes: a connection may be dead without a sign.
const LOOK_ANYWAY: Duration = Duration::from_secs(20);

/// Tells what comes after the row `last`, until told to stop; a lost connection is made again.
pub async fn run(state: AppState, last: i64, stop: CancellationToken) {
    let mut outbox = Outbox { platform: state.platform, live: state.live, begin: last, last, seen: Recent::new(4_000) };
    let mut pause = Duration::from_millis(100);
    loop {
        let ended = tokio::select! {
            () = stop.cancelled() => return,
            ended = listen(&mut outbox, &mut pause) => ended,
        };
        tracing::warn!(error = %ended, "the connection for notifications is lost; making it again");
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(Duration::from_secs(5)),
        }
    }
}

/// Listens on one connection until it fails.
async fn listen(outbox: &mut Outbox, pause: &mut Duration) -> sqlx::Error {
    let connected = async {
        let mut listener = PgListener::connect_with(&outbox.platform.pool).await?;
        listener
            .listen_all([
                events::EVENTS,
                events::JOBS,
                reports::REPORTS,
                mails::MAILS,
                sessions::SIGN_OUTS,
                signing_keys::KEYS,
            ])
            .await?;
        Ok(listener)
    };
    let mut listener: PgListener = match connected.await {
        Ok(listener) => listener,
        Err(error) => return error,
    };
    *pause = Duration::from_millis(100);
    // Receiving is not safe to be cancelled half-way, so it has a task of its own.
    let (send, mut notifications) = mpsc::channel(256);
    let receiver = tokio::spawn(async move {
        loop {
            let received = listener.try_recv().await;
            let failed = received.is_err();
            if send.send(received).await.is_err() || failed {
                return;
            }
        }
    });
    let error = outbox.follow(&mut notifications).await;
    receiver.abort();
    error
}

type Received = Result<Option<PgNotification>, sqlx::Error>;

struct Outbox {
    platform: Arc<Platform>,
    live: Live,
    /// What came up to here was there before this process.
    begin: i64,
    /// The highest number seen.
    last: i64,
    seen: Recent<i64>,
}

impl Outbox {
    async fn follow(&mut self, notifications: &mut mpsc::Receiver<Received>) -> sqlx::Error {
        if let Err(error) = self.catch_up().await {
            return error;
        }
        loop {
            let received = tokio::time::timeout(LOOK_ANYWAY, notifications.recv()).await;
            let done = match received {
                Ok(Some(Ok(Some(notification)))) if notification.channel() == events::JOBS => {
                    self.platform.wake.notify_one();
                    Ok(())
                }
                Ok(Some(Ok(Some(notification)))) if notification.channel() == reports::REPORTS => {
                    self.platform.reports.notify_one();
                    Ok(())
                }
                Ok(Some(Ok(Some(notification)))) if notification.channel() == mails::MAILS => {
                    self.platform.mails.notify_one();
                    Ok(())
                }
                Ok(Some(Ok(Some(notification)))) if notification.channel() == sessions::SIGN_OUTS => {
                    if let Ok(user) = notification.payload().parse() {
                        self.live.tell_of_sign_out(user);
                    }
                    Ok(())
                }
                Ok(Some(Ok(Some(notification)))) if notification.channel() == signing_keys::KEYS => {
                    self.read_keys().await;
                    Ok(())
                }
                Ok(Some(Ok(Some(notification)))) => self.take(notification.payload()).await,
                // The connection was made again, or nothing came for a while.
                Ok(Some(Ok(None))) | Err(_) => self.catch_up().await,
                Ok(Some(Err(error))) => Err(error),
                Ok(None) => Err(sqlx::Error::WorkerCrashed),
            };
            if let Err(error) = done {
                return error;
            }
        }
    }

    /// Reads everything that was not seen yet, and wakes who works, in case that was missed too.
    async fn catch_up(&mut self) -> Result<(), sqlx::Error> {
        self.platform.wake.notify_one();
        self.platform.reports.notify_one();
        self.platform.mails.notify_one();
        self.read_keys().await;
        let mut conn = self.platform.pool.acquire().await?;
        let mut from = (self.last - LOOK_BACK).max(self.begin);
        loop {
            let rows = events::after(&mut conn, from, PAGE).await?;
            let Some(end) = rows.last() else { return Ok(()) };
            from = end.id;
            for row in rows {
                self.tell(row).await;
            }
        }
    }

    /// Where they cannot be read, those known stay in use until the next notification or look.
    async fn read_keys(&self) {
        if let Err(error) = signing::read(&self.platform).await {
            tracing::warn!(%error, "the signing keys cannot be read again");
        }
    }

    async fn take(&mut self, payload: &str) -> Result<(), sqlx::Error> {
        let Ok(id) = payload.parse() else { return Ok(()) };
        let mut conn = self.platform.pool.acquire().await?;
        let row = events::by_id(&mut conn, id).await?;
        drop(conn);
        if let Some(row) = row {
            self.tell(row).await;
        }
        Ok(())
    }

    async fn tell(&mut self, row: OutboxRow) {
        if !self.seen.insert(row.id) {
            return;
        }
        self.last = self.last.max(row.id);
        let notification = notification(&self.platform, &row).await;
        self.live.tell(Told { row, notification });
    }
}

/// What people should know even where they look at another page: a deployment's end.
async fn notification(platform: &Platform, row: &OutboxRow) -> Option<Notification> {
    // A failure names the step it came in; what follows the switch is no news.
    let (Event::Deployment { id, status: status @ Status::Live, step: None, .. }
    | Event::Deployment { id, status: status @ Status::Failed, .. }) = row.event
    else {
        return None;
    };
    let deployment = deployments::get(platform, &Actor::platform(row.team), id).await.ok()?;
    let number = deployment.summary.number;
    let site = deployment.site_name;
    let (kind, title, body) = match (status, deployment.error) {
        (Status::Live, _) if deployment.reason.is_some() => {
            let body = deployment.reason.unwrap_or_default();
            ("deployment_rolled_back", format!("{site} was rolled back"), body)
        }
        (Status::Live, _) => ("deployment_live", format!("{site} is live"), format!("Deployment {number} serves now.")),
        (_, Some(error)) => ("deployment_failed", format!("{site}: deployment {number} failed"), error.message),
        (_, None) => ("deployment_failed", format!("{site}: deployment {number} failed"), String::new()),
    };
    Some(Notification { id: row.id, kind: kind.to_owned(), title, body, at: row.at })
}

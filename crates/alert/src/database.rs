//! Passes the database's notifications on to the clients, however often it goes away.

use std::time::Duration;

use serde::Serialize;
use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::{sync::watch, time::timeout};

use crate::{DatabaseSettings, Message, hub::Hub};

/// How long one attempt to connect may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// After this much silence the connection is asked whether it still lives.
const SILENCE: Duration = Duration::from_secs(30);
/// How long it may take to answer that.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// How the database is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DatabaseState {
    /// None is set.
    None,
    /// Not reached since the start.
    Connecting,
    /// Notifications arrive.
    Listening,
    /// It was reached before, and is being tried again.
    Lost,
}

/// Listens for ever, and tells clients to catch up after each gap.
pub async fn forward(settings: DatabaseSettings, hub: Hub, state: watch::Sender<DatabaseState>) {
    let mut backoff = Backoff::default();
    loop {
        match listen(&settings).await {
            Ok(mut listener) => {
                backoff = Backoff::default();
                tracing::info!(channel = settings.channel, "listening to the database");
                if state.send_replace(DatabaseState::Listening) == DatabaseState::Lost {
                    hub.resync().await;
                }
                let Err(error) = pass_on(&mut listener, &hub).await;
                state.send_replace(DatabaseState::Lost);
                tracing::warn!(%error, "lost the database");
            }
            Err(error) => {
                let wait = backoff.next();
                tracing::warn!(%error, ?wait, "cannot reach the database yet");
                tokio::time::sleep(wait).await;
            }
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error("the connection was closed")]
    Closed,
    #[error("no answer within {PROBE_TIMEOUT:?}")]
    NoAnswer,
}

async fn listen(settings: &DatabaseSettings) -> Result<PgListener, sqlx::Error> {
    let options = settings.options.clone().application_name("webmeteor-alert");
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(CONNECT_TIMEOUT)
        // A database that is still starting is nothing to warn of.
        .acquire_slow_threshold(CONNECT_TIMEOUT)
        .connect_lazy_with(options);
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.ignore_pool_close_event(true);
    // A silent reconnection would hide the gap from us.
    listener.eager_reconnect(false);
    listener.listen(&settings.channel).await?;
    Ok(listener)
}

async fn pass_on(listener: &mut PgListener, hub: &Hub) -> Result<std::convert::Infallible, Lost> {
    loop {
        match timeout(SILENCE, listener.try_recv()).await {
            Ok(notification) => {
                let notification = notification?.ok_or(Lost::Closed)?;
                match serde_json::from_str::<Message>(notification.payload()) {
                    Ok(message) => hub.tell(message).await,
                    Err(error) => tracing::warn!(%error, "a notification is no message; skipped"),
                }
            }
            // A peer that vanished without a word (a lost host, a cut network) is only found by asking.
            Err(_) => {
                timeout(PROBE_TIMEOUT, sqlx::query("SELECT 1").execute(&mut *listener))
                    .await
                    .map_err(|_| Lost::NoAnswer)??;
            }
        }
    }
}

/// Waits from a quarter of a second up to five, doubling.
struct Backoff(Duration);

impl Default for Backoff {
    fn default() -> Self {
        Self(Duration::from_millis(250))
    }
}

impl Backoff {
    const MAX: Duration = Duration::from_secs(5);

    fn next(&mut self) -> Duration {
        let wait = self.0;
        self.0 = (wait * 2).min(Self::MAX);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_grows_and_stays_short_enough_to_notice_a_restart() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..7).map(|_| backoff.next().as_millis()).collect();
        assert_eq!(waits, [250, 500, 1000, 2000, 4000, 5000, 5000]);
    }
}

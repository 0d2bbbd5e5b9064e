//! Makes the machine match what the database says should run: at start, on the engine's events, and now and then.
//!
//! Each look reads everything once ([`look`]), compares ([`diff`], pure), and does what differs ([`apply`]). It touches
//! only what carries this installation's labels, and says in the log what it did and why.

mod apply;
mod diff;
#[cfg(test)]
mod diff_tests;
mod look;

pub use diff::{Act, Action, Differences};

use crate::{Platform, Result, confines, firewall, labels, remove};
use docker::EventKind;
use futures::StreamExt;
use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

/// Without any event everything is looked at this often.
const LOOK: Duration = Duration::from_secs(10);
/// The same while the engine or the database does not answer.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Several events at once (a restart of the engine) lead to one look.
const SETTLE: Duration = Duration::from_millis(300);
/// So many environments are put right at the same time.
const AT_ONCE: usize = 8;

/// Reconciles until it is told to stop.
pub async fn run(platform: Arc<Platform>, stop: CancellationToken) {
    let hands = Hands { platform: Arc::clone(&platform), busy: Arc::default(), tasks: TaskTracker::new() };
    let mut trouble = None;
    firewall::keep_apart(&platform).await;
    while !stop.is_cancelled() {
        let events = platform.engine.events(&labels::of_instance(&platform)).await;
        let looked = hands.once().await;
        let pause = match &looked {
            Ok(due) => due.map_or(LOOK, |due| due.min(LOOK)),
            Err(_) => LOOK_AGAIN,
        };
        trouble = told(&platform, trouble, looked.err().map(|e| e.to_string())).await;
        let wait = async {
            let (Ok(mut events), None) = (events, &trouble) else { return futures::future::pending().await };
            // Our own starting and stopping raises events too; only ends, pauses and removals need a look.
            while let Some(Ok(event)) = events.next().await {
                if matches!(event.kind, EventKind::Died(_) | EventKind::Destroyed | EventKind::Paused) {
                    return;
                }
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = wait => tokio::time::sleep(SETTLE).await,
            () = platform.removals.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
    hands.tasks.close();
    hands.tasks.wait().await;
}

/// Says once that something is wrong, and once that it is over.
async fn told(platform: &Platform, before: Option<String>, now: Option<String>) -> Option<String> {
    match (&before, &now) {
        (None, Some(error)) => tracing::warn!(%error, "what runs cannot be looked at; tried again every second"),
        (Some(_), None) => {
            tracing::info!("what runs can be looked at again");
            // What waits for the engine need not wait any longer.
            let retried = async {
                let mut conn = platform.pool.acquire().await?;
                store::queue::retry_now(&mut conn).await
            };
            if let Err(error) = retried.await {
                tracing::warn!(%error, "waiting deployments could not be woken");
            }
        }
        _ => {}
    }
    now
}

/// What would be done now; nothing is touched.
///
/// # Errors
/// The database's, the engine's, the file system's.
pub async fn differences(platform: &Platform) -> Result<Differences> {
    let (wanted, found) = look::everything(platform).await?;
    Ok(diff::differences(&wanted, &found))
}

/// Works on several environments at once, and on each one thing after the other.
struct Hands {
    platform: Arc<Platform>,
    busy: Arc<Busy>,
    tasks: TaskTracker,
}

struct Busy {
    with: Mutex<HashSet<Uuid>>,
    room: Semaphore,
}

impl Default for Busy {
    fn default() -> Self {
        Self { with: Mutex::default(), room: Semaphore::new(AT_ONCE) }
    }
}

impl Hands {
    /// One look at everything; what is slow goes on after it. Tells in how long something will be due.
    async fn once(&self) -> Result<Option<Duration>> {
        let platform = &self.platform;
        let mut conn = platform.pool.acquire().await?;
        let gone = store::sites::to_remove(&mut conn).await?;
        let gone_environments = store::environments::to_remove(&mut conn).await?;
        store::events::prune(&mut conn).await?;
        drop(conn);
        for site in gone {
            let platform = Arc::clone(platform);
            self.begin(site.id.0, async move {
                if let Err(error) = remove::site(&platform, &site).await {
                    tracing::warn!(site = %site.id, %error, "a site could not be removed yet");
                }
            });
        }
        for row in gone_environments {
            let platform = Arc::clone(platform);
            self.begin(row.id.0, async move {
                if let Err(error) = remove::environment(&platform, &row).await {
                    tracing::warn!(environment = %row.id, %error, "an environment could not be removed yet");
                }
            });
        }
        confines::remove_strangers(platform).await?;
        let (wanted, found) = look::everything(platform).await?;
        let diff::Differences { actions, due } = diff::differences(&wanted, &found);
        let wanted = Arc::new(wanted);
        let mut parts: BTreeMap<Uuid, Vec<Action>> = BTreeMap::new();
        for action in actions {
            if matches!(action.act, Act::MakeProxy | Act::ReplaceProxy | Act::StartProxy) {
                // First of all: routes are confirmed by it.
                apply::all(platform, &wanted, &[action]).await;
            } else {
                parts.entry(action.environment.map_or(Uuid::nil(), |id| id.0)).or_default().push(action);
            }
        }
        for (key, actions) in parts {
            let (platform, wanted) = (Arc::clone(platform), Arc::clone(&wanted));
            self.begin(key, async move { apply::all(&platform, &wanted, &actions).await });
        }
        Ok(due)
    }

    /// Begins a piece of work unless one with this key is still under way.
    fn begin(&self, key: Uuid, work: impl Future<Output = ()> + Send + 'static) {
        let busy = Arc::clone(&self.busy);
        if !busy.with.lock().unwrap_or_else(PoisonError::into_inner).insert(key) {
            return;
        }
        self.tasks.spawn(async move {
            let permit = busy.room.acquire().await;
            work.await;
            drop(permit);
            busy.with.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
        });
    }
}

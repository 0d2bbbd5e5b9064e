//! What happens, told inside this process: the waker puts it in, sockets and event streams take it out.

use model::event::{Notification, OutboxRow};
use std::sync::Arc;
use tokio::sync::broadcast;

/// A receiver that falls further behind is told so, and reads the present state instead.
const CAPACITY: usize = 1024;

/// Something that happened, with the notification that people get for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What, whose and when.
    pub row: OutboxRow,
    /// For all members of the team, wherever they are in the dashboard.
    pub notification: Option<Notification>,
}

/// The way from the waker to all who listen. A clone is the same way.
#[derive(Debug, Clone)]
pub struct Live(broadcast::Sender<Arc<Told>>);

impl Default for Live {
    fn default() -> Self {
        Self(broadcast::Sender::new(CAPACITY))
    }
}

impl Live {
    /// Everything from now on, of all teams: the receiver passes on only what its reader may see.
    pub fn listen(&self) -> broadcast::Receiver<Arc<Told>> {
        self.0.subscribe()
    }

    /// Tells all who listen; nobody may.
    pub fn tell(&self, told: Told) {
        let _ = self.0.send(Arc::new(told));
    }
}

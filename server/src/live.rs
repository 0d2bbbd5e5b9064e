//! What happens, told inside this process: the waker puts it in, sockets and event streams take it out.

use model::{
    UserId,
    event::{Notification, OutboxRow},
};
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
pub struct Live {
    told: broadcast::Sender<Arc<Told>>,
    sign_outs: broadcast::Sender<UserId>,
}

impl Default for Live {
    fn default() -> Self {
        Self { told: broadcast::Sender::new(CAPACITY), sign_outs: broadcast::Sender::new(CAPACITY) }
    }
}

impl Live {
    /// Everything from now on, of all teams: the receiver passes on only what its reader may see.
    pub fn listen(&self) -> broadcast::Receiver<Arc<Told>> {
        self.told.subscribe()
    }

    /// The accounts of which something that they were signed in with has ended, from now on.
    pub fn listen_for_sign_outs(&self) -> broadcast::Receiver<UserId> {
        self.sign_outs.subscribe()
    }

    /// Tells all who listen; nobody may.
    pub fn tell(&self, told: Told) {
        let _ = self.told.send(Arc::new(told));
    }

    /// Tells all who listen for it; nobody may.
    pub fn tell_of_sign_out(&self, user: UserId) {
        let _ = self.sign_outs.send(user);
    }
}

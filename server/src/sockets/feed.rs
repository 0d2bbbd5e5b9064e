//! What one client is told: one task per socket, so that everything reaches it in order, nothing twice and nothing
//! lost, however slowly it reads.

use super::{
    message::{Ack, Asked, Command, Subject},
    visitor::Visitor,
};
use crate::{live::Told, state::AppState};
use model::{
    Actor, DeploymentId, Problem, SiteId,
    event::{DeploymentEvent, Event, LogEvent, SiteEvent},
};
use platform::{deployments, sites};
use serde::Serialize;
use socketioxide::{SendError, SocketError, extract::SocketRef};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};
use time::OffsetDateTime;
use tokio::{
    sync::{broadcast, mpsc},
    time::{Instant, MissedTickBehavior, interval_at},
};

/// A deployment moved.
pub const DEPLOYMENT: &str = "deployment";
/// Lines of a deployment's log.
pub const LOG: &str = "deployment.log";
/// A site changed.
pub const SITE: &str = "site";
/// What people should know wherever they are.
pub const NOTIFICATION: &str = "notification";

/// How many things one client may follow.
const SUBJECTS_MAX: usize = 64;
/// How many lines of a log are sent at once.
const LINES: i64 = 500;
/// How often it is looked at whether the visitor is still signed in and who may see what.
const LOOK_AGAIN: Duration = Duration::from_secs(15);
/// Between two tries to hand something to a client whose buffer is full.
const PAUSE: Duration = Duration::from_millis(50);
/// A client that takes nothing for this long is sent away; it asks again from its last line.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why the feed ends.
enum End {
    /// The client went away, or is sent away and may come back.
    Gone,
    /// The visitor is no longer signed in.
    SignedOut,
}

/// The task of one socket.
pub struct Feed {
    state: AppState,
    socket: SocketRef,
    visitor: Visitor,
    actor: Actor,
    commands: mpsc::Receiver<Asked>,
    sites: HashSet<SiteId>,
    /// The last line sent of each deployment.
    logs: HashMap<DeploymentId, i64>,
}

impl Feed {
    /// A feed that follows nothing yet.
    pub fn new(state: AppState, socket: SocketRef, visitor: Visitor, commands: mpsc::Receiver<Asked>) -> Self {
        let actor = Actor::nobody();
        Self { state, socket, visitor, actor, commands, sites: HashSet::new(), logs: HashMap::new() }
    }

    /// Runs until the client or its right to be here is gone.
    pub async fn run(mut self) {
        match self.follow().await {
            Err(End::SignedOut) => {
                let _ = self.socket.disconnect();
            }
            Err(End::Gone) | Ok(()) => {}
        }
    }

    async fn follow(&mut self) -> Result<(), End> {
        let mut events = self.state.live.listen();
        let mut sign_outs = self.state.live.listen_for_sign_outs();
        // Who the visitor is must be known before the first question.
        self.look_again().await?;
        let mut look = interval_at(Instant::now() + LOOK_AGAIN, LOOK_AGAIN);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                _ = look.tick() => self.look_again().await?,
                ended = sign_outs.recv() => {
                    // Too many to know whose: it may be this one's.
                    if !ended.is_ok_and(|user| user != self.visitor.user()) {
                        self.look_again().await?;
                    }
                },
                asked = self.commands.recv() => match asked {
                    Some(asked) => self.answer(asked).await?,
                    None => return Err(End::Gone),
                },
                told = events.recv() => match told {
                    Ok(told) => self.pass_on(&told).await?,
                    Err(broadcast::error::RecvError::Lagged(_)) => {
                        self.look_again().await?;
                        self.tell_present_state().await?;
                    }
                    Err(broadcast::error::RecvError::Closed) => return Err(End::Gone),
                },
            }
            if !self.socket.connected() {
                return Err(End::Gone);
            }
        }
    }

    /// Ends the feed of who is signed out, and forgets what the visitor may no longer see.
    async fn look_again(&mut self) -> Result<(), End> {
        let actor = match self.visitor.actor(&self.state.platform).await {
            Ok(Some(actor)) => actor,
            Ok(None) => return Err(End::SignedOut),
            Err(error) => {
                tracing::debug!(%error, "a visitor could not be looked at again");
                return Ok(());
            }
        };
        if actor != self.actor {
            self.actor = actor;
            for site in self.sites.clone() {
                if self.may_see(Subject::Site(site)).await.is_err() {
                    self.sites.remove(&site);
                }
            }
            for deployment in self.logs.keys().copied().collect::<Vec<_>>() {
                if self.may_see(Subject::Deployment(deployment, None)).await.is_err() {
                    self.logs.remove(&deployment);
                }
            }
        }
        Ok(())
    }

    async fn may_see(&self, subject: Subject) -> Result<(), Problem> {
        match subject {
            Subject::Site(id) => sites::get(&self.state.platform, &self.actor, id).await.map(|_| ())?,
            Subject::Deployment(id, _) => deployments::get(&self.state.platform, &self.actor, id).await.map(|_| ())?,
        }
        Ok(())
    }

    async fn answer(&mut self, Asked { command, ack }: Asked) -> Result<(), End> {
        match command {
            Command::Unsubscribe(Subject::Site(id)) => {
                self.sites.remove(&id);
                Ack::ok().send(ack);
            }
            Command::Unsubscribe(Subject::Deployment(id, _)) => {
                self.logs.remove(&id);
                Ack::ok().send(ack);
            }
            Command::Subscribe(_) if self.sites.len() + self.logs.len() >= SUBJECTS_MAX => {
                Ack::error("too_many_subscriptions").send(ack);
            }
            Command::Subscribe(subject) => {
                let begun = self.begin(subject).await;
                begun.as_ref().map_or_else(|problem| Ack::error(&problem.code), |()| Ack::ok()).send(ack);
                if let (Ok(()), Subject::Deployment(id, _)) = (begun, subject) {
                    self.send_lines(id).await?;
                }
            }
        }
        Ok(())
    }

    /// Follows from now on. Events that came before are still in the channel, so the log's position is read first.
    async fn begin(&mut self, subject: Subject) -> Result<(), Problem> {
        self.may_see(subject).await?;
        match subject {
            Subject::Site(id) => {
                self.sites.insert(id);
            }
            Subject::Deployment(id, after) => {
                let last = match after {
                    Some(seq) => seq,
                    None => self.end_of_log(id).await?,
                };
                self.logs.insert(id, last);
            }
        }
        Ok(())
    }

    async fn end_of_log(&self, id: DeploymentId) -> Result<i64, Problem> {
        let read = async {
            let mut conn = self.state.platform.pool.acquire().await?;
            store::deployments::by_id(&mut conn, &self.actor.teams(), id).await
        };
        Ok(read.await.map_err(platform::Error::from)?.map_or(0, |row| row.log_lines))
    }

    async fn pass_on(&mut self, told: &Arc<Told>) -> Result<(), End> {
        let row = &told.row;
        let Some(site) = row.event.site() else {
            // Who is in the team changed: whoever was removed is told nothing of what comes after. Whoever was added sees it
            // with the next look.
            return if self.actor.role_in(row.team).is_some() { self.look_again().await } else { Ok(()) };
        };
        if !sites::may_hear(&self.actor, row.team, site) {
            return Ok(());
        }
        match &row.event {
            Event::DeploymentLog { id, to, .. } => {
                if self.logs.get(id).is_some_and(|last| to > last) {
                    self.send_lines(*id).await?;
                }
            }
            Event::Deployment { id, site_id, status, step } => {
                if self.logs.contains_key(id) || self.sites.contains(site_id) {
                    // What was logged before the change is shown before it.
                    self.send_lines(*id).await?;
                    let event =
                        DeploymentEvent { id: *id, site_id: *site_id, status: *status, step: *step, at: row.at };
                    self.send(DEPLOYMENT, &event).await?;
                }
            }
            Event::Members {} => {}
            Event::Site { id, status } => {
                let event = SiteEvent { id: *id, status: status.clone() };
                self.send(SITE, &event).await?;
            }
        }
        match &told.notification {
            Some(notification) => self.send(NOTIFICATION, notification).await,
            None => Ok(()),
        }
    }

    /// After more was missed than is kept: how things stand now.
    async fn tell_present_state(&mut self) -> Result<(), End> {
        for id in self.logs.keys().copied().collect::<Vec<_>>() {
            self.send_lines(id).await?;
            if let Ok(found) = deployments::get(&self.state.platform, &self.actor, id).await {
                let step = found.steps.iter().rev().find(|step| step.started_at.is_some()).map(|step| step.name);
                let summary = found.summary;
                let at = OffsetDateTime::now_utc();
                let event = DeploymentEvent { id, site_id: summary.site_id, status: summary.status, step, at };
                self.send(DEPLOYMENT, &event).await?;
            }
        }
        for id in self.sites.clone() {
            if let Ok(found) = sites::get(&self.state.platform, &self.actor, id).await {
                self.send(SITE, &SiteEvent { id, status: found.status.as_str().to_owned() }).await?;
            }
        }
        Ok(())
    }

    /// Sends the lines after the last one sent, to the end of what there is.
    async fn send_lines(&mut self, id: DeploymentId) -> Result<(), End> {
        while let Some(last) = self.logs.get(&id).copied() {
            let page = match deployments::log(&self.state.platform, &self.actor, id, last, LINES).await {
                Ok(page) => page,
                Err(error) => {
                    // The next event of this deployment, or the client's next question, reads them again.
                    tracing::debug!(%error, deployment = %id, "a log could not be read for a socket");
                    return Ok(());
                }
            };
            let (Some(first), Some(end)) = (page.items.first(), page.items.last()) else { return Ok(()) };
            let (from, end) = (first.seq, end.seq);
            let is_last = i64::try_from(page.items.len()).is_ok_and(|count| count < LINES);
            self.send(LOG, &LogEvent { id, from, items: page.items }).await?;
            self.logs.insert(id, end);
            if is_last {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Hands an event to the client, waiting while its buffer is full.
    async fn send<T: Serialize>(&self, event: &'static str, payload: &T) -> Result<(), End> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.socket.emit(event, payload) {
                Ok(()) => return Ok(()),
                Err(SendError::Socket(SocketError::InternalChannelFull)) if Instant::now() < deadline => {
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => {
                    tracing::debug!(%error, event, "a client takes nothing more");
                    return Err(End::Gone);
                }
            }
        }
    }
}

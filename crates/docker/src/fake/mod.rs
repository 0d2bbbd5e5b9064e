//! A runtime in memory, for speed and for the faults that a real engine does not produce on demand.

use crate::{
    BuildError, ContainerEvent, ContainerState, Error, EventKind, ExecOutput, Health, Image, ImageId, Labels, LogLine,
    NetworkState, Result,
};
use model::deployment::Stream;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};
use time::OffsetDateTime;
use tokio::sync::broadcast;

mod runtime;

/// How a container of the fake behaves once started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// It runs, and its health check is green.
    Runs,
    /// It runs, and its health check stays red.
    NeverHealthy,
    /// It ends at once with this code, and is started again and again.
    CrashLoops(i64),
    /// The kernel ends it for want of memory.
    OutOfMemory,
}

/// What a build of the fake does.
#[derive(Debug, Clone)]
pub enum BuildScript {
    /// Prints these lines, then succeeds.
    Succeeds(Vec<String>),
    /// Prints these lines, then fails.
    Fails(Vec<String>, BuildError),
    /// Prints these lines, then waits until it is cancelled or its time is over.
    Hangs(Vec<String>),
}

/// The runtime in memory. What a test scripts holds until it scripts something else.
#[derive(Debug)]
pub struct FakeRuntime {
    state: Mutex<State>,
    events: broadcast::Sender<ContainerEvent>,
}

#[derive(Debug, Default)]
struct State {
    calls: Vec<String>,
    faults: Vec<Fault>,
    behaviours: Vec<(String, Behaviour)>,
    builds: Vec<(String, BuildScript)>,
    exec: VecDeque<ExecOutput>,
    made: u64,
    images: BTreeMap<String, Image>,
    networks: BTreeMap<String, NetworkState>,
    volumes: BTreeMap<String, Labels>,
    containers: BTreeMap<String, Container>,
}

#[derive(Debug)]
struct Fault {
    call: String,
    calls_left: usize,
    error: Error,
}

#[derive(Debug)]
struct Container {
    state: ContainerState,
    network: Option<String>,
    volumes: Vec<String>,
    log: Vec<LogLine>,
}

impl Default for FakeRuntime {
    fn default() -> Self {
        Self { state: Mutex::default(), events: broadcast::Sender::new(256) }
    }
}

impl FakeRuntime {
    /// Fails the `nth` call from now of a method of [`Runtime`], 1 being the next.
    pub fn fail(&self, call: &str, nth: usize, error: Error) {
        self.lock().faults.push(Fault { call: call.to_owned(), calls_left: nth, error });
    }

    /// Containers whose name contains `part` behave like this from their next start on.
    pub fn behave(&self, part: &str, behaviour: Behaviour) {
        self.lock().behaviours.insert(0, (part.to_owned(), behaviour));
    }

    /// Builds whose tag contains `part` go like this.
    pub fn script_build(&self, part: &str, script: BuildScript) {
        self.lock().builds.insert(0, (part.to_owned(), script));
    }

    /// The next command in a container answers this; without, each ends with 0 and no output.
    pub fn answer_exec(&self, output: ExecOutput) {
        self.lock().exec.push_back(output);
    }

    /// An image that is there from the start.
    pub fn add_image(&self, tag: &str) {
        self.lock().add_image(tag, Labels::new());
    }

    /// A line that a container has printed.
    pub fn print(&self, name: &str, text: &str) {
        if let Some(container) = self.lock().containers.get_mut(name) {
            container.log.push(said(text));
        }
    }

    /// Ends a container by another hand than the platform's.
    pub fn kill(&self, name: &str, exit_code: i64) {
        let mut state = self.lock();
        if let Some(container) = state.containers.get_mut(name) {
            container.state.running = false;
            container.state.exit_code = Some(exit_code);
            let event = container.event(EventKind::Died(Some(exit_code)));
            drop(state);
            self.tell(event);
        }
    }

    /// Removes a container by another hand than the platform's.
    pub fn destroy(&self, name: &str) {
        let gone = self.lock().containers.remove(name);
        if let Some(container) = gone {
            self.tell(container.event(EventKind::Destroyed));
        }
    }

    /// Every call so far, as `method name`.
    pub fn calls(&self) -> Vec<String> {
        self.lock().calls.clone()
    }

    /// Names of the containers that run, in order.
    pub fn running(&self) -> Vec<String> {
        let state = self.lock();
        state.containers.values().filter(|c| c.state.running).map(|c| c.state.name.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, event: ContainerEvent) {
        // Nobody may be listening.
        let _ = self.events.send(event);
    }

    fn tell_all(&self, events: Vec<ContainerEvent>) {
        for event in events {
            self.tell(event);
        }
    }

    /// Notes the call and hands out the fault that was scripted for it, if its turn has come.
    fn enter(&self, call: &str, name: &str) -> Result<MutexGuard<'_, State>> {
        let mut state = self.lock();
        state.calls.push(format!("{call} {name}").trim_end().to_owned());
        let mut due = None;
        for (index, fault) in state.faults.iter_mut().enumerate().filter(|(_, fault)| fault.call == call) {
            fault.calls_left = fault.calls_left.saturating_sub(1);
            if fault.calls_left == 0 && due.is_none() {
                due = Some(index);
            }
        }
        match due {
            Some(index) => Err(state.faults.remove(index).error),
            None => Ok(state),
        }
    }

    fn run(&self, mut state: MutexGuard<'_, State>, new: Container) -> Result<String> {
        let (name, id) = (new.state.name.clone(), new.state.id.clone());
        if state.containers.contains_key(&name) {
            return Err(Error::Conflict(format!("the name {name} is taken")));
        }
        if !state.images.contains_key(&new.state.image) {
            return Err(Error::NotFound(format!("No such image: {}", new.state.image)));
        }
        if let Some(network) = &new.network {
            if !state.networks.contains_key(network) {
                return Err(Error::NotFound(format!("network {network} not found")));
            }
            let taken = |other: &Container| {
                other.network == new.network && other.state.running && other.state.address == new.state.address
            };
            if state.containers.values().any(taken) {
                return Err(Error::AddressInUse("Address already in use".into()));
            }
        }
        let created = new.event(EventKind::Created);
        state.containers.insert(name.clone(), new);
        let started = state.start(&name);
        drop(state);
        self.tell(created);
        self.tell_all(started);
        Ok(id)
    }
}

impl State {
    fn add_image(&mut self, tag: &str, labels: Labels) -> ImageId {
        self.made += 1;
        let id = ImageId(format!("sha256:{:064x}", self.made));
        let image = Image {
            id: id.clone(),
            tags: vec![tag.to_owned()],
            labels,
            parent: None,
            created_at: Some(OffsetDateTime::UNIX_EPOCH),
            size_bytes: 1024,
            exposed_ports: vec![],
        };
        self.images.insert(tag.to_owned(), image.clone());
        self.images.insert(id.0.clone(), image);
        id
    }

    fn next_id(&mut self) -> String {
        self.made += 1;
        format!("{:064x}", self.made)
    }

    fn find(&mut self, name: &str) -> Result<&mut Container> {
        self.containers
            .values_mut()
            .find(|container| container.state.name == name || container.state.id == name)
            .ok_or_else(|| Error::NotFound(format!("No such container: {name}")))
    }

    fn start(&mut self, name: &str) -> Vec<ContainerEvent> {
        let behaviour = self
            .behaviours
            .iter()
            .find(|(part, _)| name.contains(part.as_str()))
            .map_or(Behaviour::Runs, |(_, behaviour)| *behaviour);
        let Some(container) = self.containers.get_mut(name) else { return vec![] };
        let ended = |container: &mut Container, code| {
            container.state.running = false;
            container.state.restarting = true;
            container.state.exit_code = Some(code);
            container.state.restart_count += 1;
        };
        container.state.started_at = Some(OffsetDateTime::UNIX_EPOCH);
        container.state.running = true;
        container.state.exit_code = None;
        let mut events = vec![container.event(EventKind::Started)];
        match behaviour {
            Behaviour::Runs => container.state.health = container.state.health.map(|_| Health::Healthy),
            Behaviour::NeverHealthy => container.state.health = Some(Health::Unhealthy),
            Behaviour::CrashLoops(code) => {
                ended(container, code);
                events.push(container.event(EventKind::Died(Some(code))));
            }
            Behaviour::OutOfMemory => {
                ended(container, 137);
                container.state.oom_killed = true;
                events.push(container.event(EventKind::OutOfMemory));
                events.push(container.event(EventKind::Died(Some(137))));
            }
        }
        events
    }
}

impl Container {
    fn event(&self, kind: EventKind) -> ContainerEvent {
        ContainerEvent {
            kind,
            id: self.state.id.clone(),
            name: self.state.name.clone(),
            labels: self.state.labels.clone(),
        }
    }
}

fn said(text: &str) -> LogLine {
    LogLine { at: None, stream: Stream::Stdout, text: text.to_owned() }
}

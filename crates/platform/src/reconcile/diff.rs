//! What differs between what the database says and what is on the machine. Pure.

use crate::{labels, machine, plan, routes};
use docker::{ContainerSummary, Image, NetworkState};
use model::{
    DeploymentId, EnvironmentId, ReleaseId, TeamId,
    plan::{ContainerPlan, NetworkPlan, ReleasePlan},
};
use proxy::RouteFile;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::Duration,
};
use store::reconcile::{KeptRow, StateRow};
use time::OffsetDateTime;

/// What should be.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Every environment of the installation.
    pub environments: Vec<StateRow>,
    /// Deployments that are not at their end.
    pub open: BTreeSet<DeploymentId>,
    /// Live deployments whose old release still finishes its requests.
    pub draining: Vec<(EnvironmentId, DeploymentId)>,
    /// Every release, kept or not.
    pub releases: Vec<KeptRow>,
    /// The name of the proxy's container.
    pub proxy: String,
    /// What the settings of the proxy come to.
    pub proxy_settings: String,
    /// How long an old release may finish its requests.
    pub drain: Duration,
    /// When this was read.
    pub now: OffsetDateTime,
}

/// What is there, of everything that bears the installation's label.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// Containers, running or not.
    pub containers: Vec<ContainerSummary>,
    /// Networks.
    pub networks: Vec<NetworkState>,
    /// Images.
    pub images: Vec<Image>,
    /// Route files by their keys.
    pub routes: BTreeMap<String, RouteFile>,
    /// Names of the folders in which repositories are checked out for builds.
    pub checkouts: Vec<String>,
}

/// One thing to be done, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// `None`: it concerns the installation.
    pub environment: Option<EnvironmentId>,
    /// What.
    pub act: Act,
    /// Why, in words that go on after “because”.
    pub reason: String,
}

/// What can be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// The proxy's container is made.
    MakeProxy,
    /// The proxy's container is removed and made again.
    ReplaceProxy,
    /// The proxy's container is started.
    StartProxy,
    /// A network is made.
    MakeNetwork(NetworkPlan),
    /// A network is removed, by its name.
    RemoveNetwork(String),
    /// The container with this place in the release's plan is made under this name.
    MakeContainer(usize, String),
    /// A container is started, or made again if it cannot be: its id, its place in the release's plan, its name.
    StartContainer(String, usize, String),
    /// A container is stopped and removed.
    RemoveContainer {
        /// Its id.
        id: String,
        /// Its name.
        name: String,
        /// How long it may take to end.
        grace: Duration,
    },
    /// A container gets another name.
    RenameContainer(String, String),
    /// The route file is written.
    WriteRoute(proxy::SiteRoutes),
    /// The route file with this key is removed.
    RemoveRoute(String),
    /// A deployment's last step is over.
    EndDrain(DeploymentId),
    /// A tag is removed, and with its last one the image.
    RemoveImage(String),
    /// A release is no longer kept.
    ForgetRelease(TeamId, ReleaseId),
    /// A checkout is removed.
    RemoveCheckout(String),
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MakeProxy => write!(f, "make the proxy's container"),
            Self::ReplaceProxy => write!(f, "replace the proxy's container"),
            Self::StartProxy => write!(f, "start the proxy's container"),
            Self::MakeNetwork(network) => write!(f, "make the network {}", network.name),
            Self::RemoveNetwork(name) => write!(f, "remove the network {name}"),
            Self::MakeContainer(_, name) => write!(f, "make the container {name}"),
            Self::StartContainer(_, _, name) => write!(f, "start the container {name}"),
            Self::RemoveContainer { name, .. } => write!(f, "remove the container {name}"),
            Self::RenameContainer(from, to) => write!(f, "rename the container {from} to {to}"),
            Self::WriteRoute(routes) => write!(f, "write the route of {}", routes.hosts.join(", ")),
            Self::RemoveRoute(key) => write!(f, "remove the route {key}"),
            Self::EndDrain(deployment) => write!(f, "end the drain of deployment {deployment}"),
            Self::RemoveImage(tag) => write!(f, "remove the image {tag}"),
            Self::ForgetRelease(_, release) => write!(f, "forget the release {release}"),
            Self::RemoveCheckout(name) => write!(f, "remove the checkout {name}"),
        }
    }
}

/// The outcome of a comparison.
#[derive(Debug, Clone, Default)]
pub struct Differences {
    /// What is to be done, in this order within an environment.
    pub actions: Vec<Action>,
    /// In so long something more will be to be done.
    pub due: Option<Duration>,
}

impl Differences {
    fn add(&mut self, environment: Option<EnvironmentId>, act: Act, reason: impl Into<String>) {
        self.actions.push(Action { environment, act, reason: reason.into() });
    }
}

/// Compares.
pub fn differences(wanted: &Wanted, found: &Found) -> Differences {
    let mut out = Differences::default();
    proxy(wanted, found, &mut out);
    let (mut containers, strange_containers) = by_environment(wanted, &found.containers, |c| &c.labels);
    let (mut networks, strange_networks) = by_environment(wanted, &found.networks, |n| &n.labels);
    for state in wanted.environments.iter().filter(|state| !state.is_being_removed) {
        let id = state.environment.id;
        let here = Here {
            wanted,
            state,
            containers: containers.remove(&id).unwrap_or_default(),
            networks: networks.remove(&id).unwrap_or_default(),
            route: found.routes.get(&routes::key(id)),
        };
        match &state.plan {
            Some(release) => here.serves(release, &mut out),
            None => here.serves_nothing(&mut out),
        }
    }
    // A database without any environment is more likely the wrong one than a machine full of strangers.
    if !wanted.environments.is_empty() {
        let why = "its environment is not in the database";
        for container in strange_containers {
            out.add(None, remove(container), why);
        }
        for network in strange_networks {
            out.add(None, Act::RemoveNetwork(network.name.clone()), why);
        }
        let known: BTreeSet<String> = wanted.environments.iter().map(|e| routes::key(e.environment.id)).collect();
        for key in found.routes.keys().filter(|key| !known.contains(*key)) {
            out.add(None, Act::RemoveRoute(key.clone()), why);
        }
    }
    leftovers(wanted, found, &mut out);
    out
}

fn proxy(wanted: &Wanted, found: &Found, out: &mut Differences) {
    let there = found.containers.iter().find(|c| c.name == wanted.proxy);
    match there {
        None => out.add(None, Act::MakeProxy, "it is missing"),
        Some(there) if there.labels.get(labels::PROXY) != Some(&wanted.proxy_settings) => {
            out.add(None, Act::ReplaceProxy, "it was made with other settings, or its folder was replaced");
        }
        Some(there) if !there.running && !there.restarting => out.add(None, Act::StartProxy, "it does not run"),
        Some(_) => {}
    }
}

/// What belongs to each environment, and what belongs to environments that nobody knows.
fn by_environment<'a, T>(
    wanted: &Wanted,
    all: &'a [T],
    labels_of: impl Fn(&T) -> &docker::Labels,
) -> (BTreeMap<EnvironmentId, Vec<&'a T>>, Vec<&'a T>) {
    let known: BTreeSet<EnvironmentId> = wanted.environments.iter().map(|e| e.environment.id).collect();
    let (mut ours, mut strange) = (BTreeMap::<_, Vec<_>>::new(), vec![]);
    for thing in all {
        match labels_of(thing).get(labels::ENVIRONMENT).and_then(|id| id.parse::<EnvironmentId>().ok()) {
            Some(id) if known.contains(&id) => ours.entry(id).or_default().push(thing),
            Some(_) => strange.push(thing),
            None => {}
        }
    }
    (ours, strange)
}

fn remove(container: &ContainerSummary) -> Act {
    let (id, name) = (container.id.clone(), container.name.clone());
    let stateful = machine::is_stateful(&container.labels);
    Act::RemoveContainer { id, name, grace: machine::stop_grace(stateful) }
}

/// Nobody reaches it where it is, so it has no requests to finish; what keeps data still has the time to write it.
fn remove_unreachable(container: &ContainerSummary) -> Act {
    match remove(container) {
        Act::RemoveContainer { id, name, .. } if !machine::is_stateful(&container.labels) => {
            Act::RemoveContainer { id, name, grace: Duration::ZERO }
        }
        other => other,
    }
}

fn of_deployment(container: &ContainerSummary, deployment: DeploymentId) -> bool {
    container.labels.get(labels::DEPLOYMENT).is_some_and(|id| *id == deployment.to_string())
}

/// Images, releases and checkouts that are no longer needed.
fn leftovers(wanted: &Wanted, found: &Found, out: &mut Differences) {
    let used: BTreeSet<&str> =
        wanted.releases.iter().filter(|r| r.is_kept).flat_map(|r| &r.images).map(String::as_str).collect();
    let is_open = |tag: &str| wanted.open.iter().any(|id| plan::is_image_of(tag, *id));
    // What has no tag any more is a layer like others, and goes with them when room is needed.
    for tag in found.images.iter().flat_map(|image| &image.tags) {
        if plan::is_image(tag) && !used.contains(tag.as_str()) && !is_open(tag) {
            out.add(None, Act::RemoveImage(tag.clone()), "no kept release uses it");
        }
    }
    for release in wanted.releases.iter().filter(|r| !r.is_kept) {
        let act = Act::ForgetRelease(release.team_id, release.id);
        out.add(Some(release.environment_id), act, "newer ones are kept");
    }
    let at_work: BTreeSet<String> = wanted
        .environments
        .iter()
        .filter_map(|state| Some(crate::checkout_name(state.running?, state.attempt?)))
        .collect();
    for name in found.checkouts.iter().filter(|name| !at_work.contains(*name)) {
        // What is not named after a deployment was put there by somebody else.
        if name.split('.').next().is_some_and(|id| id.parse::<DeploymentId>().is_ok()) {
            out.add(None, Act::RemoveCheckout(name.clone()), "no worker is at work on it");
        }
    }
}

/// One environment.
struct Here<'a> {
    wanted: &'a Wanted,
    state: &'a StateRow,
    containers: Vec<&'a ContainerSummary>,
    networks: Vec<&'a NetworkState>,
    route: Option<&'a RouteFile>,
}

impl Here<'_> {
    fn add(&self, out: &mut Differences, act: Act, reason: impl Into<String>) {
        out.add(Some(self.state.environment.id), act, reason);
    }

    /// The container belongs to the deployment that a worker is at work on: hands off.
    fn is_at_work(&self, container: &ContainerSummary) -> bool {
        self.state.running.is_some_and(|running| of_deployment(container, running))
    }

    fn serves(&self, release: &ReleasePlan, out: &mut Differences) {
        let network_stands = self.network(release, out);
        for (index, container) in release.containers.iter().enumerate() {
            self.container(release, index, container, network_stands, out);
        }
        let new = routes::of(release, &self.state.domains);
        let on_disk = self.state.is_switching
            || self.route.is_some_and(|file| new.render().is_ok_and(|text| text.as_bytes() == file.text));
        if !on_disk {
            let reason = if self.route.is_some() { "it does not lead to the current release" } else { "it is missing" };
            self.add(out, Act::WriteRoute(new), reason);
        }
        let old: Vec<_> = self
            .containers
            .iter()
            .filter(|c| {
                !machine::is_stateful(&c.labels) && !of_deployment(c, release.deployment) && !self.is_at_work(c)
            })
            .collect();
        let draining = self.wanted.draining.iter().filter(|(id, _)| *id == self.state.environment.id);
        // While the route still leads to them, and for some time after, they have requests to finish.
        // It may be the reconciler of another process that led the route back a moment ago.
        let since = self.state.live_since.max(self.route.map(|file| file.written.into()));
        let drained = since.map_or(self.wanted.now, |since| since + self.wanted.drain);
        if !on_disk || self.wanted.now < drained {
            if !old.is_empty() || draining.count() > 0 {
                let left = Duration::try_from(drained - self.wanted.now).unwrap_or_default();
                out.due = Some(out.due.map_or(left, |due| due.min(left)));
            }
            return;
        }
        for container in &old {
            self.add(out, remove(container), "its release does not serve");
        }
        for (_, deployment) in draining {
            self.add(out, Act::EndDrain(*deployment), "the old release had its time");
        }
        let stays = |name: &str| self.containers.iter().any(|c| c.name == name && !old.iter().any(|o| o.id == c.id));
        for container in &release.containers {
            if let Some(there) = self.find(release, container).first()
                && there.name != container.name
                && !stays(&container.name)
            {
                let act = Act::RenameContainer(there.name.clone(), container.name.clone());
                self.add(out, act, "its name is free");
            }
        }
    }

    /// The network is there as it should be; else what makes it so.
    fn network(&self, release: &ReleasePlan, out: &mut Differences) -> bool {
        let plan = &release.network;
        let subnet = format!("{}/{}", plan.base, plan.prefix);
        let there = self.networks.iter().find(|n| n.name == plan.name);
        let is_used = |c: &&ContainerSummary| c.running && c.network.as_ref() == Some(&plan.name);
        match there {
            Some(there) if there.subnet.as_ref() == Some(&subnet) => return true,
            // One without our labels does as well as long as it carries containers.
            None if self.containers.iter().any(is_used) => return true,
            _ => {}
        }
        for container in &release.containers {
            for there in self.find(release, container) {
                self.add(out, remove_unreachable(there), "its network is not there");
            }
        }
        if there.is_some() {
            self.add(out, Act::RemoveNetwork(plan.name.clone()), "it has another subnet than it should");
        }
        self.add(out, Act::MakeNetwork(plan.clone()), "it is missing");
        false
    }

    fn container(
        &self,
        release: &ReleasePlan,
        index: usize,
        plan: &ContainerPlan,
        network_stands: bool,
        out: &mut Differences,
    ) {
        let found = self.find(release, plan);
        let mut spare = found.iter();
        let first = spare.next();
        for container in spare.filter(|_| network_stands) {
            self.add(out, remove(container), "there is another one of it");
        }
        // The old release's may still have the plain name.
        let is_taken = self.containers.iter().any(|c| c.name == plan.name && Some(&c.id) != first.map(|f| &f.id));
        let name = if is_taken { plan::overlap_name(plan, release.deployment) } else { plan.name.clone() };
        let make = Act::MakeContainer(index, name.clone());
        let Some(there) = first.filter(|_| network_stands) else {
            let reason = if first.is_some() { "it was on a network that is not there" } else { "it is missing" };
            return self.add(out, make, reason);
        };
        // The database is reached by its name alone, so its address does not matter.
        let is_placed = there.network.as_ref() == Some(&release.network.name)
            && (plan.stateful || there.address == Some(plan.address));
        if !is_placed {
            self.add(out, remove_unreachable(there), "its network or its address is another than it should be");
            self.add(out, make, "it was removed to be made again");
        } else if !there.running && !there.restarting {
            self.add(out, Act::StartContainer(there.id.clone(), index, name), "it had ended");
        }
    }

    /// The containers of a service, the best one first.
    fn find(&self, release: &ReleasePlan, plan: &ContainerPlan) -> Vec<&ContainerSummary> {
        let mut found: Vec<&ContainerSummary> = self
            .containers
            .iter()
            .copied()
            .filter(|c| c.labels.get(labels::SERVICE).is_some_and(|name| *name == plan.service.as_str()))
            .filter(|c| machine::is_stateful(&c.labels) == plan.stateful)
            .filter(|c| plan.stateful || of_deployment(c, release.deployment))
            .collect();
        found.sort_by_key(|c| (!c.running, c.address != Some(plan.address), c.id.clone()));
        found
    }

    fn serves_nothing(&self, out: &mut Differences) {
        if self.route.is_some() && !self.state.is_switching {
            let act = Act::RemoveRoute(routes::key(self.state.environment.id));
            self.add(out, act, "no release serves");
        }
        let is_idle = self.state.running.is_none() && !self.state.is_waited_for;
        for container in self.containers.iter().filter(|c| !self.is_at_work(c)) {
            if is_idle || !machine::is_stateful(&container.labels) {
                self.add(out, remove(container), "no release of its environment serves");
            }
        }
        for network in self.networks.iter().filter(|_| is_idle) {
            self.add(out, Act::RemoveNetwork(network.name.clone()), "no release of its environment serves");
        }
    }
}

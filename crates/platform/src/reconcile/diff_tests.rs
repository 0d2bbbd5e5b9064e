//! The comparison: on examples, and on whatever else can happen to a machine.

use super::{
    Act, Differences,
    diff::{Found, Wanted, differences},
};
use crate::{checkout_name, labels, plan, routes};
use docker::{ContainerSummary, Image, ImageId, Labels, NetworkState};
use model::{
    DeploymentId, EnvironmentId, ReleaseId, SiteId, TeamId,
    names::ServiceName,
    plan::ReleasePlan,
    site::{HealthCheck, Manifest, ServiceSource, ServiceSpec},
};
use proptest::prelude::*;
use sqlx::types::Json;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
    time::Duration,
};
use store::{
    environments::EnvironmentRow,
    reconcile::{KeptRow, StateRow},
};
use time::OffsetDateTime;

const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

fn service(name: &str) -> ServiceSpec {
    ServiceSpec {
        name: ServiceName::parse(name).unwrap(),
        source: ServiceSource::Build { folder: ".".into(), generated: None },
        port: 80,
        command: None,
        route: Some("/".into()),
        strip_prefix: false,
        health: HealthCheck::default(),
        memory_bytes: 1 << 29,
        cpu_millis: 500,
        volumes: BTreeMap::new(),
    }
}

/// A release with a website and a database.
fn release(row: &EnvironmentRow, index: u8) -> ReleasePlan {
    let manifest = Manifest { services: vec![service("www")], postgres: true, found_by: "test".into() };
    plan::make(&plan::PlanInput {
        team: row.team_id,
        team_slug: "acme",
        site: row.site_id,
        site_slug: &format!("shop{index}"),
        environment: row.id,
        environment_name: "production",
        deployment: DeploymentId::new(),
        hosts: vec![format!("shop{index}.localhost")],
        domain: None,
        subnet: Ipv4Addr::new(10, 64, index, 0),
        manifest: &manifest,
        previous: None,
        taken: &BTreeSet::new(),
    })
    .unwrap()
}

fn environment(index: u8) -> StateRow {
    let row = EnvironmentRow {
        id: EnvironmentId::new(),
        team_id: TeamId::new(),
        site_id: SiteId::new(),
        name: "production".into(),
        branch: "main".into(),
        subnet_index: index.into(),
        secrets: vec![],
        current_release: Some(ReleaseId::new()),
        paused_at: None,
        root: String::new(),
        watch: vec![],
        variables_version: 0,
        is_preview: false,
        created_at: NOW,
        deleting_at: None,
        delete_data: None,
    };
    StateRow {
        plan: Some(Json(release(&row, index))),
        environment: row,
        is_being_removed: false,
        release_variables: Some(0),
        live_since: Some(NOW - Duration::from_mins(5)),
        running: None,
        attempt: None,
        is_switching: false,
        is_waited_for: false,
        domains: vec![],
    }
}

fn labels(row: &EnvironmentRow, deployment: DeploymentId, service: &str) -> Labels {
    let mut labels = Labels::from([
        (labels::INSTANCE.into(), "test".into()),
        (labels::ENVIRONMENT.into(), row.id.to_string()),
        (labels::DEPLOYMENT.into(), deployment.to_string()),
        (labels::SERVICE.into(), service.into()),
    ]);
    if service == plan::DATABASE {
        labels.insert("webmeteor.stateful".into(), "true".into());
    }
    labels
}

fn running(name: &str, network: &str, address: Ipv4Addr, labels: Labels) -> ContainerSummary {
    ContainerSummary {
        id: uuid::Uuid::new_v4().simple().to_string(),
        name: name.into(),
        image: "i".into(),
        image_id: ImageId("i".into()),
        running: true,
        restarting: false,
        network: Some(network.into()),
        address: Some(address),
        labels,
    }
}

fn image(tag: &str, row: &EnvironmentRow) -> Image {
    Image {
        id: ImageId(format!("sha256:{tag}")),
        tags: vec![tag.into()],
        labels: labels(row, DeploymentId::new(), "www"),
        size_bytes: 1,
        exposed_ports: vec![],
        created_at: Some(NOW),
        parent: None,
    }
}

/// Environments as the database has them, on a machine that has nothing yet.
fn installation(environments: u8) -> (Wanted, Found) {
    let environments: Vec<StateRow> = (0..environments).map(environment).collect();
    let releases = environments
        .iter()
        .map(|state| KeptRow {
            id: state.environment.current_release.unwrap(),
            team_id: state.environment.team_id,
            environment_id: state.environment.id,
            is_kept: true,
            images: state.plan.iter().flat_map(|p| &p.containers).map(|c| c.image.clone()).collect(),
        })
        .collect();
    let wanted = Wanted {
        environments,
        open: BTreeSet::new(),
        draining: vec![],
        releases,
        proxy: "proxy".into(),
        proxy_settings: "today's".into(),
        drain: Duration::from_secs(10),
        now: NOW,
    };
    (wanted, Found::default())
}

/// Does to a machine what an action says.
fn act(wanted: &Wanted, found: &mut Found, environment: Option<EnvironmentId>, act: &Act) {
    let state = environment.and_then(|id| wanted.environments.iter().find(|s| s.environment.id == id));
    let make = |found: &mut Found, index: usize, name: &str| {
        let (row, release) = (&state.unwrap().environment, state.unwrap().plan.as_ref().unwrap());
        let container = &release.containers[index];
        assert!(!found.containers.iter().any(|c| c.name == name), "two containers with the name {name}");
        assert!(found.networks.iter().any(|n| n.name == release.network.name), "{name} is made without a network");
        let labels = labels(row, release.deployment, container.service.as_str());
        found.containers.push(running(name, &release.network.name, container.address, labels));
    };
    match act {
        Act::MakeProxy | Act::ReplaceProxy => {
            found.containers.retain(|c| c.name != wanted.proxy);
            let labels = Labels::from([(labels::PROXY.into(), wanted.proxy_settings.clone())]);
            found.containers.push(running(&wanted.proxy, "host", Ipv4Addr::LOCALHOST, labels));
        }
        Act::StartProxy => {
            found.containers.iter_mut().filter(|c| c.name == wanted.proxy).for_each(|c| c.running = true);
        }
        Act::MakeNetwork(network) => {
            let id = environment.unwrap().to_string();
            found.networks.push(NetworkState {
                name: network.name.clone(),
                subnet: Some(format!("{}/{}", network.base, network.prefix)),
                labels: Labels::from([(labels::ENVIRONMENT.into(), id)]),
            });
        }
        Act::RemoveNetwork(name) => {
            assert!(
                !found.containers.iter().any(|c| c.running && c.network.as_ref() == Some(name)),
                "{name} is in use"
            );
            found.networks.retain(|n| n.name != *name);
        }
        Act::MakeContainer(index, name) => make(found, *index, name),
        Act::StartContainer(id, ..) => {
            found.containers.iter_mut().filter(|c| c.id == *id).for_each(|c| c.running = true);
        }
        Act::RemoveContainer { id, .. } => found.containers.retain(|c| c.id != *id),
        Act::RenameContainer(from, to) => {
            assert!(!found.containers.iter().any(|c| c.name == *to), "{to} is taken");
            found.containers.iter_mut().filter(|c| c.name == *from).for_each(|c| c.name.clone_from(to));
        }
        Act::WriteRoute(routes) => {
            found.routes.insert(routes.key.clone(), on_disk(routes, wanted.now));
        }
        Act::RemoveRoute(key) => {
            found.routes.remove(key);
        }
        Act::RemoveImage(tag) => found.images.retain(|i| !i.tags.contains(tag) && i.id.as_str() != tag),
        Act::RemoveCheckout(name) => found.checkouts.retain(|c| c != name),
        Act::EndDrain(_) | Act::ForgetRelease(..) => {}
    }
}

/// Routes that are on disk since then.
fn on_disk(routes: &proxy::SiteRoutes, since: OffsetDateTime) -> proxy::RouteFile {
    proxy::RouteFile { text: routes.render().unwrap().into_bytes(), written: since.into() }
}

fn act_all(wanted: &Wanted, found: &mut Found) -> Differences {
    let differences = differences(wanted, found);
    for action in &differences.actions {
        act(wanted, found, action.environment, &action.act);
    }
    differences
}

/// A machine on which everything is as it should be.
fn sound(environments: u8) -> (Wanted, Found) {
    let (wanted, mut found) = installation(environments);
    act_all(&wanted, &mut found);
    assert_eq!(differences(&wanted, &found).actions, []);
    let long_ago = wanted.now - Duration::from_mins(5);
    found.routes.values_mut().for_each(|file| file.written = long_ago.into());
    (wanted, found)
}

fn told(wanted: &Wanted, found: &Found) -> Vec<String> {
    let name = |act: &Act| {
        let id = wanted.environments[0].environment.id.to_string();
        act.to_string().replace(&id, "ENVIRONMENT")
    };
    differences(wanted, found).actions.iter().map(|a| name(&a.act)).collect()
}

fn find<'a>(found: &'a mut Found, name: &str) -> &'a mut ContainerSummary {
    found.containers.iter_mut().find(|c| c.name == name).unwrap()
}

#[test]
fn from_an_empty_machine_everything_is_made_in_an_order_that_works() {
    let (wanted, found) = installation(1);
    assert_eq!(
        told(&wanted, &found),
        [
            "make the proxy's container",
            "make the network acme-shop0-network",
            "make the container acme-shop0-db",
            "make the container acme-shop0-www",
            "write the route of shop0.localhost",
        ]
    );
}

#[test]
fn what_was_done_by_hand_is_undone() {
    type Harm = fn(&mut Found);
    let cases: [(Harm, &[&str]); 9] = [
        (|f| f.containers.retain(|c| c.name != "acme-shop0-www"), &["make the container acme-shop0-www"]),
        (|f| find(f, "acme-shop0-www").running = false, &["start the container acme-shop0-www"]),
        (
            |f| find(f, "acme-shop0-www").address = Some(Ipv4Addr::new(10, 64, 0, 30)),
            &["remove the container acme-shop0-www", "make the container acme-shop0-www"],
        ),
        (
            |f| find(f, "acme-shop0-db").network = None,
            &["remove the container acme-shop0-db", "make the container acme-shop0-db"],
        ),
        (
            |f| {
                f.networks.clear();
                f.containers.iter_mut().filter(|c| c.name != "proxy").for_each(|c| c.running = false);
            },
            &[
                "remove the container acme-shop0-db",
                "remove the container acme-shop0-www",
                "make the network acme-shop0-network",
                "make the container acme-shop0-db",
                "make the container acme-shop0-www",
            ],
        ),
        (|f| f.routes.clear(), &["write the route of shop0.localhost"]),
        (|f| find(f, "proxy").running = false, &["start the proxy's container"]),
        (|f| find(f, "proxy").labels.clear(), &["replace the proxy's container"]),
        (|f| find(f, "acme-shop0-www").name = "renamed".into(), &["rename the container renamed to acme-shop0-www"]),
    ];
    for (harm, wanted_acts) in cases {
        let (wanted, mut found) = sound(1);
        harm(&mut found);
        assert_eq!(told(&wanted, &found), wanted_acts);
        act_all(&wanted, &mut found);
        assert_eq!(differences(&wanted, &found).actions, [], "after {wanted_acts:?}");
    }
}

#[test]
fn what_nobody_reaches_ends_at_once_and_what_keeps_data_has_its_time() {
    let graces = |wanted: &Wanted, found: &Found| {
        let of = |act: &Act| match act {
            Act::RemoveContainer { name, grace, .. } => Some((name.clone(), grace.as_secs())),
            _ => None,
        };
        differences(wanted, found).actions.iter().filter_map(|action| of(&action.act)).collect::<Vec<_>>()
    };
    let (wanted, mut found) = sound(1);
    found.networks.clear();
    found.containers.iter_mut().for_each(|c| c.network = None);
    assert_eq!(graces(&wanted, &found), [("acme-shop0-db".to_owned(), 60), ("acme-shop0-www".to_owned(), 0)]);
    let (wanted, mut found) = sound(1);
    find(&mut found, "acme-shop0-www").address = Some(Ipv4Addr::new(10, 64, 0, 30));
    assert_eq!(graces(&wanted, &found), [("acme-shop0-www".to_owned(), 0)]);
    let (wanted, found) = next_release(10);
    assert_eq!(graces(&wanted, &found), [("acme-shop0-www".to_owned(), 10)], "it served until now");
}

#[test]
fn a_service_that_crashes_is_left_to_the_engine() {
    let (wanted, mut found) = sound(1);
    let www = find(&mut found, "acme-shop0-www");
    (www.running, www.restarting) = (false, true);
    assert_eq!(differences(&wanted, &found).actions, []);
}

/// The same environment with its next release live since `seconds`; the old one's containers still run.
fn next_release(seconds: u64) -> (Wanted, Found) {
    let (mut wanted, mut found) = sound(1);
    let state = &mut wanted.environments[0];
    let old = state.plan.take().unwrap().0;
    let mut new = release(&state.environment, 0);
    new.containers[1].address = Ipv4Addr::new(10, 64, 0, 9);
    let name = plan::overlap_name(&new.containers[1], new.deployment);
    let labels = labels(&state.environment, new.deployment, "www");
    found.containers.push(running(&name, &new.network.name, new.containers[1].address, labels));
    let live_since = NOW - Duration::from_secs(seconds);
    found.routes.insert(routes::key(new.environment), on_disk(&routes::of(&new, &[]), live_since));
    found.images.push(image(&old.containers[1].image, &state.environment));
    found.images.push(image(&new.containers[1].image, &state.environment));
    wanted.draining.push((new.environment, new.deployment));
    state.live_since = Some(live_since);
    state.environment.current_release = Some(ReleaseId::new());
    wanted.releases.push(KeptRow {
        id: state.environment.current_release.unwrap(),
        team_id: new.team,
        environment_id: new.environment,
        is_kept: true,
        images: new.containers.iter().map(|c| c.image.clone()).collect(),
    });
    state.plan = Some(Json(new));
    (wanted, found)
}

#[test]
fn an_old_release_has_its_time_and_goes_and_the_new_one_takes_its_name() {
    let (wanted, found) = next_release(4);
    let early = differences(&wanted, &found);
    assert_eq!((early.actions, early.due), (vec![], Some(Duration::from_secs(6))));

    let (wanted, mut found) = next_release(10);
    let release = wanted.environments[0].plan.clone().unwrap();
    let overlap = plan::overlap_name(&release.containers[1], release.deployment);
    assert_eq!(
        told(&wanted, &found),
        [
            "remove the container acme-shop0-www".to_owned(),
            format!("end the drain of deployment {}", release.deployment),
            format!("rename the container {overlap} to acme-shop0-www"),
        ]
    );
    act_all(&wanted, &mut found);
    assert_eq!(found.images.len(), 2, "both releases are kept");
}

#[test]
fn a_release_that_is_not_kept_goes_with_its_image() {
    let (mut wanted, found) = next_release(60);
    wanted.releases[0].is_kept = false;
    let old = (wanted.releases[0].id, wanted.releases[0].images[1].clone());
    let told = told(&wanted, &found);
    assert!(told.contains(&format!("remove the image {}", old.1)), "{told:?}");
    assert!(told.contains(&format!("forget the release {}", old.0)), "{told:?}");
}

#[test]
fn an_image_is_left_alone_while_its_deployment_is_open() {
    let (mut wanted, mut found) = sound(1);
    let row = wanted.environments[0].environment.clone();
    let open = DeploymentId::new();
    let tag = format!("webmeteor/acme-shop0-www:{}", open.short());
    let mut built = image(&tag, &row);
    built.tags.push("backup:by-hand".into());
    found.images.push(built);
    assert_eq!(told(&wanted, &found), [format!("remove the image {tag}")]);
    wanted.open.insert(open);
    assert_eq!(differences(&wanted, &found).actions, []);
}

#[test]
fn a_domain_that_came_or_went_is_put_into_the_route_or_taken_out() {
    let (mut wanted, mut found) = sound(1);
    wanted.environments[0].domains = vec!["shop.example.org".into()];
    assert_eq!(told(&wanted, &found), ["write the route of shop0.localhost, shop.example.org"]);
    act_all(&wanted, &mut found);
    assert_eq!(differences(&wanted, &found).actions, []);
    wanted.environments[0].domains.clear();
    assert_eq!(told(&wanted, &found), ["write the route of shop0.localhost"]);
}

#[test]
fn a_route_that_was_written_but_not_committed_leads_back_before_what_it_leads_to_is_removed() {
    let (mut wanted, mut found) = sound(1);
    let row = &wanted.environments[0].environment;
    let mut lost = release(row, 0);
    lost.containers[1].address = Ipv4Addr::new(10, 64, 0, 9);
    let name = plan::overlap_name(&lost.containers[1], lost.deployment);
    let labels = labels(row, lost.deployment, "www");
    found.containers.push(running(&name, &lost.network.name, lost.containers[1].address, labels));
    found.routes.insert(routes::key(row.id), on_disk(&routes::of(&lost, &[]), NOW));
    assert_eq!(told(&wanted, &found), ["write the route of shop0.localhost"]);
    act_all(&wanted, &mut found);
    let next = differences(&wanted, &found);
    assert_eq!(
        (next.actions, next.due),
        (vec![], Some(wanted.drain)),
        "the proxy may not follow yet, and has requests"
    );
    wanted.now += wanted.drain;
    assert_eq!(told(&wanted, &found), [format!("remove the container {name}")]);

    // While a worker is at it, it is the worker's.
    let (mut wanted, mut found) = sound(1);
    found.routes.clear();
    let state = &mut wanted.environments[0];
    (state.running, state.attempt, state.is_switching) = (Some(lost.deployment), Some(1), true);
    assert_eq!(differences(&wanted, &found).actions, []);
    // Before and after its switch the route is not the worker's: it is put right at once.
    wanted.environments[0].is_switching = false;
    assert_eq!(told(&wanted, &found), ["write the route of shop0.localhost"]);
}

#[test]
fn a_first_deployment_that_came_to_nothing_leaves_nothing() {
    let (mut wanted, mut found) = sound(1);
    let state = &mut wanted.environments[0];
    (state.plan, state.live_since, state.environment.current_release) = (None, None, None);
    state.is_waited_for = true;
    assert_eq!(
        told(&wanted, &found),
        ["remove the route ENVIRONMENT", "remove the container acme-shop0-www"],
        "its next try finds the database"
    );
    wanted.environments[0].is_waited_for = false;
    act_all(&wanted, &mut found);
    assert_eq!(found.containers.len(), 1, "the proxy");
    assert_eq!((found.networks.len(), found.routes.len()), (0, 0));
}

#[test]
fn strangers_go_unless_the_database_knows_nobody_at_all() {
    let (mut wanted, found) = sound(2);
    let gone = wanted.environments.pop().unwrap();
    let told_now = told(&wanted, &found);
    assert_eq!(told_now.len(), 4, "{told_now:?}");
    assert!(told_now.contains(&format!("remove the route {}", gone.environment.id)), "{told_now:?}");
    wanted.environments.clear();
    assert_eq!(differences(&wanted, &found).actions, []);
}

#[test]
fn a_site_that_is_being_removed_is_left_to_its_removal() {
    let (mut wanted, mut found) = sound(1);
    wanted.environments[0].is_being_removed = true;
    found.containers.retain(|c| c.name == "proxy");
    found.routes.clear();
    assert_eq!(differences(&wanted, &found).actions, []);
}

#[test]
fn checkouts_of_attempts_that_nobody_works_on_go() {
    let (mut wanted, mut found) = sound(1);
    let id = DeploymentId::new();
    found.checkouts = vec![checkout_name(id, 1), checkout_name(id, 2), "somebody's notes".into()];
    let state = &mut wanted.environments[0];
    (state.running, state.attempt) = (Some(id), Some(2));
    assert_eq!(told(&wanted, &found), [format!("remove the checkout {id}.1")]);
}

/// Something that happens to a machine.
#[derive(Debug, Clone)]
enum Harm {
    Stop(usize),
    Remove(usize),
    Move(usize, u8),
    Disconnect(usize),
    RemoveNetwork(usize),
    Resize(usize),
    LoseRoute(usize),
    ChangeRoute(usize),
    ForgetEnvironment(usize),
    NeverLive(usize),
}

fn harm() -> impl Strategy<Value = Harm> {
    let n = 0..16_usize;
    prop_oneof![
        n.clone().prop_map(Harm::Stop),
        n.clone().prop_map(Harm::Remove),
        (n.clone(), 2..30_u8).prop_map(|(i, a)| Harm::Move(i, a)),
        n.clone().prop_map(Harm::Disconnect),
        n.clone().prop_map(Harm::RemoveNetwork),
        n.clone().prop_map(Harm::Resize),
        n.clone().prop_map(Harm::LoseRoute),
        n.clone().prop_map(Harm::ChangeRoute),
        n.clone().prop_map(Harm::ForgetEnvironment),
        n.prop_map(Harm::NeverLive),
    ]
}

fn apply(harm: &Harm, wanted: &mut Wanted, found: &mut Found) {
    fn nth<T>(all: &mut [T], index: usize) -> Option<&mut T> {
        if all.is_empty() { None } else { Some(&mut all[index % all.len()]) }
    }
    match harm {
        Harm::Stop(i) => {
            if let Some(container) = nth(&mut found.containers, *i) {
                container.running = false;
            }
        }
        Harm::Remove(i) if !found.containers.is_empty() => {
            found.containers.remove(i % found.containers.len());
        }
        Harm::Move(i, a) => {
            let moved = nth(&mut found.containers, *i).filter(|c| c.name != wanted.proxy);
            if let Some(moved) = moved {
                moved.address = Some(Ipv4Addr::new(10, 64, 0, *a));
            }
        }
        Harm::Disconnect(i) => {
            if let Some(container) = nth(&mut found.containers, *i) {
                (container.network, container.address) = (None, None);
            }
        }
        Harm::RemoveNetwork(i) if !found.networks.is_empty() => {
            let gone = found.networks.remove(i % found.networks.len());
            let on = found.containers.iter_mut().filter(|c| c.network.as_ref() == Some(&gone.name));
            on.for_each(|c| c.running = false);
        }
        Harm::Resize(i) => {
            if let Some(network) = nth(&mut found.networks, *i) {
                network.subnet = None;
            }
        }
        Harm::LoseRoute(i) => {
            let key = found.routes.keys().nth(*i).cloned();
            if let Some(key) = key {
                found.routes.remove(&key);
            }
        }
        Harm::ChangeRoute(i) => found.routes.values_mut().skip(*i).take(1).for_each(|file| file.text.push(b'#')),
        Harm::ForgetEnvironment(i) if wanted.environments.len() > 1 => {
            wanted.environments.remove(i % wanted.environments.len());
        }
        Harm::NeverLive(i) => {
            if let Some(state) = nth(&mut wanted.environments, *i) {
                (state.plan, state.live_since, state.environment.current_release) = (None, None, None);
            }
        }
        Harm::Remove(_) | Harm::RemoveNetwork(_) | Harm::ForgetEnvironment(_) => {}
    }
}

proptest! {
    #[test]
    fn whatever_happens_two_looks_put_it_right(harms in prop::collection::vec(harm(), 0..12)) {
        let (mut wanted, mut found) = sound(3);
        for harm in &harms {
            apply(harm, &mut wanted, &mut found);
        }
        act_all(&wanted, &mut found);
        wanted.now += wanted.drain;
        act_all(&wanted, &mut found);
        prop_assert_eq!(differences(&wanted, &found).actions, vec![]);
        for state in &wanted.environments {
            for container in state.plan.iter().flat_map(|p| &p.containers) {
                prop_assert!(found.containers.iter().any(|c| c.running && c.name == container.name));
            }
        }
    }

    #[test]
    fn what_is_right_is_never_touched(harms in prop::collection::vec(harm(), 0..12)) {
        let (mut wanted, mut found) = sound(3);
        let before = found.clone();
        for harm in &harms {
            apply(harm, &mut wanted, &mut found);
        }
        let untouched = |c: &&ContainerSummary| found.containers.contains(c) && {
            let at = |s: &&StateRow| Some(&s.environment.id.to_string()) == c.labels.get(labels::ENVIRONMENT);
            let network = wanted.environments.iter().find(at).and_then(|s| Some(&s.plan.as_ref()?.network.name));
            network.is_some_and(|name| before.networks.iter().any(|n| n.name == *name && found.networks.contains(n)))
        };
        let sound: Vec<_> = before.containers.iter().filter(untouched).collect();
        for action in differences(&wanted, &found).actions {
            if let Act::RemoveContainer { id, .. } | Act::StartContainer(id, ..) = &action.act {
                prop_assert!(!sound.iter().any(|c| c.id == *id), "{}: {}", action.act, action.reason);
            }
        }
    }
}

//! The machine follows the database, whatever is done to it by hand.

use crate::{
    pipeline::{RIGHT_AGAIN, Site},
    stand::{Caught, Stand},
    support::{App, assert_within, until},
};
use std::{fs, path::PathBuf, time::Instant};

/// What belongs to a site on the machine.
struct Parts {
    container: String,
    network: String,
    proxy: String,
    routes: PathBuf,
    route: PathBuf,
}

impl Parts {
    fn of(stand: &Stand) -> Self {
        let filter = format!("label=webmeteor.site={}", stand.site);
        let instance = fs::read_to_string(stand.app.data().join("instance")).unwrap();
        let routes = stand.app.data().join("proxy");
        let mut files = fs::read_dir(&routes).unwrap().map(|entry| entry.unwrap().path());
        Self {
            container: stand.docker(&["ps", "--format", "{{.Names}}", "--filter", &filter]).remove(0),
            network: stand.docker(&["network", "ls", "--format", "{{.Name}}", "--filter", &filter]).remove(0),
            proxy: format!("webmeteor-{}-proxy", instance.trim()),
            route: files.find(|path| path.extension().is_some_and(|ending| ending == "yml")).unwrap(),
            routes,
        }
    }
}

type Harm = (&'static str, fn(&Stand, &Parts));

/// What somebody, or a power cut, does to them.
const HARMS: [Harm; 10] = [
    ("the container is removed", |stand, parts| drop(stand.docker(&["rm", "--force", &parts.container]))),
    ("the container is stopped", |stand, parts| drop(stand.docker(&["stop", "--time=1", &parts.container]))),
    ("the container is paused", |stand, parts| drop(stand.docker(&["pause", &parts.container]))),
    ("the container leaves its network", |stand, parts| {
        stand.docker(&["network", "disconnect", &parts.network, &parts.container]);
    }),
    ("the container has another address", |stand, parts| {
        stand.docker(&["network", "disconnect", &parts.network, &parts.container]);
        let subnet =
            stand.docker(&["network", "inspect", "--format", "{{(index .IPAM.Config 0).Subnet}}", &parts.network]);
        let (first, _) = subnet[0].rsplit_once('.').unwrap();
        let last: u8 = subnet[0].rsplit_once('.').unwrap().1.split('/').next().unwrap().parse().unwrap();
        let other = format!("{first}.{}", last + 20);
        stand.docker(&["network", "connect", "--ip", &other, &parts.network, &parts.container]);
    }),
    ("the network is removed", |stand, parts| {
        stand.docker(&["stop", "--time=1", &parts.container]);
        stand.docker(&["network", "rm", &parts.network]);
    }),
    ("the route is removed", |_, parts| fs::remove_file(&parts.route).unwrap()),
    ("the route is changed", |_, parts| {
        let text = fs::read_to_string(&parts.route).unwrap().replace("8080", "8081");
        fs::write(&parts.route, text).unwrap();
    }),
    ("the folder of the routes is removed", |_, parts| fs::remove_dir_all(&parts.routes).unwrap()),
    ("all of it is gone", |stand, parts| {
        stand.docker(&["rm", "--force", &parts.proxy, &parts.container]);
        stand.docker(&["network", "rm", &parts.network]);
        fs::remove_file(&parts.route).unwrap();
    }),
];

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_by_hand_is_undone() {
    let stand = Stand::on(App::start().await, None).await;
    let parts = Parts::of(&stand);
    let route = fs::read_to_string(&parts.route).unwrap();
    for (what, harm) in HARMS {
        harm(&stand, &parts);
        let done = Instant::now();
        until(what, async || fs::read_to_string(&parts.route).ok().filter(|now| *now == route)).await;
        stand.until_sound(&stand.first).await;
        let took = done.elapsed();
        println!("{what}: right again after {took:.1?}");
        assert_within(RIGHT_AGAIN, took, what);
    }
    // Docker itself brings up its containers after a restart of the machine; where it does not, the platform does.
    let filter = format!("label=webmeteor.instance={}", fs::read_to_string(stand.app.data().join("instance")).unwrap());
    let all = stand.docker(&["ps", "--quiet", "--filter", filter.trim()]);
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    stand.docker(&[&["stop", "--time=1"][..], &all].concat());
    let done = Instant::now();
    stand.until_sound(&stand.first).await;
    let took = done.elapsed();
    println!("everything is stopped: right again after {took:.1?}");
    assert_within(RIGHT_AGAIN, took, "all");
    let log = stand.app.log();
    assert!(log.contains(&format!("make the container {}: it is missing", parts.container)), "{log}");
}

/// Told to end it goes on: it would have its ten seconds.
const DEAF: &str = "use IO::Socket::INET;\n$SIG{TERM} = 'IGNORE';\n\
    my $s = IO::Socket::INET->new(LocalPort => 8080, Listen => 64, ReuseAddr => 1) or die;\n\
    while (my $c = $s->accept) { while (<$c>) { last if /^\\r?\\n$/ } \
    print $c \"HTTP/1.1 200 OK\\r\\nContent-Length: 4\\r\\nConnection: close\\r\\n\\r\\ndeaf\"; close $c; }\n";

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_reaches_is_made_again_however_slowly_it_ends() {
    let mut stand = Stand::on(App::start().await, None).await;
    stand.commit(&[("serve.pl", DEAF.to_owned())]).await;
    stand.first = Caught { at_work: String::new(), id: stand.deploy().await, word: "deaf".into() };
    stand.until_sound(&stand.first).await;
    let parts = Parts::of(&stand);
    stand.docker(&["network", "disconnect", &parts.network, &parts.container]);
    let done = Instant::now();
    stand.until_sound(&stand.first).await;
    let took = done.elapsed();
    println!("right again after {took:.1?}");
    assert_within(RIGHT_AGAIN, took, "all");
}

/// The containers of a build's steps inherit the labels of the image that is built.
#[tokio::test(flavor = "multi_thread")]
async fn a_build_at_work_is_left_alone() {
    let site = Site::live().await;
    let steps = "FROM debian:bookworm-slim\nCOPY index.html /srv/\nRUN sleep 14 && echo awake && exit 7\n";
    site.commit(&[("Dockerfile", steps)]).await;
    let deployment = site.deploy().await;
    let ended = site.ended(&deployment).await;
    assert!(ended["error"]["message"].as_str().unwrap().contains("code: 7"), "{ended:#}");
    assert!(!site.app.log().contains("remove the container"), "{}", site.app.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_ours_is_left_alone() {
    let stand = Stand::on(App::start().await, None).await;
    let name = format!("stranger-{}", uuid::Uuid::new_v4().simple());
    let labels =
        ["--label", "webmeteor.test=it", "--label", "webmeteor.environment=0192f000-0000-7000-8000-000000000000"];
    let run = [
        &["run", "--detach", "--network", "none", "--name", &name][..],
        &labels,
        &["debian:bookworm-slim", "sleep", "600"],
    ]
    .concat();
    stand.docker(&run);
    stand.docker(&[&["network", "create"][..], &labels, &[&name]].concat());
    // A look comes after this, for something of ours has ended.
    let parts = Parts::of(&stand);
    stand.docker(&["rm", "--force", &parts.container]);
    stand.until_sound(&stand.first).await;
    let there = stand.docker(&["ps", "--format", "{{.Names}}", "--filter", &format!("name={name}")]);
    let network = stand.docker(&["network", "ls", "--format", "{{.Name}}", "--filter", &format!("name={name}")]);
    stand.docker(&["rm", "--force", &name]);
    stand.docker(&["network", "rm", &name]);
    assert_eq!((there, network), (vec![name.clone()], vec![name]));
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_tells_what_differs_and_touches_nothing() {
    let mut stand = Stand::on(App::start().await, None).await;
    let doctor = || {
        let output = stand.app.setup.beside(&["doctor"]).output();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let told = doctor();
    assert!(told.contains("ok    sites"), "{told}");
    let parts = Parts::of(&stand);
    assert!(stand.app.stop().await.success());
    stand.docker(&["rm", "--force", &parts.container]);
    fs::remove_file(&parts.route).unwrap();
    let told = stand.app.setup.beside(&["doctor"]).output();
    let told = String::from_utf8_lossy(&told.stdout);
    assert!(told.contains(&format!("make the container {}, because it is missing", parts.container)), "{told}");
    assert!(told.contains("write the route of"), "{told}");
    assert!(!parts.route.exists());
    let there = stand.docker(&["ps", "--all", "--quiet", "--filter", &format!("name={}", parts.container)]);
    assert!(there.is_empty(), "{there:?}");
}

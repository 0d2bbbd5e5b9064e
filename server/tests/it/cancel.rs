//! A deployment is cancelled, in whatever state it is: at once it is over, nothing of it is left, and what served serves.

use crate::{
    stand::{Caught, Stand, State},
    support::{App, Setup, Wire, assert_within, until},
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

/// From asking for it to its end, with all that hangs on it.
const AT_MOST: Duration = Duration::from_secs(2);

const WITH_A_VOLUME: &str = "[services.www]\nbuild = \".\"\nport = 8080\nvolumes = { files = \"/files\" }\n";

/// A repository that is not read any further: its reference to other repositories is a pipe that nobody writes to.
pub struct Stuck(PathBuf);

impl Stuck {
    pub fn repository(repository: &Path) -> Self {
        let pipe = repository.join("objects/info/alternates");
        fs::create_dir_all(pipe.parent().unwrap()).unwrap();
        assert!(Command::new("mkfifo").arg("--").arg(&pipe).status().unwrap().success());
        Self(pipe)
    }
}

impl Drop for Stuck {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Making its container takes the longer the more files there are: the engine copies what an image has at the volume's
/// place, and cannot be stopped at that.
pub fn slow_to_make(files: u32) -> [(&'static str, String); 2] {
    let dockerfile = format!(
        "FROM debian:bookworm-slim\nRUN mkdir /files && cd /files && seq {files} | xargs touch\n\
         CMD [\"sleep\", \"600\"]\n"
    );
    [("Dockerfile", dockerfile), ("webmeteor.toml", WITH_A_VOLUME.to_owned())]
}

/// Processes of Git at work on the repository.
fn readers(repository: &Path) -> usize {
    let wanted = format!("GIT_DIR={}", repository.display());
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let environments = processes.filter_map(|entry| fs::read(entry.path().join("environ")).ok());
    environments.filter(|found| found.split(|byte| *byte == 0).any(|pair| pair == wanted.as_bytes())).count()
}

/// Containers of builds, of steps that were begun.
fn steps(stand: &Stand) -> Vec<String> {
    let instance = fs::read_to_string(stand.app.data().join("instance")).unwrap();
    let network = format!("network=webmeteor-{}-builds", instance.trim());
    stand.docker(&["ps", "--all", "--quiet", "--filter", &network])
}

/// Cancels, and waits until it is over and nothing of it is left; how long that took.
async fn cancelled(stand: &Stand, caught: &Caught) -> Duration {
    let asked = Instant::now();
    stand.cancel(caught).await;
    until("its end", async || (stand.status(&caught.id).await.0 == "cancelled").then_some(())).await;
    stand.until_sound(&stand.first).await;
    until("no step of a build", async || steps(stand).is_empty().then_some(())).await;
    until("no Git", async || (readers(&stand.repository()) == 0).then_some(())).await;
    asked.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_deployment_is_at_it_is_over_within_two_seconds() {
    let stand = Stand::on(App::start().await, None).await;
    let visitors = stand.visitors();
    for state in [State::Fetching, State::Building, State::Starting, State::Verifying] {
        let word = format!("held-{state:?}").to_lowercase();
        let mut stuck = None;
        let caught = match state {
            State::Fetching => {
                stand.commit(&[("unread", word.clone())]).await;
                stuck = Some(Stuck::repository(&stand.repository()));
                let caught = stand.deploy_and_catch(state, &word).await;
                until("Git", async || (readers(&stand.repository()) > 0).then_some(())).await;
                caught
            }
            State::Starting => {
                stand.commit(&slow_to_make(3_000)).await;
                stand.deploy_and_catch(state, &word).await
            }
            _ => stand.hold(state, &word).await,
        };
        if state == State::Building {
            until("the step", async || (!steps(&stand).is_empty()).then_some(())).await;
        }
        let took = cancelled(&stand, &caught).await;
        drop(stuck);
        println!("{state:?}: nothing is left after {took:.1?}");
        assert_within(AT_MOST, took, &format!("{state:?}"));
        assert_eq!(visitors.complaints(), Vec::<String>::new(), "{state:?}");
    }
    assert!(visitors.leave() > 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_its_next_try_is_cancelled_at_once() {
    let mut wire = Wire::new();
    let app = Setup::new().await.by_way_of(&wire).start().await;
    let stand = Stand::on(app, None).await;
    let visitors = stand.visitors();
    let caught = stand.hold(State::Building, "retried").await;
    until("the step", async || (!steps(&stand).is_empty()).then_some(())).await;
    wire.cut().await;
    until("its next try", async || (stand.status(&caught.id).await == ("queued".into(), 1)).then_some(())).await;
    let asked = Instant::now();
    stand.cancel(&caught).await;
    assert_eq!(stand.status(&caught.id).await, ("cancelled".into(), 1));
    assert_within(AT_MOST, asked.elapsed(), "waiting");
    wire.mend();
    stand.until_sound(&stand.first).await;
    until("no step of a build", async || steps(&stand).is_empty().then_some(())).await;
    assert_eq!(visitors.complaints(), Vec::<String>::new());
    visitors.leave();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_deployment_leaves_not_even_its_database() {
    let stand = Stand::empty_on(App::start().await, None).await;
    let manifest = "[services.www]\nimage = \"debian:bookworm-slim\"\nport = 8080\ncommand = [\"sleep\", \"600\"]\n\
                    [database]\npostgres = true\n";
    stand.commit(&[("webmeteor.toml", manifest.to_owned())]).await;
    let caught = stand.deploy_and_catch(State::Verifying, "none").await;
    let filter = format!("label=webmeteor.site={}", stand.site);
    until("the database", async || {
        let log = stand.log(&caught.id).await;
        log.iter().any(|(_, line)| line.starts_with("db: well after")).then_some(())
    })
    .await;
    let asked = Instant::now();
    stand.cancel(&caught).await;
    until("nothing on the machine", async || {
        let containers = stand.docker(&["ps", "--all", "--quiet", "--filter", &filter]);
        let networks = stand.docker(&["network", "ls", "--quiet", "--filter", &filter]);
        (containers.is_empty() && networks.is_empty()).then_some(())
    })
    .await;
    let took = asked.elapsed();
    println!("nothing is left after {took:.1?}");
    assert!(took < AT_MOST, "{took:?}");
    assert_eq!(stand.status(&caught.id).await.0, "cancelled");
}

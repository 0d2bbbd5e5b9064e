//! Whatever is killed, in whatever state a deployment is: it goes on, nothing is lost, doubled or left over, and the
//! site serves all the time.

mod engine;

use crate::{
    pipeline::RIGHT_AGAIN,
    stand::{Caught, Stand, State},
    support::{App, Setup, assert_within, until},
};
use engine::{Containers, Engine};
use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

/// From the end of the fault to the deployment's next sign of life.
const GOES_ON: Duration = Duration::from_secs(10);

/// Goes through all states: catches a deployment in each, lets `fault` happen, which returns when it is over, and
/// expects everything to be in order again.
async fn survives(stand: &mut Stand, name: &str, mut fault: impl AsyncFnMut(&mut Stand, State, &Caught)) {
    let visitors = stand.visitors();
    for state in State::ALL {
        let word = format!("{name}-{state:?}").to_lowercase();
        let caught = stand.catch(state, &word).await;
        fault(stand, state, &caught).await;
        let (over, last_event) = (Instant::now(), stand.last_event().await);
        stand.until_it_goes_on(&caught, last_event).await;
        let goes_on = over.elapsed();
        stand.until_sound(&caught).await;
        println!("{name} in {state:?}: goes on after {goes_on:.1?}, all in order after {:.1?}", over.elapsed());
        assert_within(GOES_ON, goes_on, &format!("{name} in {state:?}"));
        assert_eq!(visitors.complaints(), Vec::<String>::new(), "{name} in {state:?}");
    }
    let served = visitors.leave();
    assert!(served > 100, "{served} requests");
}

fn kill(pid: &str) {
    assert!(Command::new("kill").args(["-9", "--", pid]).status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_platform_is_killed() {
    let app = Setup::new().await.start().await;
    let mut stand = Stand::on(app, None).await;
    survives(&mut stand, "platform", async |stand, _, _| {
        stand.app.kill();
        stand.app.restart().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_is_killed() {
    let app = Setup::bare().start().await;
    let pid = |app: &App| {
        let text = fs::read_to_string(app.data().join("postgres/cluster/postmaster.pid")).ok()?;
        text.lines().next().map(str::to_owned)
    };
    let mut stand = Stand::on(app, None).await;
    survives(&mut stand, "postgresql", async |stand, _, _| {
        let before = pid(&stand.app).unwrap();
        kill(&before);
        until("another server", async || pid(&stand.app).filter(|now| *now != before)).await;
        until("its answer", async || sqlx::query("select 1").execute(&stand.pool).await.ok()).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_docker_daemon_is_killed() {
    let mut engine = Engine::start(Containers::RunOn);
    let app = Setup::new().await.on_engine(&engine.host()).start().await;
    let mut stand = Stand::on(app, Some(engine.host())).await;
    survives(&mut stand, "dockerd", async |_, _, _| {
        engine.kill();
        engine.launch();
    })
    .await;
}

/// Waits until the site answers with its first page again.
async fn serves_again(stand: &Stand, what: &str) {
    let over = Instant::now();
    until("the page", async || stand.page().await.ok().filter(|page| *page == stand.first.word)).await;
    let took = over.elapsed();
    println!("{what}: serves again after {took:.1?}");
    assert_within(RIGHT_AGAIN, took, what);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_docker_daemon_restarts_and_the_containers_end_with_it() {
    let mut engine = Engine::start(Containers::EndWithIt);
    let app = Setup::new().await.on_engine(&engine.host()).start().await;
    let stand = Stand::on(app, Some(engine.host())).await;
    engine.stop();
    engine.launch();
    serves_again(&stand, "at rest").await;
    for state in [State::Building, State::Verifying] {
        let word = format!("restart-{state:?}").to_lowercase();
        let caught = stand.catch(state, &word).await;
        engine.stop();
        engine.launch();
        let (over, last_event) = (Instant::now(), stand.last_event().await);
        stand.until_it_goes_on(&caught, last_event).await;
        let goes_on = over.elapsed();
        stand.until_sound(&caught).await;
        println!("restart in {state:?}: goes on after {goes_on:.1?}, all in order after {:.1?}", over.elapsed());
        assert_within(GOES_ON, goes_on, &format!("{state:?}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_machine_restarts() {
    let mut engine = Engine::start(Containers::EndWithIt);
    let app = Setup::new().await.on_engine(&engine.host()).start().await;
    let mut stand = Stand::on(app, Some(engine.host())).await;
    let caught = stand.hold(State::Verifying, "interrupted").await;
    stand.app.kill();
    engine.stop();
    engine.launch();
    stand.app.restart().await;
    let last_event = stand.last_event().await;
    serves_again(&stand, "the machine").await;
    stand.until_it_goes_on(&caught, last_event).await;
    stand.cancel(&caught).await;
    stand.until_sound(&stand.first).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_sleeps_through_its_lease_and_wakes() {
    let web = Setup::new().await.arguments(&["serve", "--roles", "web"]).start().await;
    let started: Vec<App> = (0..2).map(|_| web.setup.beside(&["serve", "--roles", "worker"]).spawn()).collect();
    let mut stand = Stand::on(web, None).await;
    // They end before the other, or they would put right again what that one clears up.
    let workers = started;
    survives(&mut stand, "sleep", async |stand, state, caught| {
        let worker: String = sqlx::query_scalar("select worker::text from deployments where id = $1::uuid")
            .bind(&caught.at_work)
            .fetch_one(&stand.pool)
            .await
            .unwrap();
        let asleep = workers.iter().find(|app| app.log().contains(&worker)).unwrap();
        asleep.signal("STOP");
        // It wakes while the other one is at work, or when that one is done.
        let wakes_late = matches!(state, State::Building | State::Verifying | State::Draining);
        until("the other worker", async || {
            let (status, attempt): (String, i32) =
                sqlx::query_as("select status, attempt from deployments where id = $1::uuid")
                    .bind(&caught.id)
                    .fetch_one(&stand.pool)
                    .await
                    .ok()?;
            let is_taken = attempt > i32::from(state != State::Queued) || status == "live";
            (is_taken && (!wakes_late || status == "live")).then_some(())
        })
        .await;
        asleep.signal("CONT");
    })
    .await;
    assert!(workers.iter().all(|app| Path::new(&format!("/proc/{}", app.pid())).exists()));
}

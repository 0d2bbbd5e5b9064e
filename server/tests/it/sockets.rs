//! Socket.IO: who is let in, what is told, and that a log comes whole across a gap.

use crate::support::{App, PATIENCE, Setup, client};
use model::{
    DeploymentId, EnvironmentId, Role, SiteId, TeamId,
    deployment::{Status, Step, Stream, Trigger},
    event::Event,
    site::Source,
};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use sqlx::PgPool;
use std::{collections::VecDeque, time::Instant};
use store::{deployments::NewDeployment, environments::NewEnvironment, logs::NewLine, sites::NewSite};
use time::OffsetDateTime;

/// A Socket.IO client (protocol 5, Engine.IO 4) on the long-polling transport.
pub struct Socket {
    url: String,
    http: Client,
    received: VecDeque<String>,
    asked: u32,
}

impl Socket {
    /// Connects with this `auth`; refused, it returns what the server said.
    pub async fn connect(http: &Client, base: &str, origin: Option<&str>, auth: &Value) -> Result<Self, String> {
        let url = format!("{base}/socket.io/?EIO=4&transport=polling");
        let mut open = http.get(&url);
        if let Some(origin) = origin {
            open = open.header("origin", origin);
        }
        let open = open.send().await.unwrap().text().await.unwrap();
        let open: Value = serde_json::from_str(open.strip_prefix('0').unwrap()).unwrap();
        let url = format!("{url}&sid={}", open["sid"].as_str().unwrap());
        let mut socket = Self { url, http: http.clone(), received: VecDeque::new(), asked: 0 };
        socket.send(format!("40{auth}")).await;
        let packet = socket.next_packet().await.unwrap();
        match packet.strip_prefix("44") {
            Some(refusal) => {
                Err(serde_json::from_str::<Value>(refusal).unwrap()["message"].as_str().unwrap().to_owned())
            }
            None => Ok(socket),
        }
    }

    async fn with_token(app: &App, token: &str) -> Self {
        Self::connect(&client(), &app.url, None, &json!({"token": token})).await.unwrap()
    }

    /// Emits with one argument; the acknowledgement.
    pub async fn ask(&mut self, event: &str, argument: &Value) -> Value {
        self.asked += 1;
        self.send(format!("42{}{}", self.asked, json!([event, argument]))).await;
        let begin = format!("43{}", self.asked);
        let mut others = VecDeque::new();
        let answer = loop {
            let packet = self.next_packet().await.unwrap();
            if let Some(answer) = packet.strip_prefix(&begin) {
                break serde_json::from_str::<Value>(answer).unwrap()[0].take();
            }
            others.push_back(packet);
        };
        others.append(&mut self.received);
        self.received = others;
        answer
    }

    /// The next event: its name and its argument.
    pub async fn event(&mut self) -> (String, Value) {
        let packet = self.next_packet().await.unwrap();
        let mut event: Value = serde_json::from_str(packet.strip_prefix("42").expect(&packet)).unwrap();
        (event[0].as_str().unwrap().to_owned(), event[1].take())
    }

    /// The names of the events that came and were not asked for yet.
    pub fn heard(&self) -> Vec<String> {
        let events = self.received.iter().filter_map(|packet| packet.strip_prefix("42"));
        events.map(|event| serde_json::from_str::<Value>(event).unwrap()[0].as_str().unwrap().to_owned()).collect()
    }

    /// The next `count` lines of a log, whatever events they come in.
    async fn lines(&mut self, count: usize) -> Vec<i64> {
        let mut lines = Vec::new();
        while lines.len() < count {
            let (name, event) = self.event().await;
            assert_eq!(name, "deployment.log");
            let items = event["items"].as_array().unwrap();
            assert_eq!(event["from"], items[0]["seq"]);
            lines.extend(items.iter().map(|line| line["seq"].as_i64().unwrap()));
        }
        lines
    }

    /// The next packet that is no ping; `None` once the server has closed the connection.
    async fn next_packet(&mut self) -> Option<String> {
        let began = Instant::now();
        loop {
            match self.received.pop_front().as_deref() {
                // A server that stops between the ping and its answer is seen by the next request.
                Some("2") => drop(self.http.post(&self.url).body("3").send().await),
                Some("1" | "41") => return None,
                Some(packet) => return Some(packet.to_owned()),
                None => {
                    assert!(began.elapsed() < PATIENCE, "in vain waited for a packet");
                    let answer = self.http.get(&self.url).send().await.ok()?;
                    if !answer.status().is_success() {
                        return None;
                    }
                    self.received.extend(answer.text().await.ok()?.split('\u{1e}').map(str::to_owned));
                }
            }
        }
    }

    async fn send(&self, packet: String) {
        let answer = self.http.post(&self.url).body(packet).send().await.unwrap();
        assert_eq!(answer.text().await.unwrap(), "ok");
    }
}

/// A site with a deployment, as the pipeline would have made them.
struct Made {
    pool: PgPool,
    team: TeamId,
    site: SiteId,
    deployment: DeploymentId,
}

impl Made {
    async fn of_team(app: &App, team: &str) -> Self {
        let (pool, team) = (app.pool(), team.parse().unwrap());
        let (site, environment, deployment) = (SiteId::new(), EnvironmentId::new(), DeploymentId::new());
        let mut tx = pool.begin().await.unwrap();
        let slug = format!("site-{}", site.short());
        let source = Source::Template("static".into());
        let new = NewSite {
            id: site,
            team,
            slug: &slug,
            name: "Site",
            source: &source,
            webhook_secret: b"sealed",
            repository_token: None,
        };
        store::sites::insert(&mut tx, &new).await.unwrap();
        let new = NewEnvironment {
            id: environment,
            team,
            site,
            name: "production",
            host: "shop",
            branch: "main",
            root: "",
            watch: &[],
            secrets: b"sealed",
        };
        assert!(store::environments::insert(&mut tx, &new, 100).await.unwrap());
        let new = NewDeployment {
            id: deployment,
            team,
            site,
            environment,
            trigger: Trigger::Manual,
            triggered_by: None,
            branch: Some("main"),
            commit: None,
            message: None,
            author: None,
            from_release: None,
            variables_version: None,
            reason: None,
        };
        store::deployments::insert(&mut tx, &new).await.unwrap();
        tx.commit().await.unwrap();
        Self { pool, team, site, deployment }
    }

    /// Adds lines to the log, and announces them as the pipeline does.
    async fn log(&self, count: usize) {
        let line = NewLine { at: OffsetDateTime::now_utc(), stream: Stream::Stdout, text: "a line".into() };
        let mut tx = self.pool.begin().await.unwrap();
        let (from, to) = store::logs::append(&mut tx, self.deployment, &vec![line; count]).await.unwrap();
        let event = Event::DeploymentLog { id: self.deployment, site_id: self.site, from, to };
        store::events::insert(&mut tx, self.team, &event).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn announce(&self, status: Status) {
        self.announce_at(status, None).await;
    }

    async fn announce_at(&self, status: Status, step: Option<Step>) {
        let event = Event::Deployment { id: self.deployment, site_id: self.site, status, step };
        let mut conn = self.pool.acquire().await.unwrap();
        store::events::insert(&mut conn, self.team, &event).await.unwrap();
    }
}

/// No worker, so that the queued deployments of these tests stay as they are.
async fn web_only() -> App {
    Setup::new().await.without_docker().arguments(&["serve", "--roles", "web"]).start().await
}

#[tokio::test]
async fn who_is_not_signed_in_is_refused() {
    let app = web_only().await;
    for auth in [json!({}), json!({"token": "nonsense"}), json!({"token": 7})] {
        let refused = Socket::connect(&client(), &app.url, None, &auth).await;
        assert_eq!(refused.err().as_deref(), Some("unauthenticated"), "{auth}");
    }
}

#[tokio::test]
async fn only_members_follow_and_the_answer_for_others_is_that_of_nothing() {
    let app = web_only().await;
    let (ada, team) = app.register("ada@example.org").await;
    let (bob, _) = app.register("bob@example.org").await;
    let made = Made::of_team(&app, &team).await;
    let mut stranger = Socket::with_token(&app, &bob).await;
    for target in [json!({"site_id": made.site}), json!({"deployment_id": made.deployment})] {
        assert_eq!(stranger.ask("subscribe", &target).await, json!({"ok": false, "error": "not_found"}));
    }
    assert_eq!(stranger.ask("subscribe", &json!({})).await, json!({"ok": false, "error": "bad_request"}));
    let mut member = Socket::with_token(&app, &ada).await;
    assert_eq!(member.ask("subscribe", &json!({"site_id": made.site})).await, json!({"ok": true}));
    made.announce(Status::Building).await;
    let (name, event) = member.event().await;
    assert_eq!((name.as_str(), event["status"].as_str()), ("deployment", Some("building")));
    assert_eq!(event["site_id"], json!(made.site));
}

#[tokio::test]
async fn who_is_removed_from_a_team_is_told_nothing_more() {
    let app = web_only().await;
    let (ada, team) = app.register("ada@example.org").await;
    let (bob, _) = app.register("bob@example.org").await;
    let bob_id = app.get("/api/v1/me", Some(&bob)).await.1["id"].as_str().unwrap().to_owned();
    let made = Made::of_team(&app, &team).await;
    store::members::add(&mut made.pool.acquire().await.unwrap(), made.team, bob_id.parse().unwrap(), Role::Viewer)
        .await
        .unwrap();
    let (mut owner, mut member) = (Socket::with_token(&app, &ada).await, Socket::with_token(&app, &bob).await);
    let target = json!({"site_id": made.site});
    for socket in [&mut owner, &mut member] {
        assert_eq!(socket.ask("subscribe", &target).await, json!({"ok": true}));
    }
    let path = format!("/api/v1/teams/{team}/members/{bob_id}");
    assert_eq!(app.send(Method::DELETE, &path, Some(&ada), None).await.status(), 204);
    made.announce(Status::Building).await;
    assert_eq!(owner.event().await.0, "deployment");
    assert_eq!(member.ask("subscribe", &target).await, json!({"ok": false, "error": "not_found"}));
    assert!(member.received.iter().all(|packet| !packet.starts_with("42")), "{:?}", member.received);
}

#[tokio::test]
async fn members_are_told_once_that_a_deployment_went_live_or_failed() {
    let app = web_only().await;
    let (ada, team) = app.register("ada@example.org").await;
    let made = Made::of_team(&app, &team).await;
    let mut member = Socket::with_token(&app, &ada).await;
    // What an answer to a question proves: the server follows this client now.
    assert_eq!(member.ask("unsubscribe", &json!({"site_id": made.site})).await["ok"], true);
    made.announce_at(Status::Live, None).await;
    made.announce_at(Status::Live, Some(Step::Drain)).await;
    made.announce_at(Status::Failed, Some(Step::Build)).await;
    for kind in ["deployment_live", "deployment_failed"] {
        let (name, event) = member.event().await;
        assert_eq!((name.as_str(), event["kind"].as_str()), ("notification", Some(kind)));
    }
}

#[tokio::test]
async fn a_log_comes_whole_and_once_across_a_gap() {
    let app = web_only().await;
    let (ada, team) = app.register("ada@example.org").await;
    let made = Made::of_team(&app, &team).await;
    made.log(1_200).await;
    let mut socket = Socket::with_token(&app, &ada).await;
    let target = json!({"deployment_id": made.deployment, "after": 0});
    assert_eq!(socket.ask("subscribe", &target).await, json!({"ok": true}));
    assert_eq!(socket.lines(1_200).await, (1..=1_200).collect::<Vec<_>>());
    made.log(3).await;
    assert_eq!(socket.lines(3).await, [1_201, 1_202, 1_203]);
    drop(socket);
    made.log(2).await;
    let mut socket = Socket::with_token(&app, &ada).await;
    let target = json!({"deployment_id": made.deployment, "after": 1_203});
    assert_eq!(socket.ask("subscribe", &target).await, json!({"ok": true}));
    made.log(1).await;
    assert_eq!(socket.lines(3).await, [1_204, 1_205, 1_206]);
}

#[tokio::test]
async fn without_a_number_a_log_begins_now_and_ends_with_unsubscribe() {
    let app = web_only().await;
    let (ada, team) = app.register("ada@example.org").await;
    let made = Made::of_team(&app, &team).await;
    made.log(5).await;
    let mut socket = Socket::with_token(&app, &ada).await;
    let target = json!({"deployment_id": made.deployment});
    assert_eq!(socket.ask("subscribe", &target).await, json!({"ok": true}));
    made.log(1).await;
    assert_eq!(socket.lines(1).await, [6]);
    assert_eq!(socket.ask("unsubscribe", &target).await, json!({"ok": true}));
    made.log(1).await;
    let site = json!({"site_id": made.site});
    assert_eq!(socket.ask("subscribe", &site).await, json!({"ok": true}));
    made.announce(Status::Building).await;
    assert_eq!(socket.event().await.0, "deployment", "the line in between was not told");
}

#[tokio::test]
async fn nothing_is_lost_while_the_connection_for_notifications_is() {
    let app = web_only().await;
    let (ada, team) = app.register("ada@example.org").await;
    let made = Made::of_team(&app, &team).await;
    let mut socket = Socket::with_token(&app, &ada).await;
    let target = json!({"deployment_id": made.deployment, "after": 0});
    assert_eq!(socket.ask("subscribe", &target).await, json!({"ok": true}));
    made.log(1).await;
    assert_eq!(socket.lines(1).await, [1]);
    let mut tx = made.pool.begin().await.unwrap();
    let ended: Vec<bool> = sqlx::query_scalar(
        "select pg_terminate_backend(pid) from pg_stat_activity \
         where datname = current_database() and pid <> pg_backend_pid() and query ilike 'listen%'",
    )
    .fetch_all(&mut *tx)
    .await
    .unwrap();
    assert_eq!(ended, [true], "one process listens");
    tx.commit().await.unwrap();
    made.log(2).await;
    made.announce(Status::Building).await;
    assert_eq!(socket.lines(2).await, [2, 3]);
    assert_eq!(socket.event().await.0, "deployment");
}

#[tokio::test]
async fn sockets_are_closed_when_the_platform_stops() {
    let mut app = web_only().await;
    let (ada, _) = app.register("ada@example.org").await;
    let mut socket = Socket::with_token(&app, &ada).await;
    app.signal("TERM");
    assert_eq!(socket.next_packet().await, None);
    assert!(app.ended().await.success());
}

#[tokio::test]
async fn a_sign_in_that_is_ended_ends_its_sockets_at_once() {
    let app = App::start_without_docker().await;
    let (token, _) = app.register("ada@example.org").await;
    let mut socket = Socket::with_token(&app, &token).await;
    let (_, listed) = app.get("/api/v1/me/sessions", Some(&token)).await;
    let own = listed["items"][0]["id"].as_str().unwrap();
    let began = Instant::now();
    let ended = app.send(reqwest::Method::DELETE, &format!("/api/v1/me/sessions/{own}"), Some(&token), None).await;
    assert_eq!(ended.status(), 204);
    assert_eq!(socket.next_packet().await, None);
    // Without being told it would have looked again after 15 s.
    assert!(began.elapsed() < std::time::Duration::from_secs(10), "{:?}", began.elapsed());
    let refused = Socket::connect(&client(), &app.url, None, &json!({"token": token})).await;
    assert_eq!(refused.err().as_deref(), Some("unauthenticated"));
}

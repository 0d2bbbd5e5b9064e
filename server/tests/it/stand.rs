//! A site that serves, visitors who never stop, and deployments that are caught in a state of choice.

use crate::support::{App, PATIENCE, json, moment, until};
use forge::hosted::{Author, FileChange, commit_files};
use model::{deployment::Status, event::Event, names::BranchName};
use reqwest::{Client, Method};
use serde_json::json;
use sqlx::{PgPool, postgres::PgListener};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use time::OffsetDateTime;

/// Where a deployment is caught.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Queued,
    Fetching,
    Building,
    Starting,
    Verifying,
    Switching,
    Draining,
}

impl State {
    pub const ALL: [Self; 7] = [
        Self::Queued,
        Self::Fetching,
        Self::Building,
        Self::Starting,
        Self::Verifying,
        Self::Switching,
        Self::Draining,
    ];

    fn is_reached_by(self, status: Status) -> bool {
        match self {
            Self::Queued => status == Status::Queued,
            Self::Fetching => status == Status::Fetching,
            Self::Building => status == Status::Building,
            Self::Starting => status == Status::Starting,
            Self::Verifying => status == Status::Verifying,
            Self::Switching => status == Status::Switching,
            // From then on the old release has its time.
            Self::Draining => status == Status::Live,
        }
    }

    /// What the repository holds so that this state is a long one: of so many seconds where that is the repository's to say.
    fn files(self, word: &str, seconds: u32) -> [(&'static str, String); 3] {
        // A comment of its own keeps the step out of the cache.
        let slow_build = if self == Self::Building { format!("RUN sleep {seconds} # {word}\n") } else { String::new() };
        let slow_start = if self == Self::Verifying { format!("sleep {seconds};") } else { String::new() };
        [
            (
                "Dockerfile",
                format!(
                    "FROM debian:bookworm-slim\n{slow_build}COPY serve.pl /srv/\nUSER nobody\nEXPOSE 8080\n\
                     CMD [\"perl\", \"/srv/serve.pl\"]\n"
                ),
            ),
            (
                "serve.pl",
                format!(
                    "use IO::Socket::INET;\n{slow_start}\n\
                     my $s = IO::Socket::INET->new(LocalPort => 8080, Listen => 64, ReuseAddr => 1) or die;\n\
                     while (my $c = $s->accept) {{ while (<$c>) {{ last if /^\\r?\\n$/ }} \
                     print $c \"HTTP/1.1 200 OK\\r\\nContent-Length: {}\\r\\nConnection: close\\r\\n\\r\\n{word}\"; \
                     close $c; }}\n",
                    word.len()
                ),
            ),
            ("webmeteor.toml", "[services.www]\nbuild = \".\"\nport = 8080\n".to_owned()),
        ]
    }
}

/// A deployment that was caught.
pub struct Caught {
    /// Its id.
    pub id: String,
    /// The one that a worker is at work on: another one where this one waits for it.
    pub at_work: String,
    /// What its site says.
    pub word: String,
}

/// A live site of a team of its own.
pub struct Stand {
    /// The platform.
    pub app: App,
    /// Its database.
    pub pool: PgPool,
    /// The site's id.
    pub site: String,
    /// What was deployed first.
    pub first: Caught,
    engine: Option<String>,
    token: String,
    slug: String,
}

impl Stand {
    /// A site that is live, on this platform; `engine` is where its containers are, unless it is the machine's own.
    pub async fn on(app: App, engine: Option<String>) -> Self {
        let mut stand = Self::empty_on(app, engine).await;
        stand.commit(&State::Queued.files("first", 0)).await;
        stand.first.id = stand.deploy().await;
        stand.until_sound(&stand.first).await;
        stand
    }

    /// A site whose repository is empty.
    pub async fn empty_on(app: App, engine: Option<String>) -> Self {
        app.until_ready().await;
        // Names in Docker begin with the team's: tests beside each other must not meet there.
        let name: String =
            uuid::Uuid::new_v4().simple().to_string().chars().filter(char::is_ascii_alphabetic).collect();
        let (token, _) = app.register(&format!("it{name}@example.org")).await;
        let slug = format!("site-{}", &uuid::Uuid::new_v4().simple().to_string()[..10]);
        let new = json!({"name": "Site", "slug": slug, "source": {"hosted": {}}});
        let (status, made) = app.post("/api/v1/sites", Some(&token), &new).await;
        assert_eq!(status, 201, "{made}");
        let site = made["id"].as_str().unwrap().to_owned();
        let pool = app.pool();
        let first = Caught { at_work: String::new(), id: String::new(), word: "first".into() };
        Self { app, pool, site, first, engine, token, slug }
    }

    /// Where the site's repository lies.
    pub fn repository(&self) -> PathBuf {
        self.app.data().join("repositories").join(format!("{}.git", self.site))
    }

    /// Makes a commit with these files.
    pub async fn commit(&self, files: &[(&'static str, String)]) {
        let files: BTreeMap<String, FileChange> = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), FileChange::Write(text.clone().into_bytes())))
            .collect();
        let main = BranchName::parse("main").unwrap();
        commit_files(&self.repository(), &main, &files, "Change", &Author::platform()).await.unwrap();
    }

    /// Asks for a deployment.
    pub async fn deploy(&self) -> String {
        let path = format!("/api/v1/sites/{}/deployments", self.site);
        let (status, made) = json(self.app.send(Method::POST, &path, Some(&self.token), Some(&json!({}))).await).await;
        assert_eq!(status, 202, "{made}");
        made["id"].as_str().unwrap().to_owned()
    }

    /// Deploys, and returns in the moment in which the deployment enters the state, which goes on for two seconds where
    /// the repository can make it.
    pub async fn catch(&self, state: State, word: &str) -> Caught {
        if state == State::Queued {
            let mut listener = self.listener().await;
            // It waits for another one.
            self.commit(&State::Building.files(&format!("{word}-before"), 2)).await;
            let before = self.deploy().await;
            self.reached(&mut listener, &before, State::Building).await;
            self.commit(&state.files(word, 2)).await;
            let id = self.deploy().await;
            self.reached(&mut listener, &id, state).await;
            return Caught { id, at_work: before, word: word.to_owned() };
        }
        self.commit(&state.files(word, 2)).await;
        self.deploy_and_catch(state, word).await
    }

    /// As [`Stand::catch`], and the state goes on for longer than anybody waits.
    pub async fn hold(&self, state: State, word: &str) -> Caught {
        self.commit(&state.files(word, 600)).await;
        self.deploy_and_catch(state, word).await
    }

    async fn listener(&self) -> PgListener {
        let mut listener = PgListener::connect_with(&self.pool).await.unwrap();
        listener.listen(store::events::EVENTS).await.unwrap();
        listener
    }

    /// Deploys what was committed, and returns in the moment in which the deployment enters the state.
    pub async fn deploy_and_catch(&self, state: State, word: &str) -> Caught {
        let mut listener = self.listener().await;
        let id = self.deploy().await;
        self.reached(&mut listener, &id, state).await;
        Caught { at_work: id.clone(), id, word: word.to_owned() }
    }

    async fn reached(&self, listener: &mut PgListener, id: &str, state: State) {
        let mut conn = self.pool.acquire().await.unwrap();
        loop {
            let number = listener.recv().await.unwrap().payload().parse().unwrap();
            let row = store::events::by_id(&mut conn, number).await.unwrap().unwrap();
            let Event::Deployment { id: which, status, .. } = row.event else { continue };
            if which.to_string() != id {
                continue;
            }
            if state.is_reached_by(status) {
                return;
            }
            if status.is_final() {
                let why =
                    "select concat_ws(' ', error_code, error_step, error_message) from deployments where id = $1::uuid";
                let why: String = sqlx::query_scalar(why).bind(id).fetch_one(&self.pool).await.unwrap();
                panic!("it is {status} before it was {state:?}: {why}");
            }
        }
    }

    /// Asks for a deployment's end.
    pub async fn cancel(&self, caught: &Caught) {
        let path = format!("/api/v1/deployments/{}/cancel", caught.id);
        let (status, answer) = self.app.post(&path, Some(&self.token), &json!({})).await;
        assert_eq!(status, 202, "{answer}");
    }

    /// Where a deployment stands, and how often it was taken up.
    pub async fn status(&self, id: &str) -> (String, i32) {
        let asked = sqlx::query_as("select status, attempt from deployments where id = $1::uuid").bind(id);
        asked.fetch_one(&self.pool).await.unwrap()
    }

    /// The lines of a deployment's log, with their times.
    pub async fn log(&self, id: &str) -> Vec<(OffsetDateTime, String)> {
        let (_, log) = self.app.get(&format!("/api/v1/deployments/{id}/log"), Some(&self.token)).await;
        let lines = log["items"].as_array().unwrap().iter();
        lines.map(|line| (moment(&line["at"]), line["text"].as_str().unwrap().to_owned())).collect()
    }

    /// The last row of the outbox.
    pub async fn last_event(&self) -> i64 {
        store::events::last_id(&mut self.pool.acquire().await.unwrap()).await.unwrap()
    }

    /// Waits until something happened to the deployment after this row of the outbox, or it is live.
    pub async fn until_it_goes_on(&self, caught: &Caught, last_event: i64) {
        until("the deployment goes on", async || {
            let moved: bool = sqlx::query_scalar(
                "select exists (select 1 from events where id > $1 and payload ->> 'id' = $2) \
                     or exists (select 1 from deployments where id = $2::uuid and status = 'live')",
            )
            .bind(last_event)
            .bind(&caught.id)
            .fetch_one(&self.pool)
            .await
            .ok()?;
            moved.then_some(())
        })
        .await;
    }

    /// Waits until the deployment is live and nothing is left of what led there.
    ///
    /// # Panics
    /// With what is wrong.
    pub async fn until_sound(&self, caught: &Caught) {
        let mut wrong = String::new();
        let sound = until_or(async || {
            wrong = self.wrong(caught).await?;
            wrong.is_empty().then_some(())
        });
        if sound.await.is_none() {
            let shown = self.app.get(&format!("/api/v1/deployments/{}", caught.id), Some(&self.token)).await.1;
            let lines: Vec<String> = self.log(&caught.id).await.into_iter().map(|(_, text)| text).collect();
            panic!("{wrong}\n{shown:#}\n{}", lines.join("\n"));
        }
    }

    /// What is not as it should be; `None` where it cannot be looked at just now.
    async fn wrong(&self, caught: &Caught) -> Option<String> {
        let mut wrong = vec![];
        let mut check = |what: &str, is: String, should: &str| {
            if is != should {
                wrong.push(format!("{what}: {is} instead of {should}"));
            }
        };
        let one = async |sql: &'static str| {
            sqlx::query_scalar::<_, String>(sql).bind(&caught.id).bind(&self.site).fetch_one(&self.pool).await.ok()
        };
        let status = one("select status from deployments where id = $1::uuid and $2 <> ''").await?;
        check("the deployment", status, "live");
        let open = one("select count(*)::text from deployments where site_id = $2::uuid and $1 <> '' \
             and status not in ('live', 'superseded', 'failed', 'cancelled')");
        check("deployments that are open", open.await?, "0");
        let steps = one("select count(*)::text from deployment_steps s join deployments d on d.id = s.deployment_id \
             where d.site_id = $2::uuid and $1 <> '' and d.status = 'live' and s.status = 'running'");
        check("steps that have no end", steps.await?, "0");
        let releases = one("select string_agg((r.id = e.current_release)::text, ' ') from releases r \
             join environments e on e.id = r.environment_id where r.deployment_id = $1::uuid and $2 <> ''");
        check("releases of the deployment that are current", releases.await.unwrap_or_default(), "true");
        let kept = one("select count(*)::text from releases r join environments e on e.id = r.environment_id \
             where e.site_id = $2::uuid and $1 <> ''");
        let filter = format!("label=webmeteor.site={}", self.site);
        let list = |arguments: &[&str]| self.docker(&[arguments, &["--filter", &filter]].concat());
        let containers =
            list(&["ps", "--all", "--format", "{{.State}} {{.Label \"webmeteor.deployment\"}} {{.Names}}"]);
        let team = self.docker(&["network", "ls", "--format", "{{.Name}}", "--filter", &filter]).join(" ");
        let name = format!("{}-www", team.trim_end_matches("-network"));
        check("containers", containers.join(", "), &format!("running {} {name}", caught.id));
        check("images", list(&["images", "--quiet"]).len().to_string(), &kept.await?);
        let checkouts = std::fs::read_dir(self.app.data().join("builds")).map_or(0, Iterator::count);
        check("checkouts", checkouts.to_string(), "0");
        check("the page", self.page().await.unwrap_or_else(|why| why), &caught.word);
        if self.engine.is_some() {
            let all = self.docker(&["ps", "--all", "--format", "{{.Names}}"]);
            check("containers on the engine, with the proxy's", all.len().to_string(), "2");
        }
        Some(wrong.join("; "))
    }

    /// What the site answers.
    pub async fn page(&self) -> Result<String, String> {
        fetch(&self.app.client, &self.app.proxy(), &self.slug).await
    }

    /// The lines that `docker` answers on the site's engine.
    pub fn docker(&self, arguments: &[&str]) -> Vec<String> {
        let mut command = Command::new("docker");
        if let Some(engine) = &self.engine {
            command.env("DOCKER_HOST", engine);
        }
        let out = command.args(arguments).output().unwrap();
        String::from_utf8_lossy(&out.stdout).lines().map(str::to_owned).collect()
    }

    /// Visitors on kept and on fresh connections, until [`Visitors::leave`].
    pub fn visitors(&self) -> Visitors {
        let visitors = Visitors::default();
        for keeps in [true, false] {
            let (proxy, slug, visitors) = (self.app.proxy(), self.slug.clone(), visitors.clone());
            let client = Client::builder().pool_max_idle_per_host(usize::from(keeps)).build().unwrap();
            tokio::spawn(async move {
                while !visitors.stop.load(Ordering::Relaxed) {
                    if let Err(why) = fetch(&client, &proxy, &slug).await {
                        visitors.failed.lock().unwrap().push(why);
                    } else {
                        visitors.served.fetch_add(1, Ordering::Relaxed);
                    }
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            });
        }
        visitors
    }
}

/// As [`until`], but tells by `None` that it was in vain.
async fn until_or<T>(mut found: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    // A busy machine builds slowly.
    let deadline = Instant::now() + 4 * PATIENCE;
    while std::time::Instant::now() < deadline {
        if let Some(value) = found().await {
            return Some(value);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    None
}

async fn fetch(client: &Client, proxy: &str, slug: &str) -> Result<String, String> {
    let answer = client.get(proxy).header("host", format!("{slug}.localhost")).send().await;
    let answer = answer.map_err(|error| format!("{error:?}"))?;
    let status = answer.status();
    let text = answer.text().await.map_err(|error| format!("{error:?}"))?;
    if status.is_success() { Ok(text) } else { Err(format!("{status}: {text}")) }
}

/// They come one after another.
#[derive(Clone, Default)]
pub struct Visitors {
    stop: Arc<AtomicBool>,
    served: Arc<AtomicUsize>,
    failed: Arc<Mutex<Vec<String>>>,
}

impl Visitors {
    /// What went wrong for them so far.
    pub fn complaints(&self) -> Vec<String> {
        self.failed.lock().unwrap().clone()
    }

    /// Ends their visits; how many were answered.
    pub fn leave(&self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        self.served.load(Ordering::Relaxed)
    }
}

//! The real program with a data folder, ports and a database of its own; gone, with all it made in Docker, at the end.

use reqwest::{Client, Method, Response};
use serde_json::Value;
use sqlx::{Connection, PgConnection, PgPool, postgres::PgConnectOptions};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    net::{Ipv4Addr, TcpListener},
    os::unix::{fs::PermissionsExt, process::ExitStatusExt},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{
        LazyLock,
        atomic::{AtomicU16, Ordering},
    },
    time::{Duration, Instant},
};
use tempfile::TempDir;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::{
    net::{UnixListener, UnixStream},
    task::JoinSet,
};

/// Longer than anything here takes; reached only by a failing test.
pub const PATIENCE: Duration = Duration::from_mins(2);
/// Between two looks at something that has no event of its own.
pub const LOOK_AGAIN: Duration = Duration::from_millis(25);

/// Waits until `found` answers something.
///
/// # Panics
/// If that takes longer than [`PATIENCE`].
pub async fn until<T>(what: &str, mut found: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = found().await {
            return value;
        }
        assert!(Instant::now() < deadline, "in vain waited for: {what}");
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// What took longer than its limit is forgiven only as far as this machine is slow just now: a container that does
/// nothing takes as much longer than it does on one that has nothing else to do.
///
/// # Panics
/// If it took longer than that.
pub fn assert_within(limit: Duration, took: Duration, what: &str) {
    const USUAL: Duration = Duration::from_millis(800);
    if took < limit {
        return;
    }
    let begun = Instant::now();
    let run = ["run", "--rm", "--label", "webmeteor.test", "--network", "none", "debian:bookworm-slim", "true"];
    assert!(Command::new("docker").args(run).status().unwrap().success());
    let unit = begun.elapsed();
    let forgiven = limit.mul_f64((unit.as_secs_f64() / USUAL.as_secs_f64()).max(1.0));
    assert!(took < forgiven, "{what}: {took:.1?}; an idle container takes {unit:.1?} here");
}

/// A port that nobody listens on just now, given out once in this process. It is below those that the kernel gives to
/// connections, so no other test's client takes it before it is used.
pub fn free_port() -> u16 {
    static NEXT: LazyLock<AtomicU16> = LazyLock::new(|| {
        let [.., one, two] = uuid::Uuid::new_v4().into_bytes();
        AtomicU16::new(u16::from_be_bytes([one, two]))
    });
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    let next = || 18_000 + NEXT.fetch_add(1, Ordering::Relaxed) % 14_000;
    std::iter::repeat_with(next).take(14_000).find(is_free).expect("one of so many ports is free")
}

/// An HTTP client that keeps cookies like a browser and follows no redirects.
pub fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().cookie_store(true).redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// An empty database on the test server, dropped with the server.
pub async fn new_database() -> String {
    let admin = std::env::var("DATABASE_URL").expect("DATABASE_URL is set: run the tests by scripts/in-test-db");
    let name = format!("it_{}", uuid::Uuid::now_v7().simple());
    let mut conn = PgConnection::connect(&admin).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(format!("create database {name}"))).execute(&mut conn).await.unwrap();
    let (server, _) = admin.rsplit_once('/').unwrap();
    format!("{server}/{name}")
}

/// How the program is started.
pub struct Setup {
    env: BTreeMap<String, String>,
    arguments: Vec<String>,
    data: TempDir,
    /// Whoever made its engine clears that.
    has_own_engine: bool,
}

impl Setup {
    /// A data folder and ports of its own, and nothing else: the database is managed.
    pub fn bare() -> Self {
        let data = tempfile::Builder::new().prefix("webmeteor-it-").tempdir().unwrap();
        // PostgreSQL's own user passes through.
        fs::set_permissions(data.path(), fs::Permissions::from_mode(0o711)).unwrap();
        let port = free_port();
        let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../templates");
        let mut setup = Self { env: BTreeMap::new(), arguments: vec!["serve".into()], data, has_own_engine: false };
        let folder = setup.data.path().join("data");
        for (name, value) in [
            ("DATA_DIR", folder.display().to_string()),
            ("LISTEN", format!("127.0.0.1:{port}")),
            ("PUBLIC_URL", format!("http://127.0.0.1:{port}")),
            ("PROXY_HTTP_PORT", free_port().to_string()),
            ("PROXY_HTTPS_PORT", free_port().to_string()),
            ("PROXY_API_PORT", free_port().to_string()),
            ("SUBNET_POOL", subnet_pool()),
            ("EXTRA_LABELS", "webmeteor.test=it".to_owned()),
            ("TEMPLATES_DIR", templates.display().to_string()),
            ("SITE_ROOT", setup.data.path().join("site").display().to_string()),
            ("ALLOW_PRIVATE_REPOSITORIES", "true".to_owned()),
            ("DRAIN_SECONDS", "1".to_owned()),
            ("SIGNUP", "open".to_owned()),
            ("LOG", "info,platform=debug,server=debug".to_owned()),
        ] {
            setup = setup.set(name, value);
        }
        setup
    }

    /// With a database of its own on the test server.
    pub async fn new() -> Self {
        let url = new_database().await;
        Self::bare().set("DATABASE_URL", url)
    }

    /// Without Docker, which makes it start and stop in no time.
    pub fn without_docker(mut self) -> Self {
        let dead = self.data.path().join("no-docker.sock");
        self.env.insert("DOCKER_HOST".into(), format!("unix://{}", dead.display()));
        self.has_own_engine = true;
        self
    }

    /// On an engine of its own, which whoever made it clears.
    pub fn on_engine(mut self, host: &str) -> Self {
        self.env.insert("DOCKER_HOST".into(), host.into());
        self.has_own_engine = true;
        self
    }

    /// On the machine's engine, by this way.
    pub fn by_way_of(mut self, wire: &Wire) -> Self {
        self.env.insert("DOCKER_HOST".into(), format!("unix://{}", wire.socket.display()));
        self
    }

    /// Another part of the same platform: the same data folder, database, proxy.
    pub fn beside(&self, arguments: &[&str]) -> Self {
        let mut part = Self::bare();
        let listen = part.get("LISTEN").to_owned();
        part.env = self.env.clone();
        part.set("LISTEN", listen).arguments(arguments)
    }

    /// Sets `WEBMETEOR_{name}`.
    #[must_use]
    pub fn set(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.insert(format!("WEBMETEOR_{name}"), value.into());
        self
    }

    /// Other arguments than `serve`.
    #[must_use]
    pub fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments = arguments.iter().map(|a| (*a).to_owned()).collect();
        self
    }

    /// The value of `WEBMETEOR_{name}`.
    pub fn get(&self, name: &str) -> &str {
        &self.env[&format!("WEBMETEOR_{name}")]
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_webmeteor"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("WEBMETEOR_")) {
            command.env_remove(name);
        }
        command.args(&self.arguments).envs(&self.env).current_dir(self.data.path()).stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    pub fn output(&self) -> Output {
        self.command().output().unwrap()
    }

    /// Starts the program and waits until `/health` answers.
    pub async fn start(self) -> App {
        let app = self.spawn();
        app.until_healthy().await;
        app
    }

    /// Starts the program without waiting for anything.
    pub fn spawn(self) -> App {
        let url = self.get("PUBLIC_URL").to_owned();
        let log = self.data.path().join("log");
        let mut app = App { setup: self, url, client: client(), log, child: None };
        app.launch();
        app
    }
}

/// Sixteen pools of subnets by chance, so that test runs beside each other seldom meet.
fn subnet_pool() -> String {
    let [one, two, ..] = uuid::Uuid::new_v4().into_bytes();
    format!("10.{}.{}.0/20", 200 + one % 56, (two % 16) * 16)
}

/// A way to the machine's engine that can be cut, with all that is said over it.
pub struct Wire {
    socket: PathBuf,
    open: JoinSet<()>,
    _folder: TempDir,
}

impl Wire {
    /// One that is whole.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut wire = Self { socket: folder.path().join("docker.sock"), open: JoinSet::new(), _folder: folder };
        wire.mend();
        wire
    }

    /// Nobody answers there any more.
    pub async fn cut(&mut self) {
        self.open.shutdown().await;
        fs::remove_file(&self.socket).unwrap();
    }

    /// The engine answers there.
    pub fn mend(&mut self) {
        let listener = UnixListener::bind(&self.socket).unwrap();
        self.open.spawn(async move {
            let mut calls = JoinSet::new();
            while let Ok((mut near, _)) = listener.accept().await {
                calls.spawn(async move {
                    let mut far = UnixStream::connect("/var/run/docker.sock").await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                });
            }
        });
    }
}

/// The running program.
pub struct App {
    /// How it was started.
    pub setup: Setup,
    /// The dashboard's address.
    pub url: String,
    /// Keeps cookies.
    pub client: Client,
    log: PathBuf,
    child: Option<Child>,
}

impl App {
    /// With a database of its own and the real Docker.
    pub async fn start() -> Self {
        Setup::new().await.start().await
    }

    /// With a database of its own and without Docker.
    pub async fn start_without_docker() -> Self {
        Setup::new().await.without_docker().start().await
    }

    /// Its data folder.
    pub fn data(&self) -> PathBuf {
        PathBuf::from(self.setup.get("DATA_DIR"))
    }

    /// Where sites answer: send `Host: {slug}.localhost`.
    pub fn proxy(&self) -> String {
        format!("http://127.0.0.1:{}", self.setup.get("PROXY_HTTP_PORT"))
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    /// What it said so far.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// A pool of connections to its database, given or managed.
    pub fn pool(&self) -> PgPool {
        match self.setup.env.get("WEBMETEOR_DATABASE_URL") {
            Some(url) => PgPool::connect_lazy(url).unwrap(),
            None => PgPool::connect_lazy_with(
                PgConnectOptions::new_without_pgpass()
                    .socket(self.data().join("postgres/socket"))
                    .username("webmeteor")
                    .database("webmeteor"),
            ),
        }
    }

    /// Starts it (again).
    pub fn launch(&mut self) {
        assert!(self.child.is_none(), "it runs already");
        let log = File::options().create(true).append(true).open(&self.log).unwrap();
        let errors = log.try_clone().unwrap();
        self.child = Some(self.setup.command().stdout(log).stderr(errors).spawn().unwrap());
    }

    /// Starts it again and waits until `/health` answers.
    pub async fn restart(&mut self) {
        self.launch();
        self.until_healthy().await;
    }

    /// Kills it and starts it again with another value of `WEBMETEOR_{name}`.
    pub async fn restart_with(&mut self, name: &str, value: &str) {
        self.kill();
        self.setup.env.insert(format!("WEBMETEOR_{name}"), value.to_owned());
        self.restart().await;
    }

    /// What `kill -9` does.
    pub fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(9));
    }

    /// What Ctrl-C does; waits for its end.
    pub async fn stop(&mut self) -> ExitStatus {
        self.signal("INT");
        self.ended().await
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        let done = Command::new("kill").args(["-s", name, "--", &self.pid().to_string()]).status().unwrap();
        assert!(done.success());
    }

    /// Waits until it has ended.
    pub async fn ended(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("it runs");
        until("the program's end", async || child.try_wait().unwrap()).await
    }

    /// Waits until `/health` answers 200.
    pub async fn until_healthy(&self) {
        self.until_ok("/health").await;
    }

    /// Waits until `/ready` answers 200: database, Docker and proxy are there.
    pub async fn until_ready(&self) {
        self.until_ok("/ready").await;
    }

    async fn until_ok(&self, path: &str) {
        let url = format!("{}{path}", self.url);
        until(path, async || {
            let alive = fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap_or_default();
            assert!(!alive.is_empty() && !alive.contains(") Z "), "it ended:\n{}", self.log());
            let answer = self.client.get(&url).send().await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
    }

    /// Sends a request to a path of the dashboard or the API.
    pub async fn send(&self, method: Method, path: &str, token: Option<&str>, body: Option<&Value>) -> Response {
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        request.send().await.unwrap()
    }

    /// Status and JSON of a GET.
    pub async fn get(&self, path: &str, token: Option<&str>) -> (u16, Value) {
        json(self.send(Method::GET, path, token, None).await).await
    }

    /// Status and JSON of a POST.
    pub async fn post(&self, path: &str, token: Option<&str>, body: &Value) -> (u16, Value) {
        json(self.send(Method::POST, path, token, Some(body)).await).await
    }

    /// A new account; its access token and its team's id.
    pub async fn register(&self, email: &str) -> (String, String) {
        let body = serde_json::json!({"email": email, "password": "tide lamp orbit 7", "name": "Test"});
        let (status, answer) = self.post("/api/v1/auth/register", None, &body).await;
        assert_eq!(status, 201, "{answer}");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&answer["access_token"]), text(&answer["team"]["id"]))
    }
}

/// A time as the API writes it.
pub fn moment(value: &Value) -> OffsetDateTime {
    OffsetDateTime::parse(value.as_str().unwrap(), &Rfc3339).unwrap()
}

/// Status and body; a body that is no JSON becomes a string.
pub async fn json(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

impl Drop for App {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            eprintln!("--- what the program said ---\n{}", self.log());
        }
        stop_managed_postgres(&self.data());
        let Ok(instance) = fs::read_to_string(self.data().join("instance")) else { return };
        let mark = format!("webmeteor-{}", instance.trim());
        if !self.setup.has_own_engine {
            remove_from_docker(&format!("label=webmeteor.instance={}", instance.trim()));
            remove_control_groups(&mark);
        }
        remove_rules(&mark);
    }
}

/// The kernel keeps those that are in use; none is, once the containers are gone.
fn remove_control_groups(name: &str) {
    let below = |folder: &Path| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect::<Vec<_>>()
    };
    let root = Path::new("/sys/fs/cgroup");
    for outer in below(root).iter().map(|hierarchy| hierarchy.join(name)).chain([root.join(name)]) {
        for folder in below(&outer).iter().chain([&outer]) {
            let _ = fs::remove_dir(folder);
        }
    }
}

/// Removes the rule that keeps an installation's sites apart, each time it is there.
fn remove_rules(mark: &str) {
    let iptables =
        |arguments: &[&str]| Command::new("iptables").args(["-t", "mangle", "-w", "5"]).args(arguments).output();
    let Ok(rules) = iptables(&["-S", "FORWARD"]) else { return };
    let rules = String::from_utf8_lossy(&rules.stdout).into_owned();
    for rule in rules.lines().filter(|line| line.split_whitespace().any(|word| word.trim_matches('"') == mark)) {
        let words: Vec<&str> = rule.split_whitespace().skip(1).map(|word| word.trim_matches('"')).collect();
        let _ = iptables(&[&["-D"], &words[..]].concat());
    }
}

/// A managed server outlives a program that was killed, but not its test.
fn stop_managed_postgres(data: &Path) {
    let pid_file = data.join("postgres/cluster/postmaster.pid");
    let Some(pid) = fs::read_to_string(&pid_file).ok().and_then(|text| text.lines().next().map(str::to_owned)) else {
        return;
    };
    let _ = Command::new("kill").args(["-s", "QUIT", "--", &pid]).status();
    let deadline = Instant::now() + PATIENCE;
    while pid_file.exists() && Path::new(&format!("/proc/{pid}")).exists() && Instant::now() < deadline {
        std::thread::sleep(LOOK_AGAIN);
    }
}

/// Removes everything with this label: containers first, for the rest hangs on them.
fn remove_from_docker(filter: &str) {
    for (list, remove) in [
        (&["ps", "--all", "--quiet"][..], &["rm", "--force", "--volumes"][..]),
        (&["network", "ls", "--quiet"], &["network", "rm"]),
        (&["volume", "ls", "--quiet"], &["volume", "rm", "--force"]),
        (&["images", "--all", "--quiet"], &["rmi", "--force"]),
    ] {
        let Ok(found) = Command::new("docker").args(list).args(["--filter", filter]).output() else { return };
        let mut ids: Vec<String> = String::from_utf8_lossy(&found.stdout).lines().map(str::to_owned).collect();
        ids.dedup();
        if !ids.is_empty() {
            let _ = Command::new("docker").args(remove).args(&ids).output();
        }
    }
}

//! `webmeteor serve`: everything started in order, and stopped in the opposite one.

use crate::{
    background, config,
    config::Config,
    demo,
    ground::{self, Ground},
    health, listener,
    lock::Share,
    metrics, ports, routes, signals,
    state::AppState,
};
use anyhow::{Context, anyhow, bail};
use clap::ValueEnum;
use platform::{accounts, repositories};
use socketioxide::SocketIo;
use std::{io::ErrorKind, net::SocketAddr, time::Duration};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// How long requests that are under way may take at the end.
const DRAIN: Duration = Duration::from_secs(10);

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Dashboard, API, webhooks, sockets.
    Web,
    /// Deployments, reconciling, the proxy.
    Worker,
}

/// How to serve.
#[derive(Debug, Clone)]
pub struct Options {
    /// What this process does.
    pub roles: Vec<Role>,
    /// Make the demo account and its site.
    pub demo: bool,
}

impl Options {
    pub(crate) fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// No other process has a part in the same data folder.
    pub(crate) fn is_whole(&self) -> bool {
        self.has(Role::Web) && self.has(Role::Worker)
    }
}

/// Serves until it is told to stop.
///
/// # Errors
/// Whatever kept it from starting, with the remedy; nothing half done is left behind.
pub async fn run(config: Config, options: Options) -> anyhow::Result<()> {
    let whole = options.is_whole();
    if !whole && config.database_url.is_none() {
        bail!("processes with a part of the roles share a database; set WEBMETEOR_DATABASE_URL, or leave --roles out");
    }
    if let Some(overlap) = config::overlap_with_host(config.subnets).filter(|_| options.has(Role::Worker)) {
        return Err(overlap.into());
    }
    let stop = signals::stop_requested()?;
    let lock = ground::claim(&config, if whole { Share::Alone } else { Share::WithParts })?;
    let listener = if options.has(Role::Web) { Some(listen(config.listen).await?) } else { None };
    if options.has(Role::Worker) {
        ports::check(&config).await?;
    }
    let ground = tokio::select! {
        ground = Ground::with_lock(&config, lock) => ground?,
        () = stop.cancelled() => return Ok(()),
    };
    tell_of_git(&config).await;
    let platform = ground.platform(&config)?;
    let state = AppState::new(config, platform, metrics::start()?, stop);
    let result = serve(&state, &options, listener).await;
    state.stopping.cancel();
    let _ = tokio::time::timeout(DRAIN, state.platform.pool.close()).await;
    ground.leave().await;
    tracing::info!("stopped");
    result
}

/// What a Git that is missing or too old leads to is told now, not by the first deployment that fails.
async fn tell_of_git(config: &Config) {
    match forge::git::version().await {
        Ok(version) => {
            if let Some(remedy) = version.remedy().filter(|_| !config.allow_private_repositories) {
                tracing::warn!("{remedy}");
            }
        }
        Err(error) => tracing::warn!("{error}"),
    }
}

async fn serve(state: &AppState, options: &Options, listener: Option<TcpListener>) -> anyhow::Result<()> {
    // Read before anybody can connect, so that nobody misses what happens after.
    let last_event = store::events::last_id(&mut *state.platform.pool.acquire().await?).await?;
    let mut web = match listener {
        Some(listener) => {
            // Before the first push: it would be refused.
            repositories::unlock_all(&state.platform, options.is_whole()).await;
            Some(Web::start(state, listener)?)
        }
        None => None,
    };
    let tasks = background::start(state, last_event, options);
    announce(state, options).await;
    let failed = if let Some(web) = &mut web {
        web.until_stop(&state.stopping).await
    } else {
        state.stopping.cancelled().await;
        Ok(())
    };
    state.stopping.cancel();
    tracing::info!("stopping");
    if let Some(web) = web {
        web.drain().await;
    }
    state.pushes.close();
    let rest = async { tokio::join!(tasks.wait(), state.pushes.wait()) };
    if tokio::time::timeout(DRAIN, rest).await.is_err() {
        tracing::warn!("some work did not end in time; it is taken up again at the next start");
    }
    failed
}

/// The listening side.
struct Web {
    server: JoinHandle<()>,
    sockets: SocketIo,
}

impl Web {
    fn start(state: &AppState, listener: TcpListener) -> anyhow::Result<Self> {
        let (router, sockets) = routes::all(state)?;
        let stopping = state.stopping.clone();
        let server = tokio::spawn(listener::serve(listener, router, state.config.trusted_proxies.clone(), stopping));
        tracing::info!(listen = %state.config.listen, url = state.config.public_url, "the dashboard is up");
        Ok(Self { server, sockets })
    }

    async fn until_stop(&mut self, stop: &CancellationToken) -> anyhow::Result<()> {
        tokio::select! {
            () = stop.cancelled() => Ok(()),
            ended = &mut self.server => ended.context("the web side ended"),
        }
    }

    /// Closes the sockets (clients take it as a lost connection and come back on their own), and lets requests end.
    async fn drain(mut self) {
        self.sockets.close().await;
        if !self.server.is_finished() && tokio::time::timeout(DRAIN, &mut self.server).await.is_err() {
            tracing::warn!("some requests did not end in time and are cut off");
            self.server.abort();
        }
    }
}

/// What people need to know right after the start.
async fn announce(state: &AppState, options: &Options) {
    if options.demo {
        match demo::prepare(&state.platform).await {
            Ok(demo) => demo.print(&state.config, &health::wait(&state.platform).await),
            Err(error) => tracing::error!(error = format!("{error:#}"), "the demo could not be made"),
        }
    } else if options.has(Role::Web) {
        match accounts::ensure_setup_token(&state.platform).await {
            Ok(Some(token)) => print_setup_token(&state.config, &token),
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "the set-up token could not be made"),
        }
    }
}

#[expect(clippy::print_stdout, reason = "a token belongs to the person who started this, not into the log")]
fn print_setup_token(config: &Config, token: &str) {
    println!(
        "\nThis WebMeteor has no administrator yet. Make its account at {}/sign-up with this set-up token:\n\n    \
         {token}\n",
        config.public_url
    );
}

async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let remedy = match error.kind() {
            ErrorKind::AddrInUse => "another program listens there; stop it, or set WEBMETEOR_LISTEN to a free port",
            ErrorKind::AddrNotAvailable => {
                "this machine has no such address; set WEBMETEOR_LISTEN to one of its own, such as 127.0.0.1:3000"
            }
            ErrorKind::PermissionDenied => "ports below 1024 need root; set WEBMETEOR_LISTEN to a higher one",
            _ => "set WEBMETEOR_LISTEN to another address",
        };
        anyhow!("cannot listen on {address} (WEBMETEOR_LISTEN): {error}; {remedy}")
    })
}

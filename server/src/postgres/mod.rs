//! PostgreSQL of our own: found, made, started, watched and stopped. See `docs/adr/0002-managed-postgresql.md`.

mod cluster;
mod place;
mod process;
mod programs;

use crate::config::Config;
use place::Place;
use process::Process;
use programs::Programs;
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use std::{io, path::PathBuf, time::Duration};
use tokio::{task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;

/// How long a start may take, crash recovery included.
const START_LIMIT: Duration = Duration::from_mins(2);
/// Between two looks at a server that does not answer yet.
const LOOK_AGAIN: Duration = Duration::from_millis(30);

/// Why there is no managed PostgreSQL.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No programs.
    #[error(
        "no PostgreSQL {wanted} was found ({looked}); install it (Debian: apt install postgresql), name its folder \
         in WEBMETEOR_POSTGRES_BIN, or set WEBMETEOR_DATABASE_URL to a server that runs elsewhere"
    )]
    NoPrograms {
        /// `15 or newer`, or the version that made the data.
        wanted: String,
        /// Where it was looked for.
        looked: String,
    },
    /// PostgreSQL refuses to run as root, and there is nobody else.
    #[error(
        "PostgreSQL does not run as root and there is no user `postgres`; make one (useradd --system postgres), \
         run WebMeteor as another user, or set WEBMETEOR_DATABASE_URL"
    )]
    NoUser,
    /// The database's folder cannot be reached by its user.
    #[error("the user `postgres` cannot reach {}; allow others to pass (chmod o+x) its parent folders", .0.display())]
    Unreachable(PathBuf),
    /// A folder is there that somebody else made.
    #[error("{} belongs to somebody else; remove it", .0.display())]
    Foreign(PathBuf),
    /// A program failed.
    #[error("{program} failed: {output}")]
    Failed {
        /// Which.
        program: &'static str,
        /// The last lines of what it said.
        output: String,
    },
    /// It was started and does not answer.
    #[error("PostgreSQL does not start ({reason}); its last words in {}:\n{tail}", log.display())]
    NotStarting {
        /// What was seen.
        reason: String,
        /// Its log.
        log: PathBuf,
        /// The log's end.
        tail: String,
    },
    /// The file system refused.
    #[error("{}: {source}; check the folder's owner, mode and free space", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

pub(crate) fn io_error(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Error {
    let path = path.into();
    move |source| Error::Io { path, source }
}

/// How to reach the managed server that another process of ours keeps.
///
/// # Errors
/// If its place cannot be found.
pub fn options(config: &Config, instance: &str) -> Result<PgConnectOptions, Error> {
    Ok(Place::find(&config.data_dir, instance)?.options(place::DATABASE))
}

/// The programs that would be started, in words; nothing is touched.
///
/// # Errors
/// [`Error::NoPrograms`] or [`Error::NoUser`], with the remedy.
pub fn programs(config: &Config) -> Result<String, Error> {
    let instance = std::fs::read_to_string(config.data_dir.join("instance")).unwrap_or_default();
    let place = Place::find(&config.data_dir, instance.trim())?;
    let found = Programs::find(config.postgres_bin.as_deref(), place.version())?;
    Ok(format!("PostgreSQL {} ({})", found.version, found.postgres.display()))
}

/// The managed server; it is watched, and started again when it dies, until [`Server::stop`].
pub struct Server {
    place: Place,
    stop: CancellationToken,
    watch: JoinHandle<()>,
}

impl Server {
    /// Makes the database where there is none; adopts a server that an earlier process left running, or starts one;
    /// answers once it does.
    ///
    /// # Errors
    /// [`Error`], each with its remedy.
    pub async fn start(config: &Config, instance: &str) -> Result<Self, Error> {
        let place = Place::find(&config.data_dir, instance)?;
        place.prepare()?;
        let programs = Programs::find(config.postgres_bin.as_deref(), place.version())?;
        cluster::ensure(&place, &programs).await?;
        let process = bring_up(&place, &programs).await?;
        ensure_database(&place).await?;
        let stop = CancellationToken::new();
        let watch = tokio::spawn(watch(process, place.clone(), programs, stop.clone()));
        Ok(Self { place, stop, watch })
    }

    /// How to reach it.
    pub fn options(&self) -> PgConnectOptions {
        self.place.options(place::DATABASE)
    }

    /// Stops it: transactions that are under way are rolled back, everything committed is on disk.
    pub async fn stop(self) {
        self.stop.cancel();
        if self.watch.await.is_err() {
            tracing::error!("the managed PostgreSQL could not be stopped");
        }
    }
}

/// Adopts a server that runs or starts one, and waits until it answers.
async fn bring_up(place: &Place, programs: &Programs) -> Result<Process, Error> {
    if let Some(mut process) = Process::running(place) {
        if wait_ready(&mut process, place).await.is_ok() {
            tracing::info!(pid = process.pid(), "took over the PostgreSQL that was left running");
            return Ok(process);
        }
        // It was on its way out: what comes next needs its place.
        process.stop().await;
    }
    let mut process = Process::spawn(place, programs)?;
    wait_ready(&mut process, place).await?;
    tracing::info!(pid = process.pid(), version = programs.version, folder = %place.folder.display(), "PostgreSQL runs");
    Ok(process)
}

async fn wait_ready(process: &mut Process, place: &Place) -> Result<(), Error> {
    let deadline = Instant::now() + START_LIMIT;
    let mut tell = Instant::now() + Duration::from_secs(5);
    loop {
        let problem = match PgConnection::connect_with(&place.options(place::MAINTENANCE)).await {
            Ok(conn) => {
                let _ = conn.close().await;
                return Ok(());
            }
            Err(problem) => problem,
        };
        if process.has_ended() {
            return Err(place.not_starting("it ended by itself".into()));
        }
        if Instant::now() > deadline {
            return Err(place.not_starting(format!("no answer in {} s: {problem}", START_LIMIT.as_secs())));
        }
        if Instant::now() > tell {
            tracing::info!("waiting for PostgreSQL, which may be recovering from a crash: {problem}");
            tell += Duration::from_secs(10);
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

async fn ensure_database(place: &Place) -> Result<(), Error> {
    let failed = |e: sqlx::Error| place.not_starting(format!("the database could not be made: {e}"));
    let mut conn = PgConnection::connect_with(&place.options(place::MAINTENANCE)).await.map_err(failed)?;
    let found: Option<i32> = sqlx::query_scalar("select 1 from pg_database where datname = $1")
        .bind(place::DATABASE)
        .fetch_optional(&mut conn)
        .await
        .map_err(failed)?;
    if found.is_none() {
        sqlx::query("create database webmeteor").execute(&mut conn).await.map_err(failed)?;
    }
    let _ = conn.close().await;
    Ok(())
}

/// Starts the server again whenever it dies, with a growing pause; stops it in the end.
async fn watch(mut process: Process, place: Place, programs: Programs, stop: CancellationToken) {
    let mut pause = Duration::from_millis(200);
    loop {
        tokio::select! {
            () = stop.cancelled() => return process.stop().await,
            () = process.wait() => {}
        }
        tracing::error!(log = %place.log.display(), "PostgreSQL ended; starting it again");
        loop {
            match bring_up(&place, &programs).await {
                Ok(next) => {
                    process = next;
                    pause = Duration::from_millis(200);
                    break;
                }
                Err(error) => tracing::error!(%error, "PostgreSQL could not be started again; trying further"),
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(Duration::from_secs(30)),
            }
        }
    }
}

//! The way of a deployment, from a commit to a release that serves: fetch, build, start, verify, switch, drain.
//!
//! Until the switch nothing that serves is touched; a failure before it removes what was begun and nothing else.

mod build;
mod fetch;
mod names;
mod start;
mod switch;
mod verify;

use crate::{Platform, labels, log_sink::LogSink, previews, redact::Redactor, secrets};
use model::{
    deployment::{FailureCode, Status, Step, StepStatus},
    event::Event,
    names::ServiceName,
    plan::ReleasePlan,
};
use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};
use store::{
    deployments::DeploymentRow,
    environments::EnvironmentRow,
    queue::{Lease, WriteError},
    sites::SiteRow,
};
use tokio_util::sync::CancellationToken;

/// What a service that is not well in time said last is read beyond that time.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Why a run ended before its release was live.
#[derive(Debug)]
pub(crate) enum Stop {
    /// It failed for good.
    Failed(Failure),
    /// Its end was asked for, or its lease was lost, or the platform shuts down.
    Interrupted,
    /// Something that may be well again soon is not: the engine, the database, the network.
    Later(Failure),
}

/// What a person is told of a failure.
#[derive(Debug)]
pub(crate) struct Failure {
    pub code: FailureCode,
    pub service: Option<String>,
    pub message: String,
}

impl Stop {
    pub(crate) fn failed(code: FailureCode, message: impl Into<String>) -> Self {
        Self::Failed(Failure { code, service: None, message: message.into() })
    }
    pub(crate) fn service(code: FailureCode, service: &ServiceName, message: impl Into<String>) -> Self {
        Self::Failed(Failure { code, service: Some(service.to_string()), message: message.into() })
    }
    /// Worth another try; with this code once there were enough.
    pub(crate) fn later(code: FailureCode, message: impl Into<String>) -> Self {
        Self::Later(Failure { code, service: None, message: message.into() })
    }
    /// An image that could not be had: for good, or for now.
    pub(crate) fn no_image(service: &ServiceName, error: &docker::Error, message: String) -> Self {
        let failure = Failure { code: FailureCode::ImageUnavailable, service: Some(service.to_string()), message };
        if error.is_temporary() { Self::Later(failure) } else { Self::Failed(failure) }
    }
    pub(crate) fn internal(error: impl std::fmt::Display) -> Self {
        tracing::error!(%error, "a deployment failed for a reason of our own");
        Self::failed(FailureCode::Internal, format!("The platform could not go on: {error}"))
    }
}

impl From<docker::Error> for Stop {
    fn from(error: docker::Error) -> Self {
        match error {
            e if e.is_temporary() => Self::later(FailureCode::EngineUnavailable, e.to_string()),
            docker::Error::DiskFull(words) => Self::failed(FailureCode::DiskFull, words),
            e => Self::failed(FailureCode::StartFailed, e.to_string()),
        }
    }
}

impl From<sqlx::Error> for Stop {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
                Self::later(FailureCode::Internal, format!("the database does not answer: {error}"))
            }
            // 57P: the server was shut down or crashed under us.
            sqlx::Error::Database(ref e) if e.code().is_some_and(|code| code.starts_with("57P")) => {
                Self::later(FailureCode::Internal, error.to_string())
            }
            other => Self::internal(other),
        }
    }
}

impl From<WriteError> for Stop {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::LeaseLost => Self::Interrupted,
            WriteError::Database(e) => e.into(),
        }
    }
}

impl From<crate::Error> for Stop {
    fn from(error: crate::Error) -> Self {
        match error {
            crate::Error::Database(e) => e.into(),
            crate::Error::Engine(e) => e.into(),
            other => Self::internal(other),
        }
    }
}

/// One attempt at one deployment.
pub(crate) struct Run {
    pub platform: Arc<Platform>,
    pub lease: Lease,
    pub row: DeploymentRow,
    pub site: SiteRow,
    pub environment: EnvironmentRow,
    pub secrets: secrets::EnvironmentSecrets,
    pub previous: Option<ReleasePlan>,
    pub log: LogSink,
    pub cancel: CancellationToken,
}

impl Run {
    /// Reads what the deployment is about and opens its log.
    pub(crate) async fn open(
        platform: Arc<Platform>,
        lease: Lease,
        row: DeploymentRow,
        cancel: CancellationToken,
    ) -> Result<Self, Stop> {
        let mut conn = platform.pool.acquire().await?;
        let gone = || Stop::internal("the site of a deployment is gone");
        let site = store::sites::by_id(&mut conn, &[row.team_id], row.site_id).await?.ok_or_else(gone)?;
        let environment =
            store::environments::by_id(&mut conn, row.team_id, row.environment_id).await?.ok_or_else(gone)?;
        let previous = match environment.current_release {
            Some(id) => store::releases::by_id(&mut conn, row.team_id, id).await?.map(|r| r.plan.0),
            None => None,
        };
        let variables = match row.variables_version {
            Some(version) => version,
            None if environment.is_preview => previews::variables::take_over(&platform, &environment).await?,
            None => environment.variables_version,
        };
        let secrets = secrets::EnvironmentSecrets::open(&platform, &mut conn, &environment, variables).await?;
        drop(conn);
        if row.from_release.is_none() {
            // Before the log is opened, which is to hide it; where there is none for now, fetching says so.
            crate::sites::repository_token(&platform, &site).await.ok();
        }
        let redactor = Redactor::for_site(&platform, &site, &secrets)?;
        let limits = &platform.settings.limits;
        let log = LogSink::open(platform.pool.clone(), row.team_id, row.site_id, row.id, redactor, limits);
        Ok(Self { platform, lease, row, site, environment, secrets, previous, log, cancel })
    }

    /// Where the checkout of this deployment lies while it is built.
    pub(crate) fn folder(&self) -> PathBuf {
        self.platform.checkouts().join(crate::checkout_name(self.row.id, self.lease.attempt))
    }

    /// Where the site lies in it.
    pub(crate) fn source(&self) -> PathBuf {
        self.folder().join(&self.environment.root)
    }

    pub(crate) fn environment_labels(&self) -> docker::Labels {
        labels::of_environment(&self.platform, self.site.home_team_id, self.row.site_id, self.row.environment_id)
    }

    /// Goes the whole way.
    pub(crate) async fn go(&self) -> Result<(), Stop> {
        let plan = if let Some(release) = self.row.from_release {
            if let Some(reason) = &self.row.reason {
                self.log.say(reason).await;
            }
            let skipped = [(Step::Fetch, StepStatus::Skipped), (Step::Build, StepStatus::Skipped)];
            self.mark(Status::Starting, &skipped).await?;
            self.forget_earlier_attempt().await?;
            let plan = self.within(Step::Start, start::plan_again(self, release)).await?;
            self.mark(Status::Starting, &[(Step::Start, StepStatus::Running)]).await?;
            plan
        } else {
            self.mark(Status::Fetching, &[(Step::Fetch, StepStatus::Running)]).await?;
            let manifest = self.within(Step::Fetch, Box::pin(fetch::run(self))).await?;
            self.advance(Status::Fetching, Status::Building).await?;
            self.forget_earlier_attempt().await?;
            let planned_and_built = async {
                let plan = start::plan(self, &manifest).await?;
                build::run(self, &plan).await?;
                Ok(plan)
            };
            let plan = self.within(Step::Build, Box::pin(planned_and_built)).await?;
            self.advance(Status::Building, Status::Starting).await?;
            plan
        };
        self.within(Step::Start, start::run(self, &plan)).await?;
        self.advance(Status::Starting, Status::Verifying).await?;
        self.within(Step::Verify, verify::run(self, &plan)).await?;
        self.advance(Status::Verifying, Status::Switching).await?;
        switch::run(self, &plan).await?;
        Ok(())
    }

    /// Removes what an earlier attempt at this same deployment started. That may have requests to finish, so it is no part
    /// of a step's time.
    async fn forget_earlier_attempt(&self) -> Result<(), Stop> {
        if self.lease.attempt == 1 {
            return Ok(());
        }
        self.unless_interrupted(start::remove_containers(self)).await
    }

    /// Gives a step its time, unless the run is interrupted first: whatever the step waits for is left then, and
    /// [`Run::undo`] clears up. The switch has its own way to end in time, for it has something to put back.
    async fn within<T>(&self, step: Step, work: impl Future<Output = Result<T, Stop>>) -> Result<T, Stop> {
        let limits = &self.platform.settings.deadlines;
        let (limit, code) = match step {
            Step::Fetch => (limits.fetch, FailureCode::FetchTimeout),
            Step::Build => (limits.build, FailureCode::BuildTimeout),
            Step::Start => (limits.start, FailureCode::StartTimeout),
            Step::Verify | Step::Switch | Step::Drain => (limits.verify + LAST_WORDS, FailureCode::HealthCheckSlow),
        };
        match self.unless_interrupted(tokio::time::timeout(limit, work)).await? {
            Ok(Err(Stop::Failed(failure))) if step != Step::Fetch => Err(self.blame(failure).await),
            Ok(done) => done,
            Err(_) => Err(Stop::failed(code, format!("The step “{step}” was not done within {} s.", limit.as_secs()))),
        }
    }

    /// A daemon that ends takes with it what runs, which looks as if the build or the service had failed by itself.
    async fn blame(&self, failure: Failure) -> Stop {
        match self.platform.engine.ping().await {
            Err(error) if error.is_temporary() => error.into(),
            _ => Stop::Failed(failure),
        }
    }

    /// Waits for something unless the run is interrupted first.
    async fn unless_interrupted<T>(&self, work: impl Future<Output = T>) -> Result<T, Stop> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(Stop::Interrupted),
            done = work => Ok(done),
        }
    }

    /// Ends the step of one state and begins that of the next.
    ///
    /// Only before the switch the disk is waited for, for the others are no promise to anybody: should the database
    /// crash and forget one, the next write finds another state than it comes from, and the deployment is tried again.
    async fn advance(&self, from: Status, to: Status) -> Result<(), Stop> {
        if self.cancel.is_cancelled() {
            return Err(Stop::Interrupted);
        }
        let mut tx = self.platform.pool.begin().await?;
        if to != Status::Switching {
            store::without_waiting_for_the_disk(&mut tx).await?;
        }
        store::queue::advance(&mut tx, self.lease, from, to).await?;
        let steps = [(from, StepStatus::Done), (to, StepStatus::Running)];
        let steps = steps.into_iter().filter_map(|(state, status)| Some((step_of(state)?, status)));
        self.write_steps(&mut tx, to, steps).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Writes how steps stand, within a state.
    pub(crate) async fn mark(&self, state: Status, steps: &[(Step, StepStatus)]) -> Result<(), Stop> {
        let mut tx = self.platform.pool.begin().await?;
        store::without_waiting_for_the_disk(&mut tx).await?;
        self.write_steps(&mut tx, state, steps.iter().copied()).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn write_steps(
        &self,
        conn: &mut sqlx::PgConnection,
        state: Status,
        steps: impl Iterator<Item = (Step, StepStatus)>,
    ) -> Result<(), Stop> {
        // Also proves that the lease is still ours before anything more is done.
        store::queue::heartbeat(conn, self.lease, crate::worker::LEASE.as_secs_f64()).await?;
        let mut last = None;
        for (step, status) in steps {
            store::queue::set_step(conn, self.row.id, step, status).await?;
            last = Some(step);
        }
        self.announce(conn, state, last).await
    }

    /// The lease is still this attempt's: whatever it began is its own to finish or to remove, until this moment at least.
    pub(crate) async fn still_ours(&self) -> Result<Instant, Stop> {
        let asked = Instant::now();
        let mut conn = self.platform.pool.acquire().await?;
        store::queue::heartbeat(&mut conn, self.lease, crate::worker::LEASE.as_secs_f64()).await?;
        Ok(asked + crate::worker::LEASE)
    }

    pub(crate) async fn announce(
        &self,
        conn: &mut sqlx::PgConnection,
        status: Status,
        step: Option<Step>,
    ) -> Result<(), Stop> {
        let event = Event::Deployment { id: self.row.id, site_id: self.row.site_id, status, step };
        store::events::insert(conn, self.row.team_id, &event).await?;
        Ok(())
    }

    /// Removes what this deployment began and what does not serve: its containers, its images, its checkout.
    pub(crate) async fn undo(&self) {
        start::remove_containers(self).await;
        build::remove_images(self).await;
        self.remove_folder().await;
    }

    pub(crate) async fn remove_folder(&self) {
        if let Err(error) = tokio::fs::remove_dir_all(self.folder()).await
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(deployment = %self.row.id, %error, "a checkout could not be removed");
        }
    }
}

/// What is done in a state.
fn step_of(state: Status) -> Option<Step> {
    match state {
        Status::Fetching => Some(Step::Fetch),
        Status::Building => Some(Step::Build),
        Status::Starting => Some(Step::Start),
        Status::Verifying => Some(Step::Verify),
        Status::Switching => Some(Step::Switch),
        Status::Queued | Status::Live | Status::Failed | Status::Cancelled | Status::Superseded => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        deployments::{self, NewDeployment},
        testing::World,
    };
    use sqlx::PgPool;
    use std::future::pending;
    use uuid::Uuid;

    async fn run(pool: PgPool) -> Run {
        let World { mut platform, actor, site, .. } = World::new(pool).await;
        platform.settings.deadlines.start = Duration::from_millis(50);
        deployments::create(&platform, &actor, site, NewDeployment::default()).await.unwrap();
        let mut conn = platform.pool.acquire().await.unwrap();
        let (lease, row) = store::queue::claim(&mut conn, Uuid::now_v7(), 60.0, None).await.unwrap().unwrap();
        drop(conn);
        Run::open(Arc::new(platform), lease, row, CancellationToken::new()).await.unwrap()
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn whatever_a_step_waits_for_it_is_left_when_the_run_is_interrupted(pool: PgPool) {
        let run = run(pool).await;
        run.cancel.cancel();
        for step in [Step::Fetch, Step::Build, Step::Start, Step::Verify] {
            let left = run.within(step, pending::<Result<(), Stop>>());
            let left = tokio::time::timeout(Duration::from_secs(5), left).await;
            assert!(matches!(left, Ok(Err(Stop::Interrupted))), "{step}: {left:?}");
        }
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn what_fails_with_the_engine_is_tried_again_and_what_fails_alone_is_not(pool: PgPool) {
        let mut run = run(pool).await;
        let failed = || async { Err::<(), _>(Stop::failed(FailureCode::BuildFailed, "exit code 137")) };
        assert!(matches!(run.within(Step::Build, failed()).await, Err(Stop::Failed(_))));
        let engine = docker::fake::FakeRuntime::default();
        engine.fail("ping", 1, docker::Error::Unavailable("gone".into()));
        Arc::get_mut(&mut run.platform).unwrap().engine = Arc::new(engine);
        let ended = run.within(Step::Build, failed()).await;
        let is_later = matches!(ended, Err(Stop::Later(Failure { code: FailureCode::EngineUnavailable, .. })));
        assert!(is_later, "{ended:?}");
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn a_step_that_comes_to_no_end_is_ended(pool: PgPool) {
        let run = run(pool).await;
        let ended = run.within(Step::Start, pending::<Result<(), Stop>>()).await;
        assert!(matches!(ended, Err(Stop::Failed(Failure { code: FailureCode::StartTimeout, .. }))), "{ended:?}");
    }
}

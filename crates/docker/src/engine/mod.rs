//! The real engine: Docker through its API, by bollard. Each noun has its own file; this one connects and delegates.

mod build;
mod containers;
mod convert;
mod create;
mod exec;
mod images;
mod logs;
mod networks;
mod volumes;

use crate::{
    BuildError, BuildRequest, Cgroups, ContainerEvent, ContainerState, ContainerSummary, DiskUsage, Error, ExecOutput,
    Image, ImageId, Labels, LogLine, NetworkSpec, NetworkState, PlatformContainer, Result, Runtime, SiteContainer,
    Stats, Version, VolumeState,
};
use async_trait::async_trait;
use bollard::Docker;
use futures::stream::BoxStream;
use std::{future::Future, path::PathBuf, time::Duration};
use tokio::sync::{OnceCell, mpsc};
use tokio_util::sync::CancellationToken;

/// A call that does not wait for anything in a container is answered within this time, or the engine is ill.
const CALL: Duration = Duration::from_mins(1);

/// Docker Engine, API 1.41 (Engine 20.10) or newer.
#[derive(Debug, Default)]
pub struct Engine {
    host: Option<String>,
    client: OnceCell<Docker>,
    facts: OnceCell<Facts>,
}

/// What does not change while an engine is used, and takes it long to tell: it counts all it has for the same answer.
#[derive(Debug)]
struct Facts {
    root: PathBuf,
    cgroups: Cgroups,
}

impl Engine {
    /// The engine named by `DOCKER_HOST`, or the one at the local socket. Connects at the first call, and tries
    /// again at each until it answers: the platform may start before the engine does.
    pub fn from_env() -> Self {
        Self::default()
    }

    /// The engine at an address such as `unix:///var/run/docker.sock` or `tcp://127.0.0.1:2375`.
    pub fn at(host: impl Into<String>) -> Self {
        Self { host: Some(host.into()), ..Self::default() }
    }

    /// Whether containers run on while the daemon restarts (its setting `live-restore`).
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn live_restore(&self) -> Result<bool> {
        Ok(within(CALL, self.client().await?.info()).await?.live_restore_enabled.unwrap_or(false))
    }

    async fn facts(&self) -> Result<&Facts> {
        self.facts
            .get_or_try_init(|| async {
                let info = within(CALL, self.client().await?.info()).await?;
                Ok(Facts {
                    root: info.docker_root_dir.unwrap_or_default().into(),
                    cgroups: convert::cgroups(info.cgroup_driver, info.cgroup_version),
                })
            })
            .await
    }

    /// The client, once both sides have agreed on a version of the API.
    async fn client(&self) -> Result<&Docker> {
        self.client
            .get_or_try_init(|| async {
                let docker = match &self.host {
                    Some(host) => Docker::connect_with_host(host)?,
                    None => Docker::connect_with_defaults()?,
                };
                within(CALL, docker.negotiate_version()).await
            })
            .await
    }
}

/// Runs a call with a time limit over the whole answer; bollard's own ends with the answer's head.
async fn within<T>(limit: Duration, call: impl Future<Output = Result<T, bollard::errors::Error>>) -> Result<T> {
    match tokio::time::timeout(limit, call).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Error::Unavailable(format!("no answer within {} s", limit.as_secs()))),
    }
}

/// The call's own answer, or nothing where the thing is not there.
fn if_there<T>(answer: Result<T>) -> Result<Option<T>> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Done also where the thing was not there.
fn done<T>(answer: Result<T>) -> Result<()> {
    if_there(answer).map(|_| ())
}

/// A name becomes part of the API's path, so it is checked here too: it can lead to no other call.
fn checked(name: &str) -> Result<&str> {
    let first = name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    if first && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-')) {
        Ok(name)
    } else {
        Err(Error::InvalidName(name.to_owned()))
    }
}

#[async_trait]
impl Runtime for Engine {
    async fn ping(&self) -> Result<()> {
        within(Duration::from_secs(5), self.client().await?.ping()).await.map(|_| ())
    }
    async fn version(&self) -> Result<Version> {
        let found = within(CALL, self.client().await?.version()).await?;
        Ok(Version { engine: found.version.unwrap_or_default(), api: found.api_version.unwrap_or_default() })
    }
    async fn disk_usage(&self) -> Result<DiskUsage> {
        let root = self.facts().await?.root.clone();
        let disk = rustix::fs::statvfs(&root).ok();
        Ok(DiskUsage {
            free_bytes: disk.as_ref().map(|disk| disk.f_bavail * disk.f_frsize),
            total_bytes: disk.as_ref().map(|disk| disk.f_blocks * disk.f_frsize),
            root,
        })
    }

    async fn cgroups(&self) -> Result<Cgroups> {
        Ok(self.facts().await?.cgroups)
    }

    async fn build(
        &self,
        request: BuildRequest,
        log: mpsc::Sender<LogLine>,
        cancel: CancellationToken,
    ) -> Result<ImageId, BuildError> {
        build::build(self.client().await?, request, log, cancel).await
    }
    async fn image(&self, reference: &str) -> Result<Option<Image>> {
        images::find(self.client().await?, reference).await
    }
    async fn pull_image(&self, reference: &str, limit: Duration) -> Result<()> {
        images::pull(self.client().await?, reference, limit).await
    }
    async fn remove_image(&self, reference: &str) -> Result<()> {
        images::remove(self.client().await?, reference).await
    }
    async fn remove_layer(&self, id: &ImageId) -> Result<()> {
        images::remove_one(self.client().await?, id.as_str()).await.map(|_| ())
    }
    async fn list_images(&self, labels: &Labels) -> Result<Vec<Image>> {
        images::list(self.client().await?, labels, false).await
    }
    async fn list_layers(&self) -> Result<Vec<Image>> {
        images::list(self.client().await?, &Labels::new(), true).await
    }

    async fn ensure_network(&self, spec: &NetworkSpec) -> Result<()> {
        networks::ensure(self.client().await?, spec).await
    }
    async fn ensure_build_network(&self, spec: &NetworkSpec, bridge: &str) -> Result<()> {
        networks::ensure_for_builds(self.client().await?, spec, bridge).await
    }
    async fn remove_network(&self, name: &str) -> Result<()> {
        networks::remove(self.client().await?, name).await
    }
    async fn list_networks(&self, labels: &Labels) -> Result<Vec<NetworkState>> {
        networks::list(self.client().await?, labels).await
    }

    async fn ensure_volume(&self, name: &str, labels: &Labels) -> Result<()> {
        volumes::ensure(self.client().await?, name, labels).await
    }
    async fn remove_volume(&self, name: &str) -> Result<()> {
        volumes::remove(self.client().await?, name).await
    }
    async fn list_volumes(&self, labels: &Labels) -> Result<Vec<VolumeState>> {
        volumes::list(self.client().await?, labels).await
    }

    async fn start_site_container(&self, spec: &SiteContainer) -> Result<String> {
        create::create_and_start(self.client().await?, &spec.name, create::site(spec)).await
    }
    async fn start_platform_container(&self, spec: &PlatformContainer) -> Result<String> {
        create::create_and_start(self.client().await?, &spec.name, create::platform(spec)).await
    }
    async fn start(&self, name: &str) -> Result<()> {
        containers::start(self.client().await?, name).await
    }
    async fn inspect(&self, name: &str) -> Result<Option<ContainerState>> {
        containers::inspect(self.client().await?, name).await
    }
    async fn containers_on(&self, network: &str) -> Result<Vec<String>> {
        containers::on(self.client().await?, network).await
    }
    async fn list_containers(&self, labels: &Labels) -> Result<Vec<ContainerSummary>> {
        containers::list(self.client().await?, labels).await
    }
    async fn rename(&self, name: &str, new_name: &str) -> Result<()> {
        containers::rename(self.client().await?, name, new_name).await
    }
    async fn stop(&self, name: &str, grace: Duration) -> Result<()> {
        containers::stop(self.client().await?, name, grace).await
    }
    async fn remove(&self, name: &str, force: bool) -> Result<()> {
        containers::remove(self.client().await?, name, force).await
    }

    async fn logs_tail(&self, name: &str, lines: usize) -> Result<Vec<LogLine>> {
        logs::tail(self.client().await?, name, lines).await
    }
    async fn logs_follow(&self, name: &str, lines: usize) -> Result<BoxStream<'static, Result<LogLine>>> {
        logs::follow(self.client().await?, name, lines)
    }
    async fn exec(&self, name: &str, argv: &[String], limit: Duration) -> Result<ExecOutput> {
        exec::exec(self.client().await?, name, argv, limit).await
    }
    async fn stats(&self, name: &str) -> Result<Stats> {
        containers::stats(self.client().await?, name).await
    }
    async fn events(&self, labels: &Labels) -> Result<BoxStream<'static, Result<ContainerEvent>>> {
        Ok(logs::events(self.client().await?, labels))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_become_another_path() {
        for good in ["acme-shop-www", "acme-shop-www.1f", "0a1b", "a_b"] {
            assert!(checked(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", ".a", "../x", "a/b", "a?force=1", "a#b", "a b", "a%2f", "é"] {
            assert_eq!(checked(bad), Err(Error::InvalidName(bad.into())), "{bad}");
        }
    }

    #[tokio::test]
    async fn an_engine_that_is_not_there_is_unavailable() {
        let dir = tempfile::tempdir().unwrap();
        let engine = Engine::at(format!("unix://{}/none.sock", dir.path().display()));
        let error = engine.ping().await.unwrap_err();
        assert!(error.is_temporary(), "{error}");

        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        drop(taken);
        let error = Engine::at(format!("tcp://127.0.0.1:{port}")).ping().await.unwrap_err();
        assert!(error.is_temporary(), "{error}");
    }
}

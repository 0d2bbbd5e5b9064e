//! What the fake does where the real runtime would ask the engine.

use super::{BuildScript, Container, FakeRuntime, said};
use crate::{
    BuildError, BuildRequest, Cgroups, ContainerEvent, ContainerState, ContainerSummary, DiskUsage, Error, EventKind,
    ExecOutput, Health, Image, ImageId, Labels, LogLine, NetworkSpec, NetworkState, PlatformContainer, Result, Runtime,
    SiteContainer, Stats, Version, VolumeState,
};
use async_trait::async_trait;
use futures::{StreamExt, stream, stream::BoxStream};
use std::{net::Ipv4Addr, time::Duration};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

#[async_trait]
impl Runtime for FakeRuntime {
    async fn ping(&self) -> Result<()> {
        self.enter("ping", "").map(|_| ())
    }
    async fn version(&self) -> Result<Version> {
        self.enter("version", "").map(|_| Version { engine: "fake".into(), api: "1.41".into() })
    }
    async fn disk_usage(&self) -> Result<DiskUsage> {
        drop(self.enter("disk_usage", "")?);
        Ok(DiskUsage { root: "/".into(), free_bytes: Some(100 << 30), total_bytes: Some(200 << 30) })
    }

    async fn cgroups(&self) -> Result<Cgroups> {
        self.enter("cgroups", "").map(|_| Cgroups::None)
    }

    async fn build(
        &self,
        request: BuildRequest,
        log: mpsc::Sender<LogLine>,
        cancel: CancellationToken,
    ) -> Result<ImageId, BuildError> {
        let script = {
            let state = self.enter("build", &request.tag)?;
            let found = state.builds.iter().find(|(part, _)| request.tag.contains(part.as_str()));
            found.map_or_else(|| BuildScript::Succeeds(vec![]), |(_, script)| script.clone())
        };
        let (BuildScript::Succeeds(lines) | BuildScript::Fails(lines, _) | BuildScript::Hangs(lines)) = &script;
        for line in lines {
            let _ = log.send(said(line)).await;
        }
        match script {
            BuildScript::Succeeds(_) => Ok(self.lock().add_image(&request.tag, request.labels)),
            BuildScript::Fails(_, error) => Err(error),
            BuildScript::Hangs(_) => tokio::select! {
                () = cancel.cancelled() => Err(BuildError::Cancelled),
                () = tokio::time::sleep(request.time_limit) => Err(BuildError::TimeLimit(request.time_limit)),
            },
        }
    }
    async fn image(&self, reference: &str) -> Result<Option<Image>> {
        Ok(self.enter("image", reference)?.images.get(reference).cloned())
    }
    async fn pull_image(&self, reference: &str, _limit: Duration) -> Result<()> {
        drop(self.enter("pull_image", reference)?);
        Err(Error::NotFound(format!("{reference} is in no registry")))
    }
    async fn remove_image(&self, reference: &str) -> Result<()> {
        let mut state = self.enter("remove_image", reference)?;
        let Some(image) = state.images.get(reference).cloned() else { return Ok(()) };
        let used = |c: &Container| image.tags.contains(&c.state.image) || c.state.image == image.id.0;
        if state.containers.values().any(used) {
            return Err(Error::Conflict(format!("{reference} is used by a container")));
        }
        state.images.retain(|_, other| other.id != image.id);
        Ok(())
    }
    async fn remove_layer(&self, id: &ImageId) -> Result<()> {
        self.enter("remove_layer", id.as_str())?.images.retain(|_, image| image.id != *id);
        Ok(())
    }
    async fn list_images(&self, labels: &Labels) -> Result<Vec<Image>> {
        let state = self.enter("list_images", "")?;
        let by_id = state.images.iter().filter(|(key, image)| **key == image.id.0);
        Ok(by_id.filter(|(_, image)| has(&image.labels, labels)).map(|(_, image)| image.clone()).collect())
    }

    async fn list_layers(&self) -> Result<Vec<Image>> {
        self.list_images(&Labels::new()).await
    }

    async fn ensure_build_network(&self, spec: &NetworkSpec, _bridge: &str) -> Result<()> {
        self.ensure_network(spec).await
    }
    async fn ensure_network(&self, spec: &NetworkSpec) -> Result<()> {
        let mut state = self.enter("ensure_network", &spec.name)?;
        let subnet = Some(spec.subnet());
        if state.networks.values().any(|other| (other.name == spec.name) != (other.subnet == subnet)) {
            return Err(Error::SubnetTaken(format!("{} cannot have {}", spec.name, spec.subnet())));
        }
        let network = NetworkState { name: spec.name.clone(), subnet, labels: spec.labels.clone() };
        state.networks.entry(spec.name.clone()).or_insert(network);
        Ok(())
    }
    async fn remove_network(&self, name: &str) -> Result<()> {
        let mut state = self.enter("remove_network", name)?;
        if state.containers.values().any(|c| c.state.running && c.network.as_deref() == Some(name)) {
            return Err(Error::Conflict(format!("{name} has active endpoints")));
        }
        state.networks.remove(name);
        Ok(())
    }
    async fn list_networks(&self, labels: &Labels) -> Result<Vec<NetworkState>> {
        let state = self.enter("list_networks", "")?;
        Ok(state.networks.values().filter(|network| has(&network.labels, labels)).cloned().collect())
    }

    async fn ensure_volume(&self, name: &str, labels: &Labels) -> Result<()> {
        self.enter("ensure_volume", name)?.volumes.entry(name.to_owned()).or_insert_with(|| labels.clone());
        Ok(())
    }
    async fn remove_volume(&self, name: &str) -> Result<()> {
        let mut state = self.enter("remove_volume", name)?;
        if state.containers.values().any(|c| c.volumes.iter().any(|volume| volume == name)) {
            return Err(Error::Conflict(format!("{name} is in use")));
        }
        state.volumes.remove(name);
        Ok(())
    }
    async fn list_volumes(&self, labels: &Labels) -> Result<Vec<VolumeState>> {
        let state = self.enter("list_volumes", "")?;
        let found = state.volumes.iter().filter(|(_, own)| has(own, labels));
        Ok(found
            .map(|(name, own)| VolumeState {
                name: name.clone(),
                mountpoint: "/nonexistent".into(),
                labels: own.clone(),
            })
            .collect())
    }

    async fn start_site_container(&self, spec: &SiteContainer) -> Result<String> {
        let mut state = self.enter("start_site_container", &spec.name)?;
        let mut fresh = fresh(state.next_id(), &spec.name, &spec.image, Some(spec.address), &spec.labels);
        fresh.health = spec.health.as_ref().map(|_| Health::Starting);
        let volumes = spec.volumes.iter().map(|(volume, _)| volume.clone()).collect();
        self.run(state, Container { state: fresh, network: Some(spec.network.clone()), volumes, log: vec![] })
    }
    async fn start_platform_container(&self, spec: &PlatformContainer) -> Result<String> {
        let mut state = self.enter("start_platform_container", &spec.name)?;
        let fresh = fresh(state.next_id(), &spec.name, &spec.image, None, &spec.labels);
        self.run(state, Container { state: fresh, network: None, volumes: vec![], log: vec![] })
    }
    async fn start(&self, name: &str) -> Result<()> {
        let mut state = self.enter("start", name)?;
        let found = state.find(name)?;
        if found.state.running {
            return Ok(());
        }
        let name = found.state.name.clone();
        let events = state.start(&name);
        drop(state);
        self.tell_all(events);
        Ok(())
    }
    async fn inspect(&self, name: &str) -> Result<Option<ContainerState>> {
        Ok(self.enter("inspect", name)?.find(name).ok().map(|container| container.state.clone()))
    }
    async fn containers_on(&self, network: &str) -> Result<Vec<String>> {
        let state = self.enter("containers_on", network)?;
        let on = state.containers.values().filter(|found| found.network.as_deref() == Some(network));
        Ok(on.map(|found| found.state.id.clone()).collect())
    }
    async fn list_containers(&self, labels: &Labels) -> Result<Vec<ContainerSummary>> {
        let state = self.enter("list_containers", "")?;
        let found = state.containers.values().filter(|c| has(&c.state.labels, labels));
        let summary = |Container { state: found, network, .. }: &Container| ContainerSummary {
            id: found.id.clone(),
            name: found.name.clone(),
            image: found.image.clone(),
            image_id: found.image_id.clone(),
            running: found.running && !found.restarting,
            restarting: found.restarting,
            network: network.clone(),
            address: found.address,
            labels: found.labels.clone(),
        };
        Ok(found.map(summary).collect())
    }
    async fn rename(&self, name: &str, new_name: &str) -> Result<()> {
        let mut state = self.enter("rename", name)?;
        if state.containers.contains_key(new_name) {
            return Err(Error::Conflict(format!("the name {new_name} is taken")));
        }
        let old_name = state.find(name)?.state.name.clone();
        if let Some(mut container) = state.containers.remove(&old_name) {
            new_name.clone_into(&mut container.state.name);
            state.containers.insert(new_name.to_owned(), container);
        }
        Ok(())
    }
    async fn stop(&self, name: &str, _grace: Duration) -> Result<()> {
        let mut state = self.enter("stop", name)?;
        let Ok(container) = state.find(name) else { return Ok(()) };
        if !container.state.running {
            container.state.restarting = false;
            return Ok(());
        }
        container.state.running = false;
        container.state.exit_code = Some(0);
        let event = container.event(EventKind::Died(Some(0)));
        drop(state);
        self.tell(event);
        Ok(())
    }
    async fn remove(&self, name: &str, force: bool) -> Result<()> {
        let mut state = self.enter("remove", name)?;
        let Ok(container) = state.find(name) else { return Ok(()) };
        if container.state.running && !force {
            return Err(Error::Conflict(format!("{name} runs")));
        }
        let (name, event) = (container.state.name.clone(), container.event(EventKind::Destroyed));
        state.containers.remove(&name);
        drop(state);
        self.tell(event);
        Ok(())
    }

    async fn logs_tail(&self, name: &str, lines: usize) -> Result<Vec<LogLine>> {
        let mut state = self.enter("logs_tail", name)?;
        let log = &state.find(name)?.log;
        Ok(log[log.len().saturating_sub(lines)..].to_vec())
    }
    async fn logs_follow(&self, name: &str, lines: usize) -> Result<BoxStream<'static, Result<LogLine>>> {
        let mut state = self.enter("logs_follow", name)?;
        let log = &state.find(name)?.log;
        let last = log[log.len().saturating_sub(lines)..].to_vec();
        Ok(stream::iter(last.into_iter().map(Ok)).boxed())
    }
    async fn exec(&self, name: &str, argv: &[String], _limit: Duration) -> Result<ExecOutput> {
        let mut state = self.enter("exec", &format!("{name} {}", argv.join(" ")))?;
        if !state.find(name)?.state.running {
            return Err(Error::Conflict(format!("{name} is not running")));
        }
        let nothing = ExecOutput { exit_code: 0, stdout: String::new(), stderr: String::new() };
        Ok(state.exec.pop_front().unwrap_or(nothing))
    }
    async fn stats(&self, name: &str) -> Result<Stats> {
        self.enter("stats", name)?.find(name).map(|_| Stats::default())
    }
    async fn events(&self, labels: &Labels) -> Result<BoxStream<'static, Result<ContainerEvent>>> {
        drop(self.enter("events", "")?);
        let wanted = labels.clone();
        Ok(stream::unfold(self.events.subscribe(), |mut receiver| async move {
            receiver.recv().await.ok().map(|event| (event, receiver))
        })
        .filter(move |event| std::future::ready(has(&event.labels, &wanted)))
        .map(Ok)
        .boxed())
    }
}

fn has(labels: &Labels, wanted: &Labels) -> bool {
    wanted.iter().all(|(key, value)| labels.get(key).is_some_and(|found| value.is_empty() || found == value))
}

fn fresh(id: String, name: &str, image: &str, address: Option<Ipv4Addr>, labels: &Labels) -> ContainerState {
    ContainerState {
        id,
        name: name.to_owned(),
        image: image.to_owned(),
        image_id: ImageId(image.to_owned()),
        running: false,
        restarting: false,
        exit_code: None,
        oom_killed: false,
        restart_count: 0,
        started_at: None,
        address,
        labels: labels.clone(),
        health: None,
    }
}

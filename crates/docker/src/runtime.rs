//! The one trait behind which containers run.

use crate::{
    BuildError, BuildRequest, Cgroups, ContainerEvent, ContainerState, ContainerSummary, DiskUsage, ExecOutput, Image,
    ImageId, LogLine, NetworkSpec, NetworkState, PlatformContainer, Result, SiteContainer, Stats, Version, VolumeState,
};
use async_trait::async_trait;
use futures::stream::BoxStream;
use std::{collections::BTreeMap, time::Duration};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Labels of a thing; as a filter: every one of them must be there, with this value unless the value is empty.
pub type Labels = BTreeMap<String, String>;

/// The engine that runs containers. Names are those that [`SiteContainer`] and the others were given; a
/// container's id does as well as its name.
#[async_trait]
pub trait Runtime: Send + Sync {
    /// It answers.
    async fn ping(&self) -> Result<()>;
    /// Its version.
    async fn version(&self) -> Result<Version>;
    /// Room on its disk.
    async fn disk_usage(&self) -> Result<DiskUsage>;
    /// Who manages its control groups.
    async fn cgroups(&self) -> Result<Cgroups>;

    /// Builds an image; sends each line as it comes (a closed channel is no error). When `cancel` fires, or when
    /// the future is dropped, the build ends and its intermediate containers are removed.
    async fn build(
        &self,
        request: BuildRequest,
        log: mpsc::Sender<LogLine>,
        cancel: CancellationToken,
    ) -> Result<ImageId, BuildError>;
    /// An image by tag or id; `None` if it is not on this machine.
    async fn image(&self, reference: &str) -> Result<Option<Image>>;
    /// The id behind a tag; `None` if it is not on this machine.
    async fn image_id(&self, reference: &str) -> Result<Option<ImageId>> {
        Ok(self.image(reference).await?.map(|image| image.id))
    }
    /// The image is on this machine.
    async fn image_exists(&self, reference: &str) -> Result<bool> {
        Ok(self.image(reference).await?.is_some())
    }
    /// Gets an image from its registry; [`crate::Error::NotFound`] where it is not there or may not be had.
    async fn pull_image(&self, reference: &str, limit: Duration) -> Result<()>;
    /// Removes a tag, and the image with its last one; [`crate::Error::Conflict`] while a container uses it.
    async fn remove_image(&self, reference: &str) -> Result<()>;
    /// Removes one image or layer without a tag, and nothing below it; [`crate::Error::Conflict`] while something is
    /// built upon it or a container runs from it.
    async fn remove_layer(&self, id: &ImageId) -> Result<()>;
    /// Images with these labels.
    async fn list_images(&self, labels: &Labels) -> Result<Vec<Image>>;
    /// All images, whoever made them, the layers that they are built upon included.
    async fn list_layers(&self) -> Result<Vec<Image>>;

    /// Makes the network unless it is there with the same subnet; [`crate::Error::SubnetTaken`] otherwise.
    async fn ensure_network(&self, spec: &NetworkSpec) -> Result<()>;
    /// Makes a network for builds unless it is there: its containers reach the outside, but not each other and no
    /// other network. On the machine it appears as an interface with the name `bridge`.
    async fn ensure_build_network(&self, spec: &NetworkSpec, bridge: &str) -> Result<()>;
    /// Removes a network; [`crate::Error::Conflict`] while a container is on it.
    async fn remove_network(&self, name: &str) -> Result<()>;
    /// Networks with these labels.
    async fn list_networks(&self, labels: &Labels) -> Result<Vec<NetworkState>>;

    /// Makes the volume unless it is there.
    async fn ensure_volume(&self, name: &str, labels: &Labels) -> Result<()>;
    /// Removes a volume and what is in it; [`crate::Error::Conflict`] while a container uses it.
    async fn remove_volume(&self, name: &str) -> Result<()>;
    /// Volumes with these labels.
    async fn list_volumes(&self, labels: &Labels) -> Result<Vec<VolumeState>>;

    /// Makes and starts a site's container and returns its id; one that cannot be started is removed again, and so
    /// is one for which nobody waits any more because the future was dropped.
    /// [`crate::Error::Conflict`] if the name is taken, [`crate::Error::AddressInUse`] if the address is.
    async fn start_site_container(&self, spec: &SiteContainer) -> Result<String>;
    /// Makes and starts a container of the platform's own and returns its id.
    async fn start_platform_container(&self, spec: &PlatformContainer) -> Result<String>;
    /// Starts a container that has ended, and lets one go on that was paused; one that runs is fine.
    async fn start(&self, name: &str) -> Result<()>;
    /// Everything about one container; `None` if it is not there.
    async fn inspect(&self, name: &str) -> Result<Option<ContainerState>>;
    /// Ids of the containers on a network, running or not.
    async fn containers_on(&self, network: &str) -> Result<Vec<String>>;
    /// Containers with these labels, running or not.
    async fn list_containers(&self, labels: &Labels) -> Result<Vec<ContainerSummary>>;
    /// Gives a container another name.
    async fn rename(&self, name: &str, new_name: &str) -> Result<()>;
    /// Asks a container to end, and kills it after `grace`; one that is gone is fine.
    async fn stop(&self, name: &str, grace: Duration) -> Result<()>;
    /// Removes a container, killing it first if `force`; one that is gone is fine. Its named volumes stay.
    async fn remove(&self, name: &str, force: bool) -> Result<()>;

    /// The last `lines` lines of a container, oldest first; also of one that has ended.
    async fn logs_tail(&self, name: &str, lines: usize) -> Result<Vec<LogLine>>;
    /// The last `lines` lines, then each new one until the container ends.
    async fn logs_follow(&self, name: &str, lines: usize) -> Result<BoxStream<'static, Result<LogLine>>>;
    /// Runs a command in a running container; [`crate::Error::TimeLimit`] after `limit`.
    async fn exec(&self, name: &str, argv: &[String], limit: Duration) -> Result<ExecOutput>;
    /// What a running container uses; takes one to two seconds, for the CPU is measured.
    async fn stats(&self, name: &str) -> Result<Stats>;
    /// What happens to containers with these labels from now on; ends when the engine goes away.
    async fn events(&self, labels: &Labels) -> Result<BoxStream<'static, Result<ContainerEvent>>>;
}

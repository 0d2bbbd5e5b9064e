//! Named volumes.

use super::{CALL, checked, convert, done, within};
use crate::{Labels, Result, VolumeState};
use bollard::{
    Docker,
    models::VolumeCreateRequest,
    query_parameters::{ListVolumesOptionsBuilder, RemoveVolumeOptions},
};

pub(super) async fn ensure(docker: &Docker, name: &str, labels: &Labels) -> Result<()> {
    // The engine returns the volume that is there; driver options, which could name a folder of the host, are
    // never given.
    let request = VolumeCreateRequest {
        name: Some(checked(name)?.to_owned()),
        labels: Some(labels.clone().into_iter().collect()),
        ..VolumeCreateRequest::default()
    };
    within(CALL, docker.create_volume(request)).await.map(|_| ())
}

pub(super) async fn remove(docker: &Docker, name: &str) -> Result<()> {
    done(within(CALL, docker.remove_volume(checked(name)?, None::<RemoveVolumeOptions>)).await)
}

pub(super) async fn list(docker: &Docker, labels: &Labels) -> Result<Vec<VolumeState>> {
    let options = ListVolumesOptionsBuilder::new().filters(&convert::label_filter(labels)).build();
    let found = within(CALL, docker.list_volumes(Some(options))).await?;
    Ok(found
        .volumes
        .unwrap_or_default()
        .into_iter()
        .map(|volume| VolumeState {
            name: volume.name,
            mountpoint: volume.mountpoint.into(),
            labels: volume.labels.into_iter().collect(),
        })
        .collect())
}

//! Images: found, listed, removed.

use super::{CALL, convert, done, if_there, within};
use crate::{Error, Image, ImageId, Labels, Result};
use bollard::{
    Docker,
    query_parameters::{CreateImageOptionsBuilder, ListImagesOptionsBuilder, RemoveImageOptionsBuilder},
};
use futures::TryStreamExt;
use std::time::Duration;

/// A reference becomes part of the API's path: only what tags, digests and ids are made of.
pub(super) fn checked(reference: &str) -> Result<&str> {
    let parts = |part: &str| {
        part.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b':' | b'@'))
    };
    if reference.split('/').all(parts) { Ok(reference) } else { Err(Error::InvalidName(reference.to_owned())) }
}

pub(super) async fn find(docker: &Docker, reference: &str) -> Result<Option<Image>> {
    let found = if_there(within(CALL, docker.inspect_image(checked(reference)?)).await)?;
    Ok(found.map(|image| {
        let config = image.config.unwrap_or_default();
        let ports = config.exposed_ports.unwrap_or_default();
        let mut exposed_ports: Vec<u16> =
            ports.iter().filter_map(|port| port.strip_suffix("/tcp").unwrap_or(port).parse().ok()).collect();
        exposed_ports.sort_unstable();
        Image {
            id: ImageId(image.id.unwrap_or_default()),
            tags: image.repo_tags.unwrap_or_default(),
            labels: config.labels.unwrap_or_default().into_iter().collect(),
            size_bytes: convert::count(image.size),
            exposed_ports,
        }
    }))
}

pub(super) async fn pull(docker: &Docker, reference: &str, limit: Duration) -> Result<()> {
    let options = CreateImageOptionsBuilder::new().from_image(checked(reference)?).build();
    let pulled = docker.create_image(Some(options), None, None).try_for_each(|_| std::future::ready(Ok(())));
    match tokio::time::timeout(limit, pulled).await {
        Ok(done) => Ok(done?),
        Err(_) => Err(Error::TimeLimit(limit)),
    }
}

pub(super) async fn remove(docker: &Docker, reference: &str) -> Result<()> {
    let options = RemoveImageOptionsBuilder::new().build();
    done(within(CALL, docker.remove_image(checked(reference)?, Some(options), None)).await)
}

pub(super) async fn list(docker: &Docker, labels: &Labels) -> Result<Vec<Image>> {
    let options = ListImagesOptionsBuilder::new().filters(&convert::label_filter(labels)).build();
    let found = within(CALL, docker.list_images(Some(options))).await?;
    Ok(found
        .into_iter()
        .map(|image| Image {
            id: ImageId(image.id),
            tags: image.repo_tags.into_iter().filter(|tag| tag != "<none>:<none>").collect(),
            labels: image.labels.into_iter().collect(),
            size_bytes: convert::count(Some(image.size)),
            exposed_ports: vec![],
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_cannot_become_another_path() {
        for good in
            ["debian:bookworm-slim", "webmeteor/acme-shop-www:1f2e", "sha256:0a1b", "h.example:5000/a/b@sha256:0"]
        {
            assert!(checked(good).is_ok(), "{good}");
        }
        for bad in ["", "/a", "a/", "a//b", "../containers", "a/../b", "a?b", "a b", "-a"] {
            assert!(checked(bad).is_err(), "{bad}");
        }
    }
}

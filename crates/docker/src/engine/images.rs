//! Images: found, listed, removed.

use super::{CALL, convert, if_there, within};
use crate::{Error, Image, ImageId, Labels, Result, STAGE_LABEL};
use bollard::{
    Docker,
    query_parameters::{CreateImageOptionsBuilder, ListImagesOptionsBuilder, RemoveImageOptionsBuilder},
};
use futures::TryStreamExt;
use std::{collections::HashMap, time::Duration};
use time::OffsetDateTime;

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
            parent: None,
            created_at: image.created.as_deref().and_then(convert::moment),
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

/// Removes a tag, and with the last one the image; then the layers of builds below it that nothing else is built upon.
/// The engine would do that by itself, but also with layers that are not ours.
pub(super) async fn remove(docker: &Docker, reference: &str) -> Result<()> {
    let layers = list(docker, &Labels::new(), true).await?;
    let by_id: HashMap<&str, &Image> = layers.iter().map(|image| (image.id.as_str(), image)).collect();
    let is_named = |image: &&Image| image.id.as_str() == reference || image.tags.iter().any(|tag| tag == reference);
    let below = |image: &Image| by_id.get(image.parent.as_ref()?.as_str()).copied();
    let mut next = layers.iter().find(is_named).and_then(below);
    if !remove_one(docker, reference).await? {
        return Ok(());
    }
    while let Some(layer) = next {
        if !layer.tags.is_empty() || !layer.labels.contains_key(STAGE_LABEL) {
            return Ok(());
        }
        match remove_one(docker, layer.id.as_str()).await {
            Ok(_) => next = below(layer),
            // Another image is built upon it, or a container runs from it.
            Err(Error::Conflict(_)) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// `false`: it is still there under another tag.
pub(super) async fn remove_one(docker: &Docker, reference: &str) -> Result<bool> {
    let options = RemoveImageOptionsBuilder::new().noprune(true).build();
    let answer = if_there(within(CALL, docker.remove_image(checked(reference)?, Some(options), None)).await)?;
    Ok(answer.is_none_or(|items| items.iter().any(|item| item.deleted.is_some())))
}

pub(super) async fn list(docker: &Docker, labels: &Labels, layers: bool) -> Result<Vec<Image>> {
    let options = ListImagesOptionsBuilder::new().all(layers).filters(&convert::label_filter(labels)).build();
    let found = within(CALL, docker.list_images(Some(options))).await?;
    Ok(found
        .into_iter()
        .map(|image| Image {
            id: ImageId(image.id),
            tags: image.repo_tags.into_iter().filter(|tag| tag != "<none>:<none>").collect(),
            labels: image.labels.into_iter().collect(),
            parent: parent(image.parent_id),
            created_at: OffsetDateTime::from_unix_timestamp(image.created).ok(),
            size_bytes: convert::count(Some(image.size)),
            exposed_ports: vec![],
        })
        .collect())
}

fn parent(id: String) -> Option<ImageId> {
    Some(id).filter(|id| !id.is_empty()).map(ImageId)
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

//! What a site takes of the disk.

use super::{eviction, is_layer};
use crate::{Platform, Result, access, labels};
use docker::{Image, ImageId};
use model::{Actor, SiteId, views::UsageView};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// What a site takes of the disk, measured now. What several sites share is counted for each: without it none could
/// run.
///
/// # Errors
/// 404 if the caller may not know of the site; the engine's.
pub async fn usage(platform: &Platform, actor: &Actor, site: SiteId) -> Result<UsageView> {
    let mut conn = platform.pool.acquire().await?;
    let row = access::site(&mut conn, actor, site).await?;
    let logs = store::logs::bytes_of_site(&mut conn, row.team_id, row.id).await?;
    drop(conn);
    let layers = platform.engine.list_layers().await?;
    let volumes = platform.engine.list_volumes(&labels::of_site(platform, site)).await?;
    let repository = platform.repository(site);
    let (volume_bytes, repository_bytes) = tokio::task::spawn_blocking(move || {
        let volumes: Option<u64> = volumes.iter().map(|volume| folder_bytes(&volume.mountpoint)).sum();
        (volumes, folder_bytes(&repository).unwrap_or(0))
    })
    .await
    .map_err(anyhow::Error::from)?;
    Ok(UsageView {
        images: image_bytes(platform, &BTreeSet::from([site]), &layers),
        volumes: volume_bytes,
        repository: repository_bytes,
        logs: u64::try_from(logs).unwrap_or(0),
    })
}

/// The images of these sites and the layers of builds below them, each once. What they were built from is not theirs.
pub(crate) fn image_bytes(platform: &Platform, sites: &BTreeSet<SiteId>, layers: &[Image]) -> u64 {
    let ours = labels::of_instance(platform);
    let is_ours = |labels: &docker::Labels| {
        ours.iter().all(|(key, value)| labels.get(key) == Some(value))
            && labels.get(labels::SITE).and_then(|id| id.parse().ok()).is_some_and(|id| sites.contains(&id))
    };
    let all = eviction::by_id(layers);
    let mut counted: BTreeSet<&ImageId> = BTreeSet::new();
    let images = layers.iter().filter(|image| !image.tags.is_empty());
    for image in images.filter(|image| is_ours(&image.labels)) {
        count(platform, image, &all, &mut counted);
    }
    eviction::total(counted.iter().filter_map(|id| all.get(id).copied()), &all)
}

fn count<'a>(
    platform: &Platform,
    image: &'a Image,
    all: &BTreeMap<&'a ImageId, &'a Image>,
    counted: &mut BTreeSet<&'a ImageId>,
) {
    let mut next = Some(image);
    while let Some(image) = next.filter(|image| counted.insert(&image.id)) {
        next = image.parent.as_ref().and_then(|id| all.get(id)).copied().filter(|below| is_layer(platform, below));
    }
}

/// Bytes on the disk of everything in a folder, links not followed; `None` where it cannot be looked into, as from
/// another machine or a container.
pub(crate) fn folder_bytes(folder: &Path) -> Option<u64> {
    fs::read_dir(folder).ok()?;
    let (mut bytes, mut seen, mut folders) = (0, BTreeSet::new(), vec![PathBuf::from(folder)]);
    while let Some(folder) = folders.pop() {
        // Files come and go while they are counted.
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(meta) = entry.path().symlink_metadata() else { continue };
            if meta.is_dir() {
                folders.push(entry.path());
            }
            // A file with several names is there once. Blocks have 512 bytes, whatever the file system's are.
            if meta.nlink() < 2 || meta.is_dir() || seen.insert((meta.dev(), meta.ino())) {
                bytes += meta.blocks() * 512;
            }
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_counts_each_file_once_and_follows_no_link() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("below")).unwrap();
        fs::write(dir.path().join("below/a"), vec![1; 100_000]).unwrap();
        let one = folder_bytes(dir.path()).unwrap();
        assert!((100_000..200_000).contains(&one), "{one}");
        fs::hard_link(dir.path().join("below/a"), dir.path().join("b")).unwrap();
        std::os::unix::fs::symlink("/usr", dir.path().join("c")).unwrap();
        let again = folder_bytes(dir.path()).unwrap();
        assert!(again < one + 50_000, "{again}");
        assert_eq!(folder_bytes(&dir.path().join("none")), None);
    }
}

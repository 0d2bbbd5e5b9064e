//! Measures what teams take of the disk, now and then: it takes long, so nobody waits for it.

use crate::{Platform, Result, disk, labels};
use model::{SiteId, TeamId};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// So often it is measured.
const LOOK: Duration = Duration::from_mins(10);

/// Measures until it is told to stop.
pub async fn run(platform: Arc<Platform>, stop: CancellationToken) {
    loop {
        let work = async {
            if let Err(error) = measure(&platform).await {
                tracing::warn!(%error, "what teams take of the disk could not be measured");
            }
            tokio::time::sleep(LOOK).await;
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = work => {}
        }
    }
}

/// Measures all teams. What several sites of a team share is counted once, what several teams share for each.
pub(super) async fn measure(platform: &Platform) -> Result<()> {
    let mut conn = platform.pool.acquire().await?;
    let mut sites: BTreeMap<TeamId, BTreeSet<SiteId>> = BTreeMap::new();
    for (team, site) in store::quotas::sites_of_teams(&mut conn).await? {
        sites.entry(team).or_default().insert(site);
    }
    store::quotas::clear_disk(&mut conn).await?;
    let logs: BTreeMap<TeamId, i64> = store::quotas::log_bytes_of_teams(&mut conn).await?.into_iter().collect();
    drop(conn);
    let layers = platform.engine.list_layers().await?;
    for (team, sites) in sites {
        let images = disk::image_bytes(platform, &sites, &layers);
        let mut folders = vec![];
        for site in sites {
            folders.push(platform.repository(site));
            let volumes = platform.engine.list_volumes(&labels::of_site(platform, site)).await?;
            folders.extend(volumes.into_iter().map(|volume| volume.mountpoint));
        }
        let files = tokio::task::spawn_blocking(move || {
            folders.iter().filter_map(|folder| disk::folder_bytes(folder)).sum::<u64>()
        })
        .await
        .map_err(anyhow::Error::from)?;
        let bytes = i64::try_from(images.saturating_add(files)).unwrap_or(i64::MAX);
        let bytes = bytes.saturating_add(logs.get(&team).copied().unwrap_or_default());
        store::quotas::set_disk(&mut *platform.pool.acquire().await?, team, bytes).await?;
    }
    Ok(())
}

//! Removes a site and all that was made for it, and only that. Every part may be done again: an end in the middle is
//! taken up at the next look.

use crate::{Platform, Result, disk, labels, machine, previews, routes};
use anyhow::Context;
use docker::Labels;
use model::event::Event;
use std::path::Path;
use store::{environments::EnvironmentRow, sites::SiteRow};

/// Removes a site that is marked for it: route, containers, network, images, volumes (unless they are kept), folder,
/// repository, and last its rows.
pub(crate) async fn site(platform: &Platform, site: &SiteRow) -> Result<()> {
    let mut conn = platform.pool.acquire().await?;
    for environment in store::environments::of_site(&mut conn, site.team_id, site.id).await? {
        platform.proxy.remove(&routes::key(environment.id)).await?;
    }
    drop(conn);
    let filter = labels::of_site(platform, site.id);
    machine_parts(platform, &filter, site.delete_data.unwrap_or(false)).await?;
    images(platform, &filter).await?;
    disk::forget_site(platform, site.id).await?;
    folder(&platform.site_folder(site.home_team_id, site.id)).await?;
    forge::hosted::remove(&platform.repository(site.id)).await.context("removing a repository")?;

    let mut tx = platform.pool.begin().await?;
    store::sites::remove(&mut tx, site.team_id, site.id).await?;
    store::events::insert(&mut tx, site.team_id, &Event::Site { id: site.id, status: "deleted".into() }).await?;
    tx.commit().await?;
    tracing::info!(site = %site.id, slug = %site.slug, kept_data = !site.delete_data.unwrap_or(false), "site removed");
    Ok(())
}

/// Removes an environment that is marked for it: route, containers, network, volumes (unless they are kept), folder, and
/// last its rows. Its images are left to the reconciler: a release of another environment may run them.
pub(crate) async fn environment(platform: &Platform, row: &EnvironmentRow) -> Result<()> {
    platform.proxy.remove(&routes::key(row.id)).await?;
    let site = store::sites::by_id(&mut *platform.pool.acquire().await?, &[row.team_id], row.site_id).await?;
    let home = site.context("an environment has a site")?.home_team_id;
    let filter = labels::of_environment(platform, home, row.site_id, row.id);
    machine_parts(platform, &filter, row.delete_data.unwrap_or(false)).await?;
    folder(&platform.site_folder(home, row.site_id).join(&row.name)).await?;

    let mut tx = platform.pool.begin().await?;
    store::environments::remove(&mut tx, row.team_id, row.id).await?;
    let event = Event::Site { id: row.site_id, status: "changed".into() };
    store::events::insert(&mut tx, row.team_id, &event).await?;
    tx.commit().await?;
    let kept_data = !row.delete_data.unwrap_or(false);
    tracing::info!(site = %row.site_id, environment = %row.name, kept_data, "environment removed");
    if row.is_preview {
        // There is room for another one now.
        previews::resume(platform, row.team_id, row.site_id).await?;
    }
    Ok(())
}

/// Removes containers, networks and, if wanted, volumes with these labels.
async fn machine_parts(platform: &Platform, filter: &Labels, volumes: bool) -> Result<()> {
    let engine = &platform.engine;
    let there = engine.list_containers(filter).await?;
    futures::future::try_join_all(there.iter().map(|c| async {
        engine.stop(&c.id, machine::STOP_GRACE).await?;
        engine.remove(&c.id, true).await
    }))
    .await?;
    for network in engine.list_networks(filter).await? {
        engine.remove_network(&network.name).await?;
    }
    if volumes {
        for volume in engine.list_volumes(filter).await? {
            engine.remove_volume(&volume.name).await?;
        }
    }
    Ok(())
}

/// Removes images with these labels.
async fn images(platform: &Platform, filter: &Labels) -> Result<()> {
    for image in platform.engine.list_images(filter).await? {
        for tag in &image.tags {
            platform.engine.remove_image(tag).await?;
        }
    }
    Ok(())
}

/// Removes a folder and all in it; none is fine.
pub(crate) async fn folder(folder: &Path) -> Result<()> {
    match tokio::fs::remove_dir_all(folder).await {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(anyhow::Error::new(e).context(format!("removing {}", folder.display())).into()),
    }
}

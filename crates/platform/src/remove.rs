//! Removes a site and all that was made for it, and only that. Every part may be done again: an end in the middle is
//! taken up at the next look.

use crate::{Platform, Result, labels, machine, routes};
use anyhow::Context;
use docker::Labels;
use model::{EnvironmentId, event::Event};
use std::{collections::BTreeSet, path::Path};
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
    remove_folder(&platform.site_folder(site.team_id, site.id)).await?;
    forge::hosted::remove(&platform.repository(site.id)).await.context("removing a repository")?;

    let mut tx = platform.pool.begin().await?;
    store::sites::remove(&mut tx, site.team_id, site.id).await?;
    store::events::insert(&mut tx, site.team_id, &Event::Site { id: site.id, status: "deleted".into() }).await?;
    tx.commit().await?;
    tracing::info!(site = %site.id, slug = %site.slug, kept_data = !site.delete_data.unwrap_or(false), "site removed");
    Ok(())
}

/// Removes everything in Docker with these labels.
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
    for image in engine.list_images(filter).await? {
        for tag in &image.tags {
            engine.remove_image(tag).await?;
        }
    }
    Ok(())
}

/// Removes containers, networks and routes of environments that are no longer in the database: a crash in the middle
/// of a removal leaves no more than this.
pub(crate) async fn strangers(platform: &Platform, known: &[EnvironmentRow]) -> Result<()> {
    let mut conn = platform.pool.acquire().await?;
    let mut ids: BTreeSet<String> = known.iter().map(|e| e.id.to_string()).collect();
    for site in store::sites::to_remove(&mut conn).await? {
        let environments = store::environments::of_site(&mut conn, site.team_id, site.id).await?;
        ids.extend(environments.iter().map(|e| e.id.to_string()));
    }
    drop(conn);
    let filter = labels::of_instance(platform);
    let strange = |labels: &Labels| {
        labels.get(labels::ENVIRONMENT).is_some_and(|id| id.parse::<EnvironmentId>().is_ok() && !ids.contains(id))
    };
    for container in platform.engine.list_containers(&filter).await?.iter().filter(|c| strange(&c.labels)) {
        let environment = container.labels.get(labels::ENVIRONMENT).cloned().unwrap_or_default();
        if still_unknown(platform, &environment).await? {
            tracing::warn!(container = %container.name, "removed: its environment is no longer known");
            platform.engine.remove(&container.id, true).await?;
        }
    }
    for network in platform.engine.list_networks(&filter).await?.iter().filter(|n| strange(&n.labels)) {
        let environment = network.labels.get(labels::ENVIRONMENT).cloned().unwrap_or_default();
        if still_unknown(platform, &environment).await? {
            tracing::warn!(network = %network.name, "removed: its environment is no longer known");
            platform.engine.remove_network(&network.name).await?;
        }
    }
    for key in platform.proxy.list().await? {
        if !ids.contains(&key) && still_unknown(platform, &key).await? {
            tracing::warn!(%key, "a route was removed: its environment is no longer known");
            platform.proxy.remove(&key).await?;
        }
    }
    Ok(())
}

/// Asked again right before something is removed: it may have been made since the list was read.
async fn still_unknown(platform: &Platform, environment: &str) -> Result<bool> {
    let Ok(id) = environment.parse::<EnvironmentId>() else { return Ok(false) };
    let mut conn = platform.pool.acquire().await?;
    Ok(!store::environments::exists(&mut conn, id).await?)
}

async fn remove_folder(folder: &Path) -> Result<()> {
    match tokio::fs::remove_dir_all(folder).await {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(anyhow::Error::new(e).context(format!("removing {}", folder.display())).into()),
    }
}

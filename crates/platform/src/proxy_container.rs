//! The proxy's own container: kept running by the platform, and left running when the platform ends.

use crate::{Platform, Result, labels};
use anyhow::Context;
use docker::{Bind, PlatformContainer};
use std::{os::unix::fs::MetadataExt, time::Duration};

/// It has requests of all sites to finish.
const STOP_GRACE: Duration = Duration::from_secs(10);

/// The name of an installation's proxy.
pub fn name(instance: &str) -> String {
    format!("webmeteor-{instance}-proxy")
}

/// What today's settings come to: a container with another value is to be replaced. The folders that it sees are part
/// of it, for a mount goes on showing a folder that was removed, and not the one that has its name now.
pub(crate) fn settings(platform: &Platform) -> String {
    let wanted = platform.proxy.container();
    let folder = |bind: &proxy::ContainerBind| std::fs::metadata(&bind.host).ok().map(|found| found.ino());
    let folders: Vec<Option<u64>> = wanted.binds.iter().map(folder).collect();
    crate::vault::fingerprint(&format!("{wanted:?} {folders:?}"))
}

/// Makes the proxy's container with today's settings.
///
/// # Errors
/// The engine's.
pub(crate) async fn make(platform: &Platform) -> Result<()> {
    let wanted = platform.proxy.container();
    for bind in &wanted.binds {
        tokio::fs::create_dir_all(&bind.host).await.context("making the folder of the proxy's routes")?;
    }
    let mut labels = labels::of_instance(platform);
    labels.insert(labels::PROXY.into(), settings(platform));
    let spec = PlatformContainer {
        name: name(&platform.settings.instance),
        image: wanted.image,
        args: wanted.args,
        binds: wanted
            .binds
            .into_iter()
            .map(|b| Bind { host: b.host, container: b.container, read_only: true })
            .collect(),
        env: vec![],
        labels,
        memory_bytes: None,
        stop_timeout: STOP_GRACE,
    };
    platform.engine.start_platform_container(&spec).await?;
    Ok(())
}

/// Removes the proxy's container and makes it again.
///
/// # Errors
/// The engine's.
pub(crate) async fn replace(platform: &Platform) -> Result<()> {
    let name = name(&platform.settings.instance);
    platform.engine.stop(&name, STOP_GRACE).await?;
    platform.engine.remove(&name, true).await?;
    make(platform).await
}

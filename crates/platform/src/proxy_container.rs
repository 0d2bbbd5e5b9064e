//! The proxy's own container: kept running by the platform, and left running when the platform ends.

use crate::{Platform, Result, labels};
use anyhow::Context;
use docker::{Bind, PlatformContainer};
use std::time::Duration;

/// Marks the proxy's container, with the settings that it was started with.
const PROXY: &str = "webmeteor.proxy";

/// The name of an installation's proxy.
pub fn name(instance: &str) -> String {
    format!("webmeteor-{instance}-proxy")
}

/// Makes sure that the proxy runs with today's settings; one with other settings is replaced.
///
/// # Errors
/// The engine's.
pub async fn ensure(platform: &Platform) -> Result<()> {
    let wanted = platform.proxy.container();
    let name = name(&platform.settings.instance);
    let fingerprint = crate::vault::fingerprint(&format!("{wanted:?}"));
    match platform.engine.inspect(&name).await? {
        Some(there) if there.labels.get(PROXY) == Some(&fingerprint) => {
            if !there.running && !there.restarting {
                tracing::warn!("the proxy had ended; started again");
                platform.engine.start(&name).await?;
            }
            return Ok(());
        }
        Some(_) => {
            tracing::info!("the proxy has other settings than it should; replaced");
            platform.engine.stop(&name, Duration::from_secs(10)).await?;
            platform.engine.remove(&name, true).await?;
        }
        None => {}
    }
    for bind in &wanted.binds {
        tokio::fs::create_dir_all(&bind.host).await.context("making the folder of the proxy's routes")?;
    }
    let mut labels = labels::of_instance(platform);
    labels.insert(PROXY.into(), fingerprint);
    let spec = PlatformContainer {
        name,
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
        stop_timeout: Duration::from_secs(10),
    };
    platform.engine.start_platform_container(&spec).await?;
    tracing::info!(name = %spec.name, "proxy started");
    Ok(())
}

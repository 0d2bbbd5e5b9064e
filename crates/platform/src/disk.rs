//! Room on the disk: what logs, deliveries, images, layers and repositories may take, and what goes when it
//! is too much. Nothing that is not ours is ever touched, and nothing that a kept release needs.

mod eviction;
mod usage;

pub use usage::usage;
pub(crate) use usage::{folder_bytes, image_bytes};

use crate::{Platform, Result, deploy_keys, labels, previews};
use docker::{Image, STAGE_LABEL};
use eviction::Judgement;
use model::SiteId;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
    time::Duration,
};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

/// Everything is looked at this often.
const LOOK: Duration = Duration::from_mins(10);
/// Repositories are packed this often.
const PACK: Duration = Duration::from_hours(24);
/// Lines of logs that are removed at once: a longer transaction would hold up others.
const LINES: i64 = 5_000;
/// Deliveries that are removed at once, their bodies included.
const DELIVERIES: i64 = 200;
/// Where no budget is set, images may take this part of the engine's disk.
const SHARE: u64 = 5;

/// Keeps the disk in order until it is told to stop.
pub async fn run(platform: Arc<Platform>, stop: CancellationToken) {
    let mut packed: Option<tokio::time::Instant> = None;
    loop {
        let work = async {
            tidy(&platform).await;
            if packed.is_none_or(|at| at.elapsed() >= PACK) {
                pack_repositories(&platform).await;
                packed = Some(tokio::time::Instant::now());
            }
            tokio::time::sleep(LOOK).await;
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = work => {}
        }
    }
}

async fn tidy(platform: &Platform) {
    let told = |what: &str, done: Result<()>| {
        if let Err(error) = done {
            tracing::warn!(%error, "{what}");
        }
    };
    told("old logs could not be removed", prune_logs(platform).await);
    told("old deliveries could not be removed", prune_deliveries(platform).await);
    told("old webhook secrets could not be forgotten", forget_old_webhook_secrets(platform).await);
    told("unused deploy keys could not be forgotten", deploy_keys::forget_unused(platform).await);
    told("idle previews could not be removed", previews::tidy(platform).await);
    told("unused layers of builds could not be removed", keep_to_budget(platform).await);
}

fn before(kept: Duration) -> OffsetDateTime {
    OffsetDateTime::now_utc() - kept
}

async fn prune_logs(platform: &Platform) -> Result<()> {
    let before = before(platform.settings.limits.log_kept);
    let mut lines = 0;
    let mut conn = platform.pool.acquire().await?;
    while let Some(count) = store::logs::prune(&mut conn, before, LINES).await? {
        lines += count;
    }
    if lines > 0 {
        tracing::info!(lines, "removed lines of logs whose time was over");
    }
    Ok(())
}

async fn prune_deliveries(platform: &Platform) -> Result<()> {
    let before = before(platform.settings.limits.deliveries_kept);
    let mut conn = platform.pool.acquire().await?;
    while store::deliveries::prune(&mut conn, before, DELIVERIES).await? > 0 {}
    Ok(())
}

async fn forget_old_webhook_secrets(platform: &Platform) -> Result<()> {
    let mut conn = platform.pool.acquire().await?;
    Ok(store::sites::forget_old_webhook_secrets(&mut conn).await?)
}

async fn pack_repositories(platform: &Platform) {
    let folder = platform.settings.data_dir.join("repositories");
    for name in names_in(&folder).await.iter().filter(|name| name.strip_suffix(".git").is_some()) {
        if let Err(error) = forge::hosted::pack(&folder.join(name)).await {
            tracing::warn!(repository = name, %error, "a repository could not be packed");
        }
    }
}

async fn names_in(folder: &Path) -> Vec<String> {
    let mut names = vec![];
    if let Ok(mut entries) = tokio::fs::read_dir(folder).await {
        while let Ok(Some(entry)) = entries.next_entry().await {
            names.extend(entry.file_name().into_string());
        }
    }
    names
}

/// Images and layers that this installation made; layers are shared by all installations with the same scope.
fn is_ours(platform: &Platform, image: &Image) -> bool {
    match image.labels.get(labels::INSTANCE) {
        Some(instance) => *instance == platform.settings.instance,
        None => is_layer(platform, image),
    }
}

fn is_layer(platform: &Platform, image: &Image) -> bool {
    image.labels.get(STAGE_LABEL) == Some(&platform.settings.layer_scope)
}

/// Layers of builds that no image is built upon go until all images fit into their budget.
async fn keep_to_budget(platform: &Platform) -> Result<()> {
    let limits = &platform.settings.limits;
    let layers = platform.engine.list_layers().await?;
    let budget = match limits.image_budget {
        Some(budget) => budget,
        None => platform.engine.disk_usage().await?.total_bytes.map_or(u64::MAX, |total| total / SHARE),
    };
    let all = eviction::by_id(&layers);
    let total = eviction::total(layers.iter().filter(|image| is_ours(platform, image)), &all);
    if total <= budget {
        return Ok(());
    }
    let freed = evict(platform, &layers, total - budget).await?;
    let [total, budget, freed] = [total, budget, freed].map(model::size::human);
    tracing::info!(%total, %budget, %freed, "images took more than their budget; unused layers of builds were removed");
    Ok(())
}

/// Makes room for a build where there is too little, by removing layers of builds that no image is built upon.
///
/// # Errors
/// The engine's, the database's.
pub(crate) async fn make_room(platform: &Platform) -> Result<()> {
    let usage = platform.engine.disk_usage().await?;
    let short = usage.free_bytes.map_or(0, |free| platform.settings.limits.disk_floor.saturating_sub(free));
    if short > 0 {
        let layers = platform.engine.list_layers().await?;
        let freed = model::size::human(evict(platform, &layers, short).await?);
        tracing::info!(%freed, "removed unused layers of builds: the disk is nearly full");
    }
    Ok(())
}

/// What keeps a build from beginning: the folder whose disk has too little room, and how much it has.
pub(crate) async fn lack_of_room(platform: &Platform) -> docker::Result<Option<String>> {
    let floor = platform.settings.limits.disk_floor;
    let engine = platform.engine.disk_usage().await?;
    let of_data = rustix::fs::statvfs(&platform.settings.data_dir).ok().map(|disk| disk.f_bavail * disk.f_frsize);
    let lacks = |free: Option<u64>| free.filter(|free| *free < floor);
    let found = lacks(engine.free_bytes)
        .map(|free| ("the container engine", free))
        .or_else(|| lacks(of_data).map(|free| ("the platform's data", free)));
    Ok(found.map(|(whose, free)| {
        let (free, floor) = (model::size::human(free), model::size::human(floor));
        format!("The disk of {whose} has {free} left; nothing is built with less than {floor}.")
    }))
}

async fn evict(platform: &Platform, layers: &[Image], bytes: u64) -> Result<u64> {
    let mut conn = platform.pool.acquire().await?;
    let uses = store::image_uses::all(&mut conn).await?;
    let oldest_build = store::deployments::oldest_build(&mut conn).await?;
    drop(conn);
    let going = {
        // What somebody builds upon a layer of ours inherits its label; only builds of ours were noted.
        let is_noted = |image: &Image| uses.contains_key(image.id.short());
        let judgement = Judgement {
            is_cache: &|image| is_ours(platform, image) && is_layer(platform, image) && is_noted(image),
            last_use: &|image| last_use(image, &uses),
            in_use_since: oldest_build.unwrap_or_else(OffsetDateTime::now_utc),
        };
        eviction::plan(layers, &judgement, bytes)
    };
    let all = eviction::by_id(layers);
    let mut freed = 0;
    for id in &going {
        match platform.engine.remove_layer(id).await {
            Ok(()) => freed += all.get(id).map_or(0, |image| eviction::own_bytes(image, &all)),
            // A container runs from it, or a build that began meanwhile stands upon it.
            Err(docker::Error::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let there: Vec<String> =
        layers.iter().filter(|image| !going.contains(&image.id)).map(|image| image.id.short().to_owned()).collect();
    let mut conn = platform.pool.acquire().await?;
    store::image_uses::keep(&mut conn, &there).await?;
    Ok(freed)
}

fn last_use(image: &Image, uses: &BTreeMap<String, OffsetDateTime>) -> OffsetDateTime {
    let made = image.created_at.unwrap_or(OffsetDateTime::UNIX_EPOCH);
    uses.get(image.id.short()).copied().unwrap_or(made).max(made)
}

/// Removes the layers that this site's builds used last and that nothing is built upon: they hold its files.
pub(crate) async fn forget_site(platform: &Platform, site: SiteId) -> Result<()> {
    let mut conn = platform.pool.acquire().await?;
    let used: BTreeSet<String> = store::image_uses::of_site(&mut conn, site).await?.into_iter().collect();
    drop(conn);
    if used.is_empty() {
        return Ok(());
    }
    let layers = platform.engine.list_layers().await?;
    let going = {
        let is_used = |image: &Image| used.contains(image.id.short());
        let judgement = Judgement {
            is_cache: &|image| is_ours(platform, image) && is_layer(platform, image) && is_used(image),
            last_use: &|image| image.created_at.unwrap_or(OffsetDateTime::UNIX_EPOCH),
            in_use_since: OffsetDateTime::now_utc(),
        };
        eviction::plan(&layers, &judgement, u64::MAX)
    };
    for id in going {
        match platform.engine.remove_layer(&id).await {
            Ok(()) | Err(docker::Error::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

//! Builds the images, one service after another, the log streamed while they are built.

use super::{Run, Stop};
use docker::{BuildContext, BuildError, BuildRequest};
use model::{
    deployment::FailureCode,
    plan::{ContainerPlan, ReleasePlan},
    site::ServiceSource,
};
use std::time::{Duration, Instant};

/// A build may take so long.
const TIME_LIMIT: Duration = Duration::from_mins(20);
/// Each step of a build may use so much memory.
const MEMORY: u64 = 2 * 1024 * 1024 * 1024;
/// No build begins with less room on the disk.
const LEAST_FREE: u64 = 1024 * 1024 * 1024;

pub(super) async fn run(run: &Run, plan: &ReleasePlan) -> Result<(), Stop> {
    let usage = run.platform.engine.disk_usage().await?;
    if let Some(free) = usage.free_bytes.filter(|free| *free < LEAST_FREE) {
        return Err(Stop::failed(
            FailureCode::DiskFull,
            format!("The disk has {} MB left; a build needs at least 1 GB.", free / 1_000_000),
        ));
    }
    for container in plan.containers.iter().filter(|c| !c.stateful) {
        match &container.spec.source {
            ServiceSource::Image(image) => ready_image(run, container, image).await?,
            ServiceSource::Build { folder, generated } => {
                one(run, container, folder, generated.clone()).await?;
            }
        }
    }
    Ok(())
}

async fn ready_image(run: &Run, container: &ContainerPlan, image: &str) -> Result<(), Stop> {
    if run.platform.engine.image_exists(image).await? {
        run.log.say(format!("{}: image {image} is here", container.service)).await;
        return Ok(());
    }
    run.log.say(format!("{}: pulling image {image}", container.service)).await;
    run.unless_interrupted(run.platform.engine.pull_image(image, TIME_LIMIT)).await?.map_err(|e| match e {
        e if e.is_temporary() => Stop::Later(e.to_string()),
        e => Stop::service(
            FailureCode::ImageUnavailable,
            &container.service,
            format!("The image {image} could not be pulled: {e}"),
        ),
    })
}

async fn one(run: &Run, container: &ContainerPlan, folder: &str, generated: Option<String>) -> Result<(), Stop> {
    let begun = Instant::now();
    run.log.say(format!("{}: building", container.service)).await;
    let mut request =
        BuildRequest::new(BuildContext { root: run.folder(), folder: folder.to_owned() }, container.image.clone());
    request.dockerfile = generated;
    request.labels = run.labels(container.service.as_str());
    request.memory_bytes = Some(MEMORY);
    request.time_limit = TIME_LIMIT;

    let (lines, mut inbox) = tokio::sync::mpsc::channel::<docker::LogLine>(1_024);
    let work = run.platform.engine.build(request, lines, run.cancel.clone());
    let copy = async {
        while let Some(line) = inbox.recv().await {
            run.log.line(line.stream, &line.text).await;
        }
    };
    let (built, ()) = tokio::join!(work, copy);
    let service = &container.service;
    match built {
        Ok(_) => {
            run.log.say(format!("{service}: built in {:.1} s", begun.elapsed().as_secs_f64())).await;
            Ok(())
        }
        Err(BuildError::Cancelled) => Err(Stop::Interrupted),
        Err(BuildError::Engine(e)) if e.is_temporary() => Err(Stop::Later(e.to_string())),
        Err(BuildError::DiskFull(words)) => Err(Stop::service(FailureCode::DiskFull, service, words)),
        Err(e @ BuildError::TimeLimit(_)) => Err(Stop::service(FailureCode::BuildTimeout, service, e.to_string())),
        Err(e) => Err(Stop::service(FailureCode::BuildFailed, service, e.to_string())),
    }
}

/// Removes the images of a deployment that did not become a release.
pub(super) async fn remove_images(run: &Run) {
    let mut filter = run.environment_labels();
    filter.insert(crate::labels::DEPLOYMENT.into(), run.row.id.to_string());
    match run.platform.engine.list_images(&filter).await {
        Ok(images) => {
            for image in images {
                for tag in &image.tags {
                    if let Err(error) = run.platform.engine.remove_image(tag).await {
                        tracing::warn!(%tag, %error, "an image could not be removed");
                    }
                }
            }
        }
        Err(error) => tracing::warn!(deployment = %run.row.id, %error, "images could not be listed"),
    }
}

//! Builds the images of all services at once, the log streamed while they are built.

use super::{Run, Stop};
use crate::{confines::Confines, disk, labels, plan};
use docker::{BuildContext, BuildError, BuildRequest};
use futures::future::try_join_all;
use model::{
    deployment::FailureCode,
    names::ServiceName,
    plan::{ContainerPlan, ReleasePlan},
    site::ServiceSource,
    size,
};
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

/// Between two looks at the disk while something is built.
const LOOK: Duration = Duration::from_secs(2);
/// Layers of one build whose use is noted; more are a program's doing.
const MOST_LAYERS: usize = 500;

pub(super) async fn run(run: &Run, plan: &ReleasePlan) -> Result<(), Stop> {
    disk::make_room(&run.platform).await?;
    if let Some(why) = disk::lack_of_room(&run.platform).await? {
        return Err(Stop::failed(FailureCode::DiskFull, why));
    }
    let confines = Confines::make(&run.platform, run.row.id).await?;
    let containers: Vec<_> = plan.containers.iter().filter(|c| !c.stateful).collect();
    let is_built = |c: &&&ContainerPlan| matches!(c.spec.source, ServiceSource::Build { .. });
    let are_several = containers.iter().filter(is_built).count() > 1;
    // The first that fails ends the others.
    try_join_all(containers.into_iter().map(async |container| {
        match &container.spec.source {
            ServiceSource::Image(image) => ready_image(run, container, image).await?,
            ServiceSource::Build { folder, generated } => {
                let mark = if are_several { format!("{} | ", container.service) } else { String::new() };
                one(run, &confines, container, folder, generated.clone(), &mark).await?;
            }
        }
        check_size(run, container).await
    }))
    .await?;
    Ok(())
}

async fn ready_image(run: &Run, container: &ContainerPlan, image: &str) -> Result<(), Stop> {
    if run.platform.engine.image_exists(image).await? {
        run.log.say(format!("{}: image {image} is here", container.service)).await;
        return Ok(());
    }
    run.log.say(format!("{}: pulling image {image}", container.service)).await;
    let limit = run.platform.settings.deadlines.build;
    run.platform.engine.pull_image(image, limit).await.map_err(|e| match e {
        docker::Error::Unavailable(_) => e.into(),
        e => Stop::no_image(&container.service, &e, format!("The image {image} could not be pulled: {e}")),
    })
}

async fn check_size(run: &Run, container: &ContainerPlan) -> Result<(), Stop> {
    let most = run.platform.settings.limits.image_bytes;
    let image = run.platform.engine.image(&container.image).await?;
    let Some(bytes) = image.map(|image| image.size_bytes).filter(|bytes| *bytes > most) else { return Ok(()) };
    let (bytes, most) = (size::human(bytes), size::human(most));
    let words = format!("Its image has {bytes}; at most {most} are allowed.");
    Err(Stop::service(FailureCode::ImageTooLarge, &container.service, words))
}

async fn one(
    run: &Run,
    confines: &Confines,
    container: &ContainerPlan,
    folder: &str,
    generated: Option<String>,
    mark: &str,
) -> Result<(), Stop> {
    let begun = Instant::now();
    let service = &container.service;
    run.log.say(format!("{service}: building")).await;
    let limits = &run.platform.settings.limits;
    let mut request =
        BuildRequest::new(BuildContext { root: run.source(), folder: folder.to_owned() }, container.image.clone());
    request.dockerfile = generated;
    request.labels = labels::of_image(run.environment_labels(), service.as_str());
    request.layer_scope.clone_from(&run.platform.settings.layer_scope);
    request.memory_bytes = Some(limits.build_memory);
    request.cpu_millis = limits.build_cpu_millis;
    request.cgroup_parent = confines.cgroup_parent();
    request.network = confines.network();
    request.time_limit = run.platform.settings.deadlines.build;

    let (lines, mut inbox) = tokio::sync::mpsc::channel::<docker::LogLine>(1_024);
    // Whichever ends first drops the others, and with the build's call the build itself ends.
    let work = async {
        tokio::select! {
            built = run.platform.engine.build(request, lines, run.cancel.clone()) => {
                built.map(|_| ()).map_err(|error| failed(run, confines, service, error))
            }
            () = confines.until_overrun() => Err(too_many_processes(run, service)),
            why = until_disk_low(run) => Err(Stop::service(FailureCode::DiskFull, service, why)),
        }
    };
    let (named, mut layers) = tokio::sync::mpsc::unbounded_channel();
    let copy = async move {
        let (mut seen, mut steps) = (BTreeSet::new(), Steps::default());
        while let Some(line) = inbox.recv().await {
            if seen.len() < MOST_LAYERS
                && let Some(layer) = layer(&line.text)
                && seen.insert(layer.to_owned())
            {
                let _ = named.send(layer.to_owned());
            }
            if let Some(text) = steps.shown(&line.text) {
                run.log.line(line.stream, &format!("{mark}{text}")).await;
            }
        }
    };
    // Beside the lines, which do not wait for it.
    let note = async {
        let mut some = vec![];
        while layers.recv_many(&mut some, MOST_LAYERS).await > 0 {
            note_use(run, &some).await;
            some.clear();
        }
    };
    let (built, (), ()) = tokio::join!(work, copy, note);
    built?;
    run.log.say(format!("{service}: built in {:.1} s", begun.elapsed().as_secs_f64())).await;
    Ok(())
}

fn failed(run: &Run, confines: &Confines, service: &ServiceName, error: BuildError) -> Stop {
    match error {
        BuildError::Cancelled => Stop::Interrupted,
        BuildError::Engine(e @ docker::Error::RegistryDown(_)) => {
            let words = format!("An image that the build begins with could not be pulled: {e}");
            Stop::no_image(service, &e, words)
        }
        BuildError::Engine(e) if e.is_temporary() => e.into(),
        BuildError::DiskFull(words) => Stop::service(FailureCode::DiskFull, service, words),
        BuildError::NoDockerfile { .. } => Stop::service(FailureCode::DockerfileMissing, service, format!("{error}.")),
        BuildError::TimeLimit(_) => Stop::service(FailureCode::BuildTimeout, service, error.to_string()),
        BuildError::OutOfMemory(words) => {
            let most = size::human(run.platform.settings.limits.build_memory);
            let words = format!("The build used more than its {most} of memory, and was ended. {words}");
            Stop::service(FailureCode::BuildOutOfMemory, service, words)
        }
        BuildError::Failed { .. } if confines.reached_most_processes() => too_many_processes(run, service),
        other => Stop::service(FailureCode::BuildFailed, service, other.to_string()),
    }
}

fn too_many_processes(run: &Run, service: &ServiceName) -> Stop {
    let most = run.platform.settings.limits.build_processes;
    let words = format!("The build tried to run more than its {most} processes at once, and was ended.");
    Stop::service(FailureCode::BuildTooManyProcesses, service, words)
}

/// Ends once so little is left of the disk that others would suffer: half of what a build needs to begin.
async fn until_disk_low(run: &Run) -> String {
    let least = run.platform.settings.limits.disk_floor / 2;
    loop {
        tokio::time::sleep(LOOK).await;
        let usage = run.platform.engine.disk_usage().await.ok();
        if let Some(free) = usage.and_then(|usage| usage.free_bytes).filter(|free| *free < least) {
            let free = size::human(free);
            return format!("The build was ended: the disk has {free} left.");
        }
    }
}

/// The engine's lines as people are shown them: its steps are counted with those that were added for the labels, so they
/// go without numbers, and those that were added go without a word.
#[derive(Default)]
struct Steps {
    is_ours: bool,
}

impl Steps {
    fn shown<'a>(&mut self, line: &'a str) -> Option<&'a str> {
        let step = line.strip_prefix("Step ").and_then(|rest| rest.split_once(" : "));
        if let Some((_, instruction)) = step.filter(|(place, _)| is_place(place)) {
            self.is_ours = instruction.strip_prefix("LABEL \"").is_some_and(|labels| labels.starts_with("webmeteor."));
            return (!self.is_ours).then_some(instruction);
        }
        self.is_ours &= line.starts_with(" ---> ");
        (!self.is_ours).then_some(line)
    }
}

/// `3/13`.
fn is_place(text: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    text.split_once('/').is_some_and(|(number, all)| is_number(number) && is_number(all))
}

/// The layer that a line of the engine's names: ` ---> 0123456789ab`.
fn layer(line: &str) -> Option<&str> {
    let id = line.strip_prefix(" ---> ")?;
    (id.len() == 12 && id.bytes().all(|b| b.is_ascii_hexdigit())).then_some(id)
}

/// So that what is used goes last. What a program prints in this form names nothing, or an image that is not ours.
async fn note_use(run: &Run, layers: &[String]) {
    let noted = async {
        let mut tx = run.platform.pool.begin().await?;
        store::without_waiting_for_the_disk(&mut tx).await?;
        store::image_uses::note(&mut tx, run.row.site_id, layers).await?;
        tx.commit().await
    };
    if let Err(error) = noted.await {
        tracing::debug!(%error, "the use of layers was not noted");
    }
}

/// Removes the images of a deployment that did not become a release. What another deployment made the same of keeps that
/// one's tag.
pub(super) async fn remove_images(run: &Run) {
    match run.platform.engine.list_images(&run.environment_labels()).await {
        Ok(images) => {
            let tags = images.iter().flat_map(|image| &image.tags);
            for tag in tags.filter(|tag| plan::is_image_of(tag, run.row.id)) {
                if let Err(error) = run.platform.engine.remove_image(tag).await {
                    tracing::warn!(%tag, %error, "an image could not be removed");
                }
            }
        }
        Err(error) => tracing::warn!(deployment = %run.row.id, %error, "images could not be listed"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Steps, layer};

    #[test]
    fn steps_that_were_added_are_not_shown_and_the_others_not_numbered() {
        let mut steps = Steps::default();
        let said = [
            "Step 1/4 : FROM debian",
            " ---> bc439bcfe3fb",
            "Step 2/4 : LABEL \"webmeteor.build\"=\"shared\"",
            " ---> Using cache",
            " ---> b1e0a4f4908c",
            "Step 3/4 : LABEL \"mine\"=\"1\"",
            " ---> Running in 7f3345d0bb9b",
            "Step by step : words of a program",
            "Step 4/4 : LABEL \"webmeteor.site\"=\"x\"",
            " ---> Running in 7f3345d0bb9b",
            "Successfully built 0123456789ab",
        ];
        let shown: Vec<_> = said.into_iter().filter_map(|line| steps.shown(line)).collect();
        assert_eq!(
            shown,
            [
                "FROM debian",
                " ---> bc439bcfe3fb",
                "LABEL \"mine\"=\"1\"",
                " ---> Running in 7f3345d0bb9b",
                "Step by step : words of a program",
                "Successfully built 0123456789ab",
            ]
        );
    }

    #[test]
    fn a_layer_is_read_from_the_engines_lines_alone() {
        assert_eq!(layer(" ---> 0123456789ab"), Some("0123456789ab"));
        for other in [" ---> Running in 0123456789ab", " ---> Using cache", "---> 0123456789ab", " ---> 0123456789abc"]
        {
            assert_eq!(layer(other), None, "{other}");
        }
    }
}

//! Gets the commit and finds out what the repository asks for.

use super::{Run, Stop};
use crate::{Error, previews, sites::repository_credentials};
use forge::{
    git::{CheckedOut, Checkout, FetchError, PullHead},
    webhook::Provider,
};
use model::{
    deployment::{FailureCode, Stream},
    names::{BranchName, CommitSha},
    site::{Manifest, ServiceSource, Source},
};

/// A checkout may be so large.
const MOST_BYTES: u64 = 2 * 1024 * 1024 * 1024;

impl From<FetchError> for Stop {
    fn from(error: FetchError) -> Self {
        if error.temporary { Self::later(error.code, error.message) } else { Self::failed(error.code, error.message) }
    }
}

pub(super) async fn run(run: &Run) -> Result<Manifest, Stop> {
    let folder = run.folder();
    run.remove_folder().await;
    if let Some(builds) = folder.parent() {
        tokio::fs::create_dir_all(builds).await.map_err(|e| disk(&e))?;
    }

    let branch = run.row.branch.as_deref().unwrap_or(&run.environment.branch);
    let branch = BranchName::parse(branch).map_err(|e| Stop::failed(FailureCode::RefNotFound, e.message))?;
    let commit = run
        .row
        .commit_sha
        .as_deref()
        .map(CommitSha::parse)
        .transpose()
        .map_err(|e| Stop::failed(FailureCode::RefNotFound, e.message))?;

    let (lines, mut inbox) = tokio::sync::mpsc::unbounded_channel::<String>();
    let work = async move {
        let say = move |line: &str| {
            let _ = lines.send(line.to_owned());
        };
        check_out(run, branch, commit, &say).await
    };
    let copy = async {
        while let Some(line) = inbox.recv().await {
            run.log.line(Stream::Stdout, &line).await;
        }
    };
    let (checked_out, ()) = tokio::join!(Box::pin(work), copy);
    let checked_out = checked_out?;

    let mut conn = run.platform.pool.acquire().await?;
    store::queue::set_commit(
        &mut conn,
        run.lease,
        checked_out.commit.as_str(),
        &checked_out.message,
        &checked_out.author,
    )
    .await?;
    drop(conn);
    let subject = checked_out.message.lines().next().unwrap_or_default();
    run.log.say(format!("Commit {} “{subject}” by {}", &checked_out.commit.as_str()[..12], checked_out.author)).await;

    let source = run.source();
    if !tokio::fs::try_exists(&source).await.map_err(|e| disk(&e))? {
        let root = &run.environment.root;
        let words = format!("The root folder “{root}” is not in this commit; see the environment's settings.");
        return Err(Stop::failed(FailureCode::NothingToDeploy, words));
    }
    let manifest = tokio::task::spawn_blocking(move || forge::discover::discover(&source))
        .await
        .map_err(Stop::internal)?
        .map_err(|e| Stop::failed(e.code, e.message))?;
    describe(run, &manifest).await;
    Ok(manifest)
}

async fn check_out(
    run: &Run,
    branch: BranchName,
    commit: Option<CommitSha>,
    say: forge::git::LogFn<'_>,
) -> Result<CheckedOut, Stop> {
    let into = run.folder();
    match &run.site.source.0 {
        Source::Git { url, .. } => {
            let request = forge::git::FetchRequest {
                head: pull_head(run, commit.as_ref()).await?,
                url: url.clone(),
                credentials: repository_credentials(&run.platform, &run.site).await.map_err(no_token)?,
                branch,
                commit,
                into: &into,
                allow_private: run.platform.settings.allow_private_repositories,
                max_bytes: MOST_BYTES,
                timeout: run.platform.settings.deadlines.fetch,
            };
            Ok(forge::git::fetch(request, &run.cancel, say).await?)
        }
        Source::Template(_) | Source::Hosted {} => {
            let repository = run.platform.repository(run.site.id);
            let what = commit.map_or(Checkout::Branch(branch), Checkout::Commit);
            Ok(forge::hosted::checkout(&repository, &what, &into, MOST_BYTES, &run.cancel, say).await?)
        }
    }
}

/// Where the forge keeps what a preview is built from, if it may be built; `None`: on a branch of the repository.
async fn pull_head(run: &Run, commit: Option<&CommitSha>) -> Result<Option<PullHead>, Stop> {
    let environment = &run.environment;
    let mut conn = run.platform.pool.acquire().await?;
    match previews::may_build(&mut conn, environment, commit.map(AsRef::as_ref)).await {
        Err(crate::Error::Problem(problem)) => {
            return Err(Stop::failed(FailureCode::RepositoryRefused, problem.detail));
        }
        judged => judged?,
    }
    let pull = store::pull_requests::of_environment(&mut conn, environment.team_id, environment.id).await?;
    Ok(pull.and_then(|pull| {
        let number = u64::try_from(pull.number).ok()?;
        match previews::provider(&pull) {
            Provider::GitHub | Provider::Gitea => Some(PullHead::Pull(number)),
            Provider::GitLab => Some(PullHead::MergeRequest(number)),
            Provider::Bitbucket => None,
        }
    }))
}

/// GitHub gives no token out, for now or until somebody does what it says.
fn no_token(error: Error) -> Stop {
    match error {
        Error::Problem(problem) if problem.status == 503 => Stop::later(FailureCode::FetchFailed, problem.detail),
        Error::Problem(problem) => Stop::failed(FailureCode::FetchFailed, problem.detail),
        other => other.into(),
    }
}

async fn describe(run: &Run, manifest: &Manifest) {
    let names: Vec<String> = manifest.services.iter().map(|s| format!("{} (port {})", s.name, s.port)).collect();
    let database = if manifest.postgres { ", and a PostgreSQL database" } else { "" };
    run.log.say(format!("Found by {}: {}{database}", manifest.found_by, names.join(", "))).await;
    for service in &manifest.services {
        if let ServiceSource::Build { generated: Some(text), .. } = &service.source {
            run.log.say(format!("No Dockerfile for {}; this one is used:", service.name)).await;
            for line in text.lines() {
                run.log.say(format!("    {line}")).await;
            }
        }
    }
}

fn disk(error: &std::io::Error) -> Stop {
    match error.kind() {
        std::io::ErrorKind::StorageFull => {
            Stop::failed(FailureCode::DiskFull, "The disk has no room for the repository.")
        }
        _ => Stop::internal(error),
    }
}

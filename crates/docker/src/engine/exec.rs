//! Commands in running containers.

use super::{CALL, checked, within};
use crate::{Error, ExecOutput, Result};
use bollard::{
    Docker,
    container::LogOutput,
    exec::{CreateExecOptions, StartExecOptions, StartExecResults},
};
use futures::StreamExt;
use std::time::Duration;

/// More output than this is not kept.
const MOST: usize = 1024 * 1024;

pub(super) async fn exec(docker: &Docker, name: &str, argv: &[String], limit: Duration) -> Result<ExecOutput> {
    let options = CreateExecOptions::<String> {
        cmd: Some(argv.to_vec()),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        ..CreateExecOptions::default()
    };
    let id = within(CALL, docker.create_exec(checked(name)?, options)).await?.id;
    let (stdout, stderr) =
        tokio::time::timeout(limit, run(docker, &id)).await.map_err(|_| Error::TimeLimit(limit))??;
    let ended = within(CALL, docker.inspect_exec(&id)).await?;
    Ok(ExecOutput {
        exit_code: ended.exit_code.unwrap_or(-1),
        stdout: String::from_utf8_lossy(&stdout).into_owned(),
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    })
}

async fn run(docker: &Docker, id: &str) -> Result<(Vec<u8>, Vec<u8>)> {
    let (mut stdout, mut stderr) = (vec![], vec![]);
    let started = docker.start_exec(id, Some(StartExecOptions::default())).await?;
    if let StartExecResults::Attached { mut output, .. } = started {
        while let Some(piece) = output.next().await {
            match piece? {
                LogOutput::StdErr { message } => keep(&mut stderr, &message),
                other => keep(&mut stdout, &other.into_bytes()),
            }
        }
    }
    Ok((stdout, stderr))
}

fn keep(all: &mut Vec<u8>, piece: &[u8]) {
    let room = MOST.saturating_sub(all.len()).min(piece.len());
    all.extend_from_slice(&piece[..room]);
}

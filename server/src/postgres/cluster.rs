//! The cluster: made once, in one step.

use super::{Error, io_error, place, place::Place, process::as_account, programs::Programs};
use std::fs;

/// Makes the cluster unless it is there. It is made beside its place and moved there when it is whole, so that a
/// crash half-way leaves nothing that looks like a cluster.
pub async fn ensure(place: &Place, programs: &Programs) -> Result<(), Error> {
    if place.version().is_some() {
        return Ok(());
    }
    tracing::info!(version = programs.version, folder = %place.cluster.display(), "making the database");
    let half = place.folder.join("cluster.new");
    if half.exists() {
        fs::remove_dir_all(&half).map_err(io_error(&half))?;
    }
    let output = as_account(&programs.initdb, place)
        .arg("--pgdata")
        .arg(&half)
        .args(["--username", place::ROLE, "--auth", "trust", "--encoding", "UTF8", "--locale", "C"])
        .arg("--data-checksums")
        .output()
        .await
        .map_err(io_error(&programs.initdb))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        let _ = fs::remove_dir_all(&half);
        return Err(Error::Failed { program: "initdb", output: said });
    }
    fs::rename(&half, &place.cluster).map_err(io_error(&place.cluster))
}

//! The proxy's container as plain data: on the host's network, with one folder to read and nothing else of the host.

use crate::Settings;
use std::path::PathBuf;

/// The image; made or pulled by the set-up.
const IMAGE: &str = "traefik:v3";
/// Where the folder of dynamic files is inside the container.
const FOLDER: &str = "/dynamic";

/// A folder of the host inside the container, to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bind {
    /// On the host.
    pub host: PathBuf,
    /// In the container.
    pub container: String,
}

/// The container to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// The image.
    pub image: String,
    /// Traefik's static configuration, as arguments.
    pub args: Vec<String>,
    /// What it reads.
    pub binds: Vec<Bind>,
}

pub(crate) fn plan(settings: &Settings) -> Container {
    let Settings { folder, http_port, https_port, api_port } = settings;
    let args = vec![
        "--global.checknewversion=false".to_owned(),
        "--global.sendanonymoususage=false".to_owned(),
        "--log.level=WARN".to_owned(),
        format!("--entrypoints.web.address=:{http_port}"),
        format!("--entrypoints.websecure.address=:{https_port}"),
        // Uploads and streams take as long as they take; whoever sends nothing at all is cut off by the idle time.
        "--entrypoints.web.transport.respondingtimeouts.readtimeout=0s".to_owned(),
        "--entrypoints.websecure.transport.respondingtimeouts.readtimeout=0s".to_owned(),
        "--entrypoints.web.transport.lifecycle.gracetimeout=10s".to_owned(),
        "--entrypoints.websecure.transport.lifecycle.gracetimeout=10s".to_owned(),
        format!("--entrypoints.traefik.address=127.0.0.1:{api_port}"),
        "--api.insecure=true".to_owned(),
        "--api.dashboard=false".to_owned(),
        "--ping=true".to_owned(),
        "--metrics.prometheus=true".to_owned(),
        format!("--providers.file.directory={FOLDER}"),
        "--providers.file.watch=true".to_owned(),
        "--providers.providersthrottleduration=50ms".to_owned(),
    ];
    Container {
        image: IMAGE.to_owned(),
        args,
        binds: vec![Bind { host: folder.clone(), container: FOLDER.to_owned() }],
    }
}

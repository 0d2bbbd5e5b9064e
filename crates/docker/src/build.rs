//! What a build is asked for, and how it can fail.

use crate::{Error, Labels};
use std::{path::PathBuf, time::Duration};

/// Where the files of a build come from: a folder inside a checkout. Links inside it stay links; neither the folder
/// nor anything sent lies outside the checkout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildContext {
    /// The checkout.
    pub root: PathBuf,
    /// The folder in it, `.` for all of it. Its `.dockerignore` is honoured; `.git` is never sent.
    pub folder: String,
}

/// On every layer of a build, and on what is built upon it: by it alone are layers known that may be removed. Its value
/// is the scope: builds reuse the layers of their own scope only.
pub const STAGE_LABEL: &str = "webmeteor.build";

/// An image to build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildRequest {
    /// The files.
    pub context: BuildContext,
    /// The text of a Dockerfile made by the platform; `None`: the folder's own.
    pub dockerfile: Option<String>,
    /// The tag that the image gets.
    pub tag: String,
    /// Labels of the image.
    pub labels: Labels,
    /// The value of [`STAGE_LABEL`] on every layer.
    pub layer_scope: String,
    /// Build arguments.
    pub args: Labels,
    /// Bytes of memory for each step; it gets no swap beside it.
    pub memory_bytes: Option<u64>,
    /// Thousandths of a CPU for each step.
    pub cpu_millis: Option<u32>,
    /// A control group above those of the steps, whose limits hold for all builds together.
    pub cgroup_parent: Option<String>,
    /// The network of the steps; `None`: the engine's default bridge.
    pub network: Option<String>,
    /// The whole build may take so long.
    pub time_limit: Duration,
    /// Layers of earlier builds are not used.
    pub no_cache: bool,
}

impl BuildRequest {
    /// A build without limits but 30 minutes.
    pub fn new(context: BuildContext, tag: impl Into<String>) -> Self {
        Self {
            context,
            dockerfile: None,
            tag: tag.into(),
            labels: Labels::new(),
            layer_scope: "shared".into(),
            args: Labels::new(),
            memory_bytes: None,
            cpu_millis: None,
            cgroup_parent: None,
            network: None,
            time_limit: Duration::from_mins(30),
            no_cache: false,
        }
    }
}

/// Why there is no image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// A step failed; the engine's words.
    #[error("{message}")]
    Failed {
        /// Such as `The command '/bin/sh -c false' returned a non-zero code: 1`.
        message: String,
    },
    /// The folder has no Dockerfile, and none was generated.
    #[error("there is no Dockerfile in {folder}")]
    NoDockerfile {
        /// Relative to the checkout.
        folder: String,
    },
    /// The folder is not there, is no folder, or leads out of the checkout.
    #[error("{folder} is not a folder of the repository")]
    NoFolder {
        /// Relative to the checkout.
        folder: String,
    },
    /// The disk is full.
    #[error("{0}")]
    DiskFull(String),
    /// A step used more memory than it was given; the engine's words.
    #[error("{0}")]
    OutOfMemory(String),
    /// It was cancelled.
    #[error("the build was cancelled")]
    Cancelled,
    /// It took too long.
    #[error("the build took longer than {} s", .0.as_secs())]
    TimeLimit(Duration),
    /// The engine itself failed.
    #[error(transparent)]
    Engine(#[from] Error),
}

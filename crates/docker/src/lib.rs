//! The engine that runs containers: one trait, one implementation on bollard, and a fake for its faults.
//!
//! Every call is safe to repeat: what is already there is fine, and removing what is gone is done.

mod build;
mod context;
mod dockerfile;
mod dockerignore;
mod engine;
mod error;
pub mod fake;
mod lines;
mod runtime;
mod spec;
mod state;

pub use build::{BuildContext, BuildError, BuildRequest, STAGE_LABEL};
pub use engine::Engine;
pub use error::{Error, Result};
pub use runtime::{Labels, Runtime};
pub use spec::{Bind, HealthCommand, NetworkSpec, PlatformContainer, SiteContainer};
pub use state::{
    Cgroups, ContainerEvent, ContainerState, ContainerSummary, DiskUsage, EventKind, ExecOutput, Health, Image,
    ImageId, LogLine, NetworkState, Stats, Version, VolumeState,
};

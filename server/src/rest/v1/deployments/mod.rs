//! Deployments.

pub mod cancel;
pub mod create;
pub mod get;
pub mod list;
pub mod log;
pub mod promote;
pub mod redeploy;
pub mod rollback;

//! The real Traefik, in its container on the host's network, fed as the platform feeds it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod backend;
mod bench;
mod routing;
mod switching;

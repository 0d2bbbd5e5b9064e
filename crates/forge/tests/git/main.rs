//! Git for real: repositories kept on disk, fetched over HTTP from a server of this test's own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod fetching;
mod hosting;
mod looking;
mod over_ssh;
mod sshd;
mod support;

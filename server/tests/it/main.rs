//! The real program as a black box, one file for each noun.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod accounts;
mod git_http;
mod health;
mod managed_postgres;
mod pipeline;
mod problems;
mod sessions;
mod sockets;
mod start;
mod support;

//! The real engine, asked as the platform asks it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod bench;
mod builds;
mod containers;
mod isolation;
mod output;
mod things;

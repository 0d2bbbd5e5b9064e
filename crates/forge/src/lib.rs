//! Forges and Git: webhook signatures and payloads, fetching, hosted repositories, finding services.
//!
//! Everything here distrusts what it reads: signatures are checked over raw bytes, Git runs with arguments only and
//! with a configuration of its own, and a repository's files are looked at without following links out of it.

pub mod discover;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod git;
pub mod github;
pub mod hosted;
pub mod http;
pub mod links;
pub mod locks;
pub mod push;
pub mod report;
pub mod serve;
pub mod skip;
pub mod webhook;

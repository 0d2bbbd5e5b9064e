//! The real program as a black box, one file for each noun.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod accounts;
mod admin;
mod api_tokens;
mod audit;
#[path = "../../../crates/platform/src/sign_in/passkeys/authenticator.rs"]
#[allow(dead_code, reason = "the rest is for the tests of the crate itself")]
mod authenticator;
mod cancel;
mod confines;
mod conflicts;
mod deleting;
mod demo;
mod deploy_keys;
mod disk;
#[path = "../../../crates/platform/src/testing/dns.rs"]
#[allow(dead_code, reason = "the rest is for the tests of the crate itself")]
mod dns;
mod domains;
mod door;
mod dropless;
mod dump;
mod environments;
mod error_pages;
mod folder;
mod forges;
mod git_http;
mod health;
mod isolation;
mod keys;
mod logs;
mod mailed;
mod managed_postgres;
mod no_docker;
mod passkeys;
mod pipeline;
mod previews;
mod problems;
#[path = "../../../crates/platform/src/sign_in/providers/tests/provider.rs"]
#[allow(dead_code, reason = "the rest is for the tests of the crate itself")]
mod provider;
mod providers;
mod pushes;
mod pushes_cut_off;
mod queue;
mod reconcile;
#[path = "../../../crates/forge/tests/git/support.rs"]
#[allow(dead_code, reason = "the rest is for the tests of the crate itself")]
mod remote;
mod repository;
mod sessions;
mod sign_in;
mod sockets;
#[path = "../../../crates/forge/tests/git/sshd.rs"]
#[allow(dead_code, reason = "the rest is for the tests of the crate itself")]
mod sshd;
mod stand;
mod start;
mod support;
mod survival;
mod teams;
mod trouble;
mod webhooks;

//! What the store promises, against a real PostgreSQL: a test in each file for each statement that has a rule.
#![allow(clippy::unwrap_used)]

mod support;

mod deliveries;
mod deploy_keys;
mod domains;
mod environments;
mod logs_and_events;
mod pull_requests;
mod queue;
mod reconcile;
mod releases;
mod sites;
mod transfer;
mod variables;

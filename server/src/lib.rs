//! The one program of WebMeteor: configuration, routes, layers, sessions, sockets, shutdown.

// The pages' types are deep.
#![recursion_limit = "256"]

pub mod address;
pub mod api_docs;
mod audit_file;
pub mod auth;
pub mod background;
mod body;
pub mod cli;
mod client;
pub mod config;
pub mod database;
pub mod demo;
pub mod files;
pub mod git_http;
pub mod github;
pub mod ground;
pub mod health;
pub mod json;
mod jwks;
pub mod keys;
pub mod layers;
pub mod limits;
pub mod listener;
pub mod live;
pub mod lock;
mod log_file;
pub mod logging;
pub mod metrics;
pub mod page;
pub mod pages;
pub mod path;
pub mod ports;
pub mod postgres;
pub mod problem;
mod recent;
pub mod rest;
pub mod routes;
pub mod serve;
pub mod sessions;
mod sign_in;
mod signals;
pub mod sockets;
pub mod state;
pub mod waker;
pub mod webhooks;

//! The real program as a black box, one file for each noun.

mod accounts;
mod health;
mod managed_postgres;
mod problems;
mod sessions;
mod sockets;
mod start;
mod support;

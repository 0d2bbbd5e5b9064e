//! The real program as a black box, one file for each noun.

mod health;
mod managed_postgres;
mod problems;
mod sockets;
mod start;
mod support;

//! The only SQL: plain functions on a connection, the team first.

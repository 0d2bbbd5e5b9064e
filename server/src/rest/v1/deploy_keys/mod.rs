//! Keys that open repositories over SSH.

pub mod create;

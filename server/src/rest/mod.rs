//! The REST API, and the document that describes it.

pub mod document;
mod operation;
pub mod v1;

//! The REST API, and the document that describes it.

pub mod document;
mod operation;
mod sent;
pub mod v1;

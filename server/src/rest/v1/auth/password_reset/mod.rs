//! Another password by a mailed link.

pub mod confirm;
pub mod request;

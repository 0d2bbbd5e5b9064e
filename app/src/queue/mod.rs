//! The queue.

mod page;
pub mod server;

pub use page::{QueuePage, describe};

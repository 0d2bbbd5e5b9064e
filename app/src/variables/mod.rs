//! The variables of an environment, or of all previews: a page, and what it asks of the server.

mod page;
mod server;

pub use page::{PreviewVariablesPage, VariablesPage};

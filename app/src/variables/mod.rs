//! The variables of an environment: a page, and what it asks of the server.

mod page;
mod server;

pub use page::VariablesPage;

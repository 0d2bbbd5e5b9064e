//! Git for real: repositories kept on disk, fetched over HTTP from a server of this test's own.

mod fetching;
mod hosting;
mod looking;
mod support;

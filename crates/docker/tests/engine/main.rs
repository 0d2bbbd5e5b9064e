//! The real engine, asked as the platform asks it.

mod bench;
mod builds;
mod containers;
mod isolation;
mod output;
mod things;

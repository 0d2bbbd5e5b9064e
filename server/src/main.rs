//! The one program of WebMeteor.

use clap::Parser;
use server::cli::{self, Cli};
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run(Cli::parse())
}

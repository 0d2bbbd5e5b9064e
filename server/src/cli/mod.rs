//! The command line. Exit codes: 0 done, 1 failed, 2 bad usage or configuration.

mod doctor;
mod keys;
mod proxy_config;
mod user;

use crate::{
    config::Config,
    ground::Ground,
    logging, rest,
    serve::{self, Role},
};
use clap::{Parser, Subcommand};
use std::{path::PathBuf, process::ExitCode};

/// Exit code of a command that failed.
const FAILED: u8 = 1;
/// Exit code of bad usage, as `clap` has it, and of bad settings.
const BAD_USAGE: u8 = 2;

/// WebMeteor hosts sites on your own machines.
#[derive(Debug, Parser)]
#[command(name = "webmeteor", version, about, arg_required_else_help = true)]
pub struct Cli {
    /// A TOML file with settings; environment variables `WEBMETEOR_*` win over it
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the platform in the foreground
    Serve {
        /// What this process does
        #[arg(long, value_enum, value_delimiter = ',', default_value = "web,worker")]
        roles: Vec<Role>,
        /// Make a demo account and a first site where there is none
        #[arg(long)]
        demo: bool,
    },
    /// Bring the database's schema up to date
    Migrate,
    /// Check Docker, PostgreSQL, the proxy, ports, disk and clock
    Doctor,
    /// Print the settings in effect, secrets hidden
    Config,
    /// Print the OpenAPI document of the REST API
    Openapi,
    /// Print what a proxy or a gateway of your own needs
    #[command(subcommand)]
    Proxy(proxy_config::Command),
    /// Replace the keys that seal secrets and sign tokens
    #[command(subcommand)]
    Keys(keys::Command),
    /// Manage accounts
    #[command(subcommand)]
    User(user::Command),
}

/// Runs the command to its end.
pub fn run(cli: Cli) -> ExitCode {
    let config = match Config::from_process(cli.config.as_deref()) {
        Ok(config) => config,
        Err(wrong) => return fail(&wrong.to_string(), BAD_USAGE),
    };
    logging::start(&config);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.to_string(), FAILED),
    };
    // Several crates bring a cryptography of their own; only the first is taken, and it is this one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match runtime.block_on(execute(cli.command, config)) {
        Ok(code) => code,
        Err(error) => fail(&format!("{error:#}"), FAILED),
    }
}

async fn execute(command: Command, config: Config) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve { roles, demo } => serve::run(config, serve::Options { roles, demo }).await?,
        Command::Migrate => migrate(&config).await?,
        Command::Doctor => return Ok(doctor::run(&config).await),
        Command::Config => say(&config.to_string()),
        Command::Openapi => say(rest::document::text()),
        Command::Proxy(command) => say(&proxy_config::text(&command, &config)?),
        Command::Keys(command) => keys::run(command, &config).await?,
        Command::User(command) => user::run(command, &config).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn migrate(config: &Config) -> anyhow::Result<()> {
    let ground = Ground::beside(config).await?;
    ground.leave().await;
    say("The database's schema is up to date.");
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the answer of a command")]
fn say(text: &str) {
    println!("{}", text.trim_end());
}

#[expect(clippy::print_stderr, reason = "the answer of a command")]
fn fail(text: &str, code: u8) -> ExitCode {
    for line in text.lines() {
        eprintln!("error: {line}");
    }
    ExitCode::from(code)
}

//! `webmeteor user`: accounts from the machine itself, for the first one and for who is locked out.

use super::say;
use crate::{config::Config, ground::Ground};
use anyhow::Context;
use clap::Subcommand;
use platform::{
    Platform,
    accounts::{self, Registration},
    passwords, sign_in,
};
use std::io::{self, BufRead};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make an account with its personal team
    Create {
        /// Address to sign in with
        email: String,
        /// Name for people; the address's first part where it is left out
        #[arg(long)]
        name: Option<String>,
        /// An administrator of the platform
        #[arg(long)]
        admin: bool,
        /// Read the password from standard input; else a random one is made and printed
        #[arg(long)]
        password_stdin: bool,
    },
    /// Make an account an administrator of the platform
    Promote {
        /// Its address
        email: String,
    },
    /// Give an account a random password and end all its sessions
    ResetPassword {
        /// Its address
        email: String,
        /// Turn its second factor off too, for who has lost the phone and the recovery codes
        #[arg(long)]
        without_second_factor: bool,
    },
}

pub async fn run(command: Command, config: &Config) -> anyhow::Result<()> {
    let ground = Ground::beside(config).await?;
    let platform = ground.platform(config)?;
    let result = execute(command, &platform).await;
    platform.pool.close().await;
    ground.leave().await;
    say(&result?);
    Ok(())
}

async fn execute(command: Command, platform: &Platform) -> anyhow::Result<String> {
    match command {
        Command::Create { email, name, admin, password_stdin } => {
            let name = name.unwrap_or_else(|| email.split('@').next().unwrap_or_default().to_owned());
            let (password, told) = if password_stdin {
                (first_line()?, String::new())
            } else {
                let password = passwords::random();
                (password.clone(), format!("\npassword: {password}"))
            };
            let new = Registration { email, password, name, setup_token: None };
            let made = accounts::create_user(platform, new, admin).await.map_err(in_full)?;
            Ok(format!("Made the account {} with the team {}.{told}", made.user.email, made.team.slug))
        }
        Command::Promote { email } => {
            let user = accounts::promote(platform, &email).await.map_err(in_full)?;
            Ok(format!("{} is an administrator now.", user.email))
        }
        Command::ResetPassword { email, without_second_factor } => {
            let password = accounts::reset_password(platform, &email).await.map_err(in_full)?;
            let is_off = without_second_factor && sign_in::totp::rescue(platform, &email).await.map_err(in_full)?;
            let told = if is_off { "\nIts second factor is off." } else { "" };
            Ok(format!("All sessions of {email} have ended.{told}\npassword: {password}"))
        }
    }
}

fn first_line() -> anyhow::Result<String> {
    let line = io::stdin().lock().lines().next().context("standard input is empty")?;
    line.context("standard input cannot be read")
}

/// A problem with the sentences of all its fields.
fn in_full(error: platform::Error) -> anyhow::Error {
    match error {
        platform::Error::Problem(problem) if !problem.errors.is_empty() => {
            let lines: Vec<&str> = problem.errors.iter().map(|e| e.message.as_str()).collect();
            anyhow::anyhow!(lines.join("\n"))
        }
        other => other.into(),
    }
}

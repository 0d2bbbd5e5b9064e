//! The binary of the Socket.IO service: reads the environment, serves, stops on SIGTERM.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, Ipv6Addr, TcpStream},
    process::ExitCode,
    time::Duration,
};

use alert::{Settings, serve};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tracing_subscriber::EnvFilter;

const USAGE: &str = "\
webmeteor-alert: passes messages from a site's programs to its browsers

usage: webmeteor-alert            serve until SIGTERM
       webmeteor-alert health     ask the running service; exit 0 if it is well

environment:
  PORT                 where to listen (3001)
  DATABASE_URL         PostgreSQL whose notifications are passed on (none)
  ALERT_CHANNEL        their channel (alert)
  ALERT_REQUIRE_TOKEN  1: clients need a JWT signed with JWT_SECRET, HS256 (0)
  RUST_LOG             what to log (info)
";

fn main() -> ExitCode {
    let command = std::env::args().nth(1);
    match command.as_deref() {
        None | Some("health") => {}
        Some("help" | "--help" | "-h") => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Some(_) => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    }
    let settings = match Settings::from_env() {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("webmeteor-alert: {error}");
            return ExitCode::from(2);
        }
    };
    if command.is_some() {
        return if is_well(settings.port) { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    match run(settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("webmeteor-alert: {error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn run(settings: Settings) -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info")))
        .with_ansi(false)
        .init();

    // Both at once where the machine has IPv6, else IPv4 alone.
    let listener = match TcpListener::bind((Ipv6Addr::UNSPECIFIED, settings.port)).await {
        Ok(listener) => listener,
        Err(_) => TcpListener::bind((Ipv4Addr::UNSPECIFIED, settings.port)).await?,
    };
    tracing::info!(address = %listener.local_addr()?, "serving");

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    serve(listener, settings, async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
    .await?;
    Ok(())
}

/// Asks the service on this machine; for containers, whose image has no curl.
fn is_well(port: u16) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(Duration::from_secs(3)))?;
        stream.write_all(b"GET /health HTTP/1.0\r\n\r\n")?;
        let mut answer = Vec::new();
        stream.take(4096).read_to_end(&mut answer)?;
        Ok(answer.starts_with(b"HTTP/1.0 200") || answer.starts_with(b"HTTP/1.1 200"))
    };
    ask().unwrap_or(false)
}

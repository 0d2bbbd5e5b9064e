//! Log lines: for people on a terminal, JSON otherwise, always on standard error.

use crate::config::{Config, LogFormat};
use tracing_subscriber::EnvFilter;

/// Begins to log as the settings say; a second call in the same process changes nothing.
pub fn start(config: &Config) {
    // PostgreSQL's own notices ("already exists, skipping") are of no use to anybody, unless asked for.
    let quiet = format!("sqlx::postgres::notice=warn,{}", config.log);
    let filter = EnvFilter::try_new(quiet).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let _ = match config.log_format {
        LogFormat::Pretty => lines.with_target(false).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init(),
    };
}

//! Ctrl-C and SIGTERM: the first stops in good order, the second at once.

use std::io;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The exit code of a program that was interrupted.
const INTERRUPTED: i32 = 130;

/// Fires at the first signal; at the second the process ends without waiting for anything.
///
/// # Errors
/// If signals cannot be received.
pub fn stop_requested() -> io::Result<CancellationToken> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let stop = CancellationToken::new();
    let fire = stop.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if fire.is_cancelled() {
                tracing::warn!("told twice: ending at once");
                std::process::exit(INTERRUPTED);
            }
            fire.cancel();
        }
    });
    Ok(stop)
}

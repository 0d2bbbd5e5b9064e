//! Puts the parts together and runs them until told to stop.

use std::{
    future::{Future, IntoFuture},
    io,
    pin::pin,
    time::Duration,
};

use tokio::{net::TcpListener, sync::watch, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    DatabaseState, Settings, database,
    farewell::Farewell,
    http::{self, Context},
    hub::Hub,
    token::TokenCheck,
};

/// How long stopping may take before what is left is cut off.
const STOP_TIMEOUT: Duration = Duration::from_millis(1500);

/// Why the service ended on its own.
#[derive(Debug, thiserror::Error)]
#[error("cannot serve: {0}")]
pub struct ServeError(#[from] io::Error);

/// Serves on `listener` until `stop` is done, then closes the sockets and returns within two seconds.
///
/// `settings.port` plays no part: the listener is bound already.
///
/// # Errors
/// [`ServeError`] when the listener fails.
pub async fn serve(
    listener: TcpListener,
    settings: Settings,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let (hub, layer) = Hub::new(settings.token_secret.as_ref().map(TokenCheck::new));

    let (state, database) = watch::channel(match settings.database {
        Some(_) => DatabaseState::Connecting,
        None => DatabaseState::None,
    });
    let forwarding = settings.database.map(|settings| tokio::spawn(database::forward(settings, hub.clone(), state)));

    let stopping = CancellationToken::new();
    let hub_to_close = hub.clone();
    let router = http::routes(Context { hub, database }).layer(layer);
    let router = http::refuse_newcomers_when(stopping.clone(), router);

    let graceful = stopping.clone();
    let open = TaskTracker::new();
    let listener = Farewell { listener, stopping: stopping.clone(), open: open.clone() };
    let server =
        axum::serve(listener, router).with_graceful_shutdown(async move { graceful.cancelled().await }).into_future();
    let mut server = pin!(server);
    let failed = tokio::select! {
        ended = &mut server => Some(ended),
        () = stop => None,
    };

    if let Some(forwarding) = forwarding {
        forwarding.abort();
    }
    if let Some(failed) = failed {
        return Ok(failed?);
    }
    tracing::info!("stopping");
    stopping.cancel();
    open.close();
    // WebSockets have left the server's hands; they end when their last words are written.
    let drained = timeout(STOP_TIMEOUT, async { tokio::join!(hub_to_close.close(), server, open.wait()).1 });
    if let Ok(ended) = drained.await {
        ended?;
    } else {
        tracing::warn!("some connections did not end in time and are cut off");
    }
    Ok(())
}

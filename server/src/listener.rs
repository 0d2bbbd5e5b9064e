//! Takes connections: so many from one address, each with so much time to say what it wants.
//!
//! `axum::serve` knows no time limit for a request's head; here it has one, over HTTP/1 and HTTP/2, and what is under way
//! still ends in peace when the process stops.

use axum::{Router, body::Body, extract::ConnectInfo};
use hyper::{Request, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
};
use ipnet::IpNet;
use platform::throttle::network;
use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;
use tower::Service;

/// How long a request's head may take, and how long a connection may wait for the next one.
const HEAD: Duration = Duration::from_secs(20);
/// The same for proxies that are trusted. They keep connections for their next visitor, and one that is closed in the very
/// moment in which they use it again is an error that the visitor sees: they are to close first, as Traefik and Go's own
/// do after 90 s, nginx and Apache after 60.
const HEAD_OF_PROXIES: Duration = Duration::from_mins(2);
/// A client over HTTP/2 that says nothing is asked so often whether it is there, and has as long to answer.
const ALIVE: Duration = Duration::from_secs(20);
/// The longest head, in bytes; more lines than this are refused as well (431).
const HEAD_MAX: usize = 64 * 1024;
const HEADERS_MAX: usize = 100;
/// How many connections one address may have, proxies that are trusted excepted.
const PER_ADDRESS: usize = 256;
/// Requests at once on one connection over HTTP/2.
const STREAMS: u32 = 128;
/// After an error that will not be over at once, such as too many open files.
const PAUSE: Duration = Duration::from_millis(200);

/// Serves until `stopping` fires, and then until all requests have ended.
pub async fn serve(listener: TcpListener, router: Router, trusted: Vec<IpNet>, stopping: CancellationToken) {
    let (graceful, places) = (GracefulShutdown::new(), Places::default());
    let (for_all, for_proxies) = (builder(HEAD), builder(HEAD_OF_PROXIES));
    loop {
        let accepted = tokio::select! {
            () = stopping.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                pause(&error).await;
                continue;
            }
        };
        let address = peer.ip().to_canonical();
        let (place, builder, patience) = if trusted.iter().any(|network| network.contains(&address)) {
            (None, &for_proxies, HEAD_OF_PROXIES)
        } else if let Some(place) = places.take(address) {
            (Some(place), &for_all, HEAD)
        } else {
            tracing::debug!(%address, "too many connections from one address");
            continue;
        };
        let _ = stream.set_nodelay(true);
        let has_spoken = Arc::new(AtomicBool::new(false));
        let service = service(router.clone(), peer, has_spoken.clone());
        let stream = TokioIo::new(Counted { stream, _place: place });
        let connection = builder.serve_connection_with_upgrades(stream, service).into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            tokio::pin!(connection);
            // Before its first request nothing is known of a client, not even which protocol it speaks.
            let ended = tokio::select! {
                ended = &mut connection => Some(ended),
                () = tokio::time::sleep(patience) => None,
            };
            let ended = match ended {
                None if has_spoken.load(Ordering::Relaxed) => connection.await,
                None => return,
                Some(ended) => ended,
            };
            if let Err(error) = ended {
                tracing::trace!(%error, "a connection ended");
            }
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

/// What went wrong with one connection is over with it; what went wrong with this process is not.
async fn pause(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::warn!(%error, "no connection can be taken just now");
        tokio::time::sleep(PAUSE).await;
    }
}

fn builder(head: Duration) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(head).max_headers(HEADERS_MAX).max_buf_size(HEAD_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(ALIVE)
        .keep_alive_timeout(ALIVE)
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(u32::try_from(HEAD_MAX).unwrap_or(u32::MAX))
        .enable_connect_protocol();
    builder
}

fn service(
    router: Router,
    peer: SocketAddr,
    has_spoken: Arc<AtomicBool>,
) -> impl hyper::service::Service<
    Request<Incoming>,
    Response = axum::response::Response,
    Error = std::convert::Infallible,
    Future: Send + 'static,
> + Send
+ 'static {
    service_fn(move |request: Request<Incoming>| {
        has_spoken.store(true, Ordering::Relaxed);
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        // A router is always ready.
        router.clone().call(request)
    })
}

/// How many connections each address has.
#[derive(Debug, Clone, Default)]
struct Places(Arc<Mutex<HashMap<IpAddr, usize>>>);

impl Places {
    /// A place for one more connection, where there is one.
    fn take(&self, address: IpAddr) -> Option<Place> {
        let address = network(address);
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(address).or_default();
        if *count >= PER_ADDRESS {
            return None;
        }
        *count += 1;
        Some(Place { places: self.clone(), address })
    }
}

/// A connection's place, given back at its end.
#[derive(Debug)]
struct Place {
    places: Places,
    address: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.address);
            }
        }
    }
}

/// A connection that keeps its place as long as it is open, also after it became a socket.
struct Counted {
    stream: TcpStream,
    _place: Option<Place>,
}

impl AsyncRead for Counted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, from)
    }
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, from)
    }
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_places_and_gets_them_back() {
        let places = Places::default();
        let here = IpAddr::from([203, 0, 113, 9]);
        let mut taken: Vec<_> = (0..PER_ADDRESS).map(|_| places.take(here).unwrap()).collect();
        assert!(places.take(here).is_none());
        assert!(places.take(IpAddr::from([203, 0, 113, 10])).is_some());
        taken.pop();
        taken.push(places.take(here).unwrap());
        drop(taken);
        assert!(places.0.lock().unwrap().is_empty());
    }
}

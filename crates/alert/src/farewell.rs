//! A WebSocket that is closed because the service stops says so: 1001, “going away” (RFC 6455, section 7.4.1).
//! Engine.IO's server closes with a frame that gives no reason, and leaves no other place to give one.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::serve::Listener;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::{TcpListener, TcpStream},
    runtime::Handle,
    time::timeout,
};
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};

/// A close frame of a server without a reason. It is written by itself: what waits is flushed before.
const CLOSE: &[u8] = &[0x88, 0x00];
/// The same with the reason 1001.
const GOING_AWAY: &[u8] = &[0x88, 0x02, 0x03, 0xe9];

/// How long the other side may take to close too.
const LINGER: Duration = Duration::from_secs(1);

/// Takes connections that say why they end.
pub struct Farewell {
    /// Takes them.
    pub listener: TcpListener,
    /// Cancelled once the service stops.
    pub stopping: CancellationToken,
    /// Has a token for each connection that is open: their last words are to be waited for.
    pub open: TaskTracker,
}

impl Listener for Farewell {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (stream, peer) = Listener::accept(&mut self.listener).await;
        (
            Connection {
                stream: Some(stream),
                stopping: self.stopping.clone(),
                is_told: false,
                rest: &[],
                open: self.open.token(),
            },
            peer,
        )
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection of [`Farewell`].
pub struct Connection {
    /// There until it is dropped.
    stream: Option<TcpStream>,
    stopping: CancellationToken,
    is_told: bool,
    /// Of [`GOING_AWAY`], what is still to be written.
    rest: &'static [u8],
    open: TaskTrackerToken,
}

impl Connection {
    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        self.stream.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.rest.is_empty() {
            let rest = self.rest;
            let written = ready!(self.stream()?.poll_write(cx, rest))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.rest = &rest[written..];
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_rest(cx))?;
        if bytes == CLOSE && self.stopping.is_cancelled() {
            self.is_told = true;
            self.rest = GOING_AWAY;
            return Poll::Ready(Ok(bytes.len()));
        }
        self.stream()?.poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_rest(cx))?;
        self.stream()?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_rest(cx))?;
        self.stream()?.poll_shutdown(cx)
    }
}

impl Drop for Connection {
    /// Whoever closes while words of the other side are unread resets the connection, and the last words are lost on
    /// the way; so they are written, and what still comes is read until the other side has closed too.
    fn drop(&mut self) {
        let (Some(mut stream), true, Ok(runtime)) = (self.stream.take(), self.is_told, Handle::try_current()) else {
            return;
        };
        let (rest, open) = (self.rest, self.open.clone());
        runtime.spawn(async move {
            let last = async {
                stream.write_all(rest).await?;
                stream.shutdown().await?;
                tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
            };
            let _ = timeout(LINGER, last).await;
            drop(open);
        });
    }
}

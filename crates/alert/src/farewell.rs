//! A WebSocket that is closed because the service stops says so: 1001, “going away” (RFC 6455, section 7.4.1).
//! Engine.IO's server closes with a frame that gives no reason, and leaves no other place to give one.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::serve::Listener;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};

/// A close frame of a server without a reason. It is written by itself: what waits is flushed before.
const CLOSE: &[u8] = &[0x88, 0x00];
/// The same with the reason 1001.
const GOING_AWAY: &[u8] = &[0x88, 0x02, 0x03, 0xe9];

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
        (Connection { stream, stopping: self.stopping.clone(), rest: &[], _open: self.open.token() }, peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection of [`Farewell`].
pub struct Connection {
    stream: TcpStream,
    stopping: CancellationToken,
    /// Of [`GOING_AWAY`], what is still to be written.
    rest: &'static [u8],
    _open: TaskTrackerToken,
}

impl Connection {
    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.rest.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, self.rest))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.rest = &self.rest[written..];
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_rest(cx))?;
        if bytes == CLOSE && self.stopping.is_cancelled() {
            self.rest = GOING_AWAY;
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_rest(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_rest(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

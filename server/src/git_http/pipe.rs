//! Bytes between a client and a run of git, both ways at once, never held in memory.

use axum::body::{Body, Bytes};
use forge::serve::Running;
use futures::{StreamExt, stream};
use std::{convert::Infallible, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{ChildStdin, ChildStdout},
    sync::mpsc,
};

/// A client that sends or takes nothing for so long is gone.
const STALL: Duration = Duration::from_mins(2);
/// Pieces under way to the client.
const UNDER_WAY: usize = 8;
const PIECE: usize = 64 * 1024;

/// What is sent to a client.
#[derive(Clone)]
pub struct ToClient(mpsc::Sender<Bytes>);

impl ToClient {
    /// The sending end, and the body of the answer.
    pub fn open() -> (Self, Body) {
        let (sender, mut receiver) = mpsc::channel(UNDER_WAY);
        let pieces = stream::poll_fn(move |context| receiver.poll_recv(context));
        (Self(sender), Body::from_stream(pieces.map(Ok::<_, Infallible>)))
    }

    /// Sends bytes; `false` once the client is gone.
    pub async fn send(&self, bytes: impl Into<Bytes>) -> bool {
        self.0.send_timeout(bytes.into(), STALL).await.is_ok()
    }

    /// Returns when the client is gone.
    pub async fn gone(&self) {
        self.0.closed().await;
    }
}

/// Why a request did not reach git whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The client went away.
    #[error("the client went away")]
    Off,
    /// It is longer than allowed.
    #[error("the request is longer than allowed")]
    TooLong,
    /// It was not waited for any longer.
    #[error("the request was not waited for")]
    CutOff,
}

/// Sends git's output to the client up to its end, but for the last `hold` bytes, which are returned. A client that is
/// gone does not keep git from going on.
async fn to_client(output: Option<ChildStdout>, client: &ToClient, hold: usize) -> Vec<u8> {
    let Some(mut output) = output else { return Vec::new() };
    let (mut held, mut piece, mut is_there) = (Vec::new(), vec![0; PIECE], true);
    loop {
        let read = match output.read(&mut piece).await {
            Ok(0) | Err(_) => return held,
            Ok(read) => read,
        };
        held.extend_from_slice(&piece[..read]);
        let ready: Vec<u8> = held.drain(..held.len().saturating_sub(hold)).collect();
        if is_there && !ready.is_empty() {
            is_there = client.send(ready).await;
        }
    }
}

/// Sends a request's body to git, at most `max` bytes, and shows it to `look`. What git does not take any more is read
/// on, since a client that is still sending would not see the answer.
async fn to_git(body: Body, input: Option<ChildStdin>, max: u64, mut look: impl FnMut(&[u8])) -> Result<(), Broken> {
    let (mut pieces, mut input, mut length) = (body.into_data_stream(), input, 0_u64);
    loop {
        let piece = match tokio::time::timeout(STALL, pieces.next()).await {
            Ok(None) => return Ok(()),
            Ok(Some(Ok(piece))) => piece,
            Ok(Some(Err(_))) | Err(_) => return Err(Broken::Off),
        };
        length += piece.len() as u64;
        if length > max {
            return Err(Broken::TooLong);
        }
        look(&piece);
        if let Some(pipe) = &mut input
            && pipe.write_all(&piece).await.is_err()
        {
            input = None;
        }
    }
}

/// How a conversation went.
pub struct Told {
    /// The last bytes of git's output, held back.
    pub held: Vec<u8>,
    /// Whether the request arrived whole.
    pub request: Result<(), Broken>,
}

/// Carries a conversation to its end: the request to git, its output to the client. What of the request is not there when
/// `cut` ends is not waited for: git's input is closed, and git ends in good order.
pub async fn converse(
    running: &mut Running,
    body: Body,
    max: u64,
    client: &ToClient,
    hold: usize,
    look: impl FnMut(&[u8]),
    cut: impl Future<Output = ()>,
) -> Told {
    let (input, output) = (running.input.take(), running.output.take());
    let request = async {
        tokio::select! {
            done = to_git(body, input, max, look) => done,
            () = cut => Err(Broken::CutOff),
        }
    };
    let (request, held) = tokio::join!(request, to_client(output, client, hold));
    Told { held, request }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_request_is_looked_at_and_cut_at_its_longest() {
        let mut seen = Vec::new();
        to_git(Body::from("abcd"), None, 4, |bytes| seen.extend_from_slice(bytes)).await.unwrap();
        assert_eq!(seen, b"abcd");
        assert_eq!(to_git(Body::from("abcde"), None, 4, |_| ()).await, Err(Broken::TooLong));
        let broken = stream::iter([Ok("ab"), Err(std::io::Error::other("gone"))]);
        assert_eq!(to_git(Body::from_stream(broken), None, 4, |_| ()).await, Err(Broken::Off));
    }

    #[tokio::test]
    async fn a_client_that_is_gone_is_noticed() {
        let (client, body) = ToClient::open();
        assert!(client.send("a").await);
        drop(body);
        client.gone().await;
        assert!(!client.send("b").await);
    }
}

//! A body up to its longest, and a proper answer for a longer one.

use crate::problem::ApiResult;
use axum::body::{Body, Bytes};
use futures::StreamExt;
use model::Problem;
use std::time::Duration;

/// A longer body is read on to here and thrown away: a client that is still sending when the connection closes never
/// sees the answer.
const READ_MAX: usize = 64 * 1024 * 1024;

/// A body of which nothing comes for so long is given up.
const PAUSE_MAX: Duration = Duration::from_secs(15);

/// The whole body.
///
/// # Errors
/// 408 `timeout` if it stops coming, 413 `too_large` if it is longer than `max` bytes, 400 `unreadable` if it breaks off.
pub async fn read(body: Body, max: usize) -> ApiResult<Bytes> {
    let mut chunks = body.into_data_stream();
    let (mut kept, mut length) = (Vec::new(), 0_usize);
    loop {
        let chunk = tokio::time::timeout(PAUSE_MAX, chunks.next()).await;
        let chunk = chunk.map_err(|_| Problem::new(408, "timeout", "The body stopped coming; send it again."))?;
        let Some(chunk) = chunk else { break };
        let chunk = chunk.map_err(|_| Problem::new(400, "unreadable", "The body breaks off."))?;
        length += chunk.len();
        if length <= max {
            kept.extend_from_slice(&chunk);
        } else {
            kept = Vec::new();
        }
        if length > READ_MAX {
            break;
        }
    }
    if length > max {
        let megabytes = max / (1024 * 1024);
        return Err(Problem::new(413, "too_large", format!("The body is longer than {megabytes} MB.")).into());
    }
    Ok(kept.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_is_read_whole_and_a_longer_one_refused_to_its_end() {
        assert_eq!(read(Body::from("abcd"), 4).await.unwrap(), "abcd");
        let problem = read(Body::from("abcde"), 4).await.unwrap_err().0;
        assert_eq!((problem.status, problem.code.as_str()), (413, "too_large"));
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_unreadable() {
        let broken = futures::stream::iter([Ok("ab"), Err(std::io::Error::other("gone"))]);
        assert_eq!(read(Body::from_stream(broken), 4).await.unwrap_err().0.code, "unreadable");
    }
}

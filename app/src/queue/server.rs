//! What the page asks of the server about the queue.

use crate::failure::Failure;
use leptos::prelude::*;
use model::views::QueueView;

/// What waits and what runs.
#[server(prefix = "/_fn", endpoint = "queue")]
pub async fn get_queue() -> Result<QueueView, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    platform::queue::list(&platform, &actor).await.map_err(context::failed)
}

//! `GET /deployments/{id}/log?after=SEQ`: JSON pages; with `Accept: text/event-stream` it follows until the
//! deployment ends; with `Accept: text/plain` or `?download` the whole log as a file.

use crate::{auth::Caller, path::Id, problem::ApiResult};
use axum::{
    Json,
    body::{Body, Bytes},
    extract::{Query, State},
    http::{HeaderMap, header},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::{Stream, StreamExt, stream};
use model::{
    Actor, DeploymentId,
    views::{LogItem, LogPage},
};
use platform::{Platform, deployments, members};
use serde::Deserialize;
use std::{convert::Infallible, sync::Arc, time::Duration};
use utoipa::IntoParams;

/// Lines in one piece.
const PIECE: i64 = 1_000;
/// A follower looks this often; the sockets are told at once.
const LOOK: Duration = Duration::from_millis(250);

/// Where to begin.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct After {
    #[serde(default)]
    after: i64,
    download: Option<String>,
}

/// Shows or follows a log.
#[utoipa::path(
    get, path = "", security(("api_token" = ["sites:read"])), params(After),
    responses(
        (status = 200, content((LogPage = "application/json"), (String = "text/event-stream"), (String = "text/plain")))
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(id): Id<DeploymentId>,
    Query(After { after, download }): Query<After>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if download.is_some() || accept.contains("text/plain") {
        return file(platform, actor, id, after).await;
    }
    let first = deployments::log(&platform, &actor, id, after, PIECE).await?;
    if accept.contains("text/event-stream") {
        let events = pages(platform, actor, id, first, true).flat_map(|page| {
            let lines = page.items.into_iter().map(|line| event("line", line.seq, &line));
            let end = page.complete.then(|| Event::default().event("complete").data("{}"));
            stream::iter(lines.chain(end).map(Ok::<_, Infallible>).collect::<Vec<_>>())
        });
        return Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response());
    }
    Ok(Json(first).into_response())
}

/// The lines after `after` to the present end, as a file.
pub async fn file(platform: Arc<Platform>, actor: Actor, id: DeploymentId, after: i64) -> ApiResult<Response> {
    let first = deployments::log(&platform, &actor, id, after, PIECE).await?;
    let text = pages(platform, actor, id, first, false).map(|page| Ok::<_, Infallible>(plain(&page)));
    let name = format!("attachment; filename=\"deployment-{id}.log\"");
    let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, Body::from_stream(text)).into_response())
}

/// This page and those after it: to the present end, or following until the deployment ends.
fn pages(
    platform: Arc<Platform>,
    actor: Actor,
    id: DeploymentId,
    first: LogPage,
    follow: bool,
) -> impl Stream<Item = LogPage> {
    let next_after = |page: &LogPage, before: i64| page.items.last().map_or(before, |line| line.seq);
    stream::unfold(Some((first, 0_i64)), move |state| {
        let (platform, actor) = (platform.clone(), actor.clone());
        async move {
            let (page, before) = state?;
            let after = next_after(&page, before);
            if page.complete || (page.items.is_empty() && !follow) {
                return Some((page, None));
            }
            if follow && page.items.is_empty() {
                tokio::time::sleep(LOOK).await;
            }
            // An error ends the stream; the follower asks again from the last number it has. Who was removed from the
            // team meanwhile gets an error too.
            let next = async {
                let actor = members::still(&platform, &actor).await?;
                deployments::log(&platform, &actor, id, after, PIECE).await
            };
            let next = next.await.ok();
            Some((page, next.map(|next| (next, after))))
        }
    })
    // Layers around the body may look once more after the end.
    .fuse()
}

fn event(name: &str, seq: i64, line: &LogItem) -> Event {
    let event = Event::default().event(name).id(seq.to_string());
    event.json_data(line).unwrap_or_else(|_| Event::default().comment("unreadable"))
}

fn plain(page: &LogPage) -> Bytes {
    if let Some(at) = page.removed_at {
        return format!("The lines of this log were removed on {}: logs are kept for a time only.\n", at.date()).into();
    }
    page.items.iter().flat_map(|line| [line.text.as_str(), "\n"]).collect::<String>().into()
}

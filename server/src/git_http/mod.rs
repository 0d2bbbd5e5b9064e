//! `{public_url}/git/{team}/{site}.git`: Git's smart HTTP protocol, versions 0 to 2 (gitprotocol-http).
//!
//! No session, no cookie, no time limit of a page: a clone takes as long as it takes, and a push ends with its
//! deployment.

mod credentials;
mod follow;
mod pipe;
mod receive;
mod refusal;

use crate::state::AppState;
use axum::{
    Extension, Router,
    body::Body,
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use credentials::{Caller, Verified};
use forge::serve::{Protocol, Running, Service};
use model::{Actor, Problem};
use pipe::ToClient;
use platform::repositories::{self, Access, Repository};
use refusal::Refusal;
use serde::Deserialize;
use std::{future::pending, sync::Arc, time::Duration};
use tower_http::{decompression::RequestDecompressionLayer, timeout::RequestBodyTimeoutLayer};

/// What a client says it has and wants is never longer than this.
const WANTS_MAX: u64 = 32 * 1024 * 1024;
/// A client that sends nothing of its body for so long is given up; it may be packing meanwhile.
const SILENCE: Duration = Duration::from_mins(2);
/// Longer than any honest transfer.
const LIMIT: Duration = Duration::from_hours(1);

const REFS: &str = "/git/{team}/{repository}/info/refs";
const UPLOAD: &str = "/git/{team}/{repository}/git-upload-pack";
const RECEIVE: &str = "/git/{team}/{repository}/git-receive-pack";
/// All of them, with their methods.
pub const ADDRESSES: &[(&str, &str)] = &[("GET", REFS), ("POST", UPLOAD), ("POST", RECEIVE)];

/// `/git/…`.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route(REFS, get(advertise))
        .route(UPLOAD, post(upload))
        .route(RECEIVE, post(receive::handle))
        .layer(RequestDecompressionLayer::new())
        .layer(RequestBodyTimeoutLayer::new(SILENCE))
        .layer(Extension(Arc::new(Verified::default())))
}

/// `{team}` and `{site}.git` of the address.
type Names = Path<(String, String)>;

#[derive(Deserialize)]
struct Asked {
    service: Option<String>,
}

/// Tells which references there are.
async fn advertise(
    State(state): State<AppState>,
    Caller(actor): Caller,
    Path(names): Names,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let service = asked.service.as_deref().and_then(Service::from_name).ok_or_else(|| {
        let detail = "This repository is served by Git's smart protocol; use a newer client.";
        Problem::new(403, "smart_protocol_only", detail)
    })?;
    let repository = open(&state, &actor, &names, service).await?;
    let protocol = protocol(&headers);
    let mut running = Running::advertise(&repository.path, service, &protocol)?;
    let (client, answer) = ToClient::open();
    // Version 2 begins with its own line, but there is none for pushing.
    if service == Service::ReceivePack || !protocol.is_v2() {
        let line = format!("# service={}\n", service.name());
        client.send(format!("{:04x}{line}0000", line.len() + 4)).await;
    }
    tokio::spawn(async move {
        let talk = pipe::converse(&mut running, Body::empty(), 0, &client, 0, |_| (), pending());
        if until_gone(&client, talk).await.is_some() {
            note(running.end().await);
        }
    });
    Ok(respond(service, "advertisement", answer))
}

/// Sends commits to a client.
async fn upload(
    State(state): State<AppState>,
    Caller(actor): Caller,
    Path(names): Names,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let service = Service::UploadPack;
    expect(&headers, service)?;
    let repository = open(&state, &actor, &names, service).await?;
    let mut running = Running::answer(&repository.path, service, &protocol(&headers))?;
    let (client, answer) = ToClient::open();
    tokio::spawn(async move {
        let talk = pipe::converse(&mut running, body, WANTS_MAX, &client, 0, |_| (), pending());
        if until_gone(&client, talk).await.is_some() {
            note(running.end().await);
        }
    });
    Ok(respond(service, "result", answer))
}

/// Finds the repository, with what the caller may do there.
async fn open(
    state: &AppState,
    actor: &Actor,
    (team, name): &(String, String),
    service: Service,
) -> Result<Repository, Refusal> {
    let access = match service {
        Service::UploadPack => Access::Read,
        Service::ReceivePack => Access::Write,
    };
    let slug = name.strip_suffix(".git").unwrap_or(name);
    Ok(repositories::open(&state.platform, actor, team, slug, access).await?)
}

fn protocol(headers: &HeaderMap) -> Protocol {
    Protocol::from_header(headers.get("git-protocol").and_then(|value| value.to_str().ok()))
}

/// The body is what this address takes; a form that a page makes a browser send is not.
fn expect(headers: &HeaderMap, service: Service) -> Result<(), Refusal> {
    let expected = format!("application/x-{}-request", service.name());
    if headers.get(header::CONTENT_TYPE).is_some_and(|found| found.as_bytes() == expected.as_bytes()) {
        return Ok(());
    }
    let detail = format!("Send `Content-Type: {expected}`.");
    Err(Problem::new(415, "unsupported_media_type", detail).into())
}

fn respond(service: Service, kind: &str, answer: Body) -> Response {
    let headers: [(HeaderName, String); 2] = [
        (header::CONTENT_TYPE, format!("application/x-{}-{kind}", service.name())),
        (header::CACHE_CONTROL, "no-cache, max-age=0, must-revalidate".to_owned()),
    ];
    (StatusCode::OK, headers, answer).into_response()
}

/// Waits for a conversation; `None` if the client left it or it took too long.
async fn until_gone<T>(client: &ToClient, talk: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        done = talk => Some(done),
        () = client.gone() => None,
        () = tokio::time::sleep(LIMIT) => None,
    }
}

fn note(ended: Result<(), forge::git::FetchError>) {
    if let Err(error) = ended {
        tracing::info!(%error, "git refused");
    }
}

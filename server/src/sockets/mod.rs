//! `/socket.io`: signed-in people and programs follow sites and deployments.

mod feed;
mod message;
mod visitor;

use crate::state::AppState;
use axum::Router;
use feed::Feed;
use message::{Ack, Asked, Command};
use socketioxide::{
    SocketIo,
    extract::{AckSender, SocketRef, TryData},
    handler::ConnectHandler,
};
use std::sync::Arc;
use tokio::sync::{Mutex, mpsc};
use visitor::{Handshake, Visitor};

/// The most that a client may send, in bytes: it asks and tells nothing.
const PAYLOAD_MAX: usize = 10_000;
/// How many packets may wait for a slow client.
const BUFFER: usize = 256;
/// How many commands of one client may wait.
const COMMANDS: usize = 64;

/// What a client may ask.
pub const ASKED: &[&str] = &[SUBSCRIBE, UNSUBSCRIBE];
/// What a client is told.
pub const TOLD: &[&str] = &[feed::DEPLOYMENT, feed::LOG, feed::SITE, feed::NOTIFICATION];
const SUBSCRIBE: &str = "subscribe";
const UNSUBSCRIBE: &str = "unsubscribe";

/// The routes under `/socket.io`, and the handle that closes all connections.
pub fn routes(state: &AppState) -> (Router<AppState>, SocketIo) {
    let (service, io) = SocketIo::builder()
        .max_payload(PAYLOAD_MAX as u64)
        .ws_max_message_size(PAYLOAD_MAX)
        .ws_max_frame_size(PAYLOAD_MAX)
        .max_buffer_size(BUFFER)
        .build_svc();
    let for_check = state.clone();
    let check = move |socket: SocketRef, TryData(handshake): TryData<Handshake>| {
        let state = for_check.clone();
        async move {
            let visitor = Visitor::recognise(&state, socket.req_parts(), handshake.unwrap_or_default()).await?;
            let commands = Arc::new(Mutex::new(Some(listen(&socket))));
            socket.extensions.insert(Admitted { visitor, commands });
            Ok::<(), visitor::Refused>(())
        }
    };
    let state = state.clone();
    let welcome = move |socket: SocketRef| {
        let state = state.clone();
        async move { welcome(state, socket).await }
    };
    io.ns("/", welcome.with(check));
    let routes = Router::new().route_service("/socket.io", service.clone()).route_service("/socket.io/", service);
    (routes, io)
}

/// Who was let in, with what it asked so far.
#[derive(Clone)]
struct Admitted {
    visitor: Visitor,
    commands: Arc<Mutex<Option<mpsc::Receiver<Asked>>>>,
}

/// Takes the client's commands. This is done before the client is told that it is connected: what comes before there
/// is a handler would be dropped without a word.
fn listen(socket: &SocketRef) -> mpsc::Receiver<Asked> {
    let (send, commands) = mpsc::channel(COMMANDS);
    for (event, kind) in [(SUBSCRIBE, Command::Subscribe as fn(_) -> _), (UNSUBSCRIBE, Command::Unsubscribe)] {
        let send = send.clone();
        socket.on(event, move |TryData(target): TryData<message::Target>, ack: AckSender| {
            let asked = target.ok().and_then(message::Target::parse).map(kind);
            let send = send.clone();
            async move {
                match asked {
                    None => Ack::error("bad_request").send(ack),
                    Some(command) => {
                        if let Err(refused) = send.try_send(Asked { command, ack }) {
                            Ack::error("too_many_requests").send(refused.into_inner().ack);
                        }
                    }
                }
            }
        });
    }
    commands
}

async fn welcome(state: AppState, socket: SocketRef) {
    if let Some(Admitted { visitor, commands }) = socket.extensions.remove::<Admitted>()
        && let Some(commands) = commands.lock().await.take()
    {
        Feed::new(state, socket, visitor, commands).run().await;
    }
}

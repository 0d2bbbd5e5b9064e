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
use tokio::sync::mpsc;
use visitor::{Handshake, Visitor};

/// The most that a client may send, in bytes: it asks and tells nothing.
const PAYLOAD_MAX: usize = 10_000;
/// How many packets may wait for a slow client.
const BUFFER: usize = 256;
/// How many commands of one client may wait.
const COMMANDS: usize = 64;

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
            socket.extensions.insert(visitor);
            Ok::<(), visitor::Refused>(())
        }
    };
    let state = state.clone();
    let welcome = move |socket: SocketRef| {
        let state = state.clone();
        async move { welcome(state, socket) }
    };
    io.ns("/", welcome.with(check));
    let routes = Router::new().route_service("/socket.io", service.clone()).route_service("/socket.io/", service);
    (routes, io)
}

fn welcome(state: AppState, socket: SocketRef) {
    let Some(visitor) = socket.extensions.get::<Visitor>() else {
        let _ = socket.disconnect();
        return;
    };
    let (send, commands) = mpsc::channel(COMMANDS);
    for (event, kind) in [("subscribe", Command::Subscribe as fn(_) -> _), ("unsubscribe", Command::Unsubscribe)] {
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
    drop(send);
    tokio::spawn(Feed::new(state, socket, visitor, commands).run());
}

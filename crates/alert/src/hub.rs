//! The connected clients: lets them in, puts them in rooms, tells them messages.

use std::sync::Arc;

use socketioxide::{
    SocketIo,
    extract::{AckSender, SocketRef, TryData},
    handler::ConnectHandler,
    layer::SocketIoLayer,
};

use crate::{
    Ack, Handshake, Message, RoomName,
    token::{TokenCheck, Unauthorized},
};

/// How many rooms one client may be in.
pub const MAX_ROOMS: usize = 64;
/// The most that a client may send, and a long poll may carry, in bytes.
const MAX_PAYLOAD: usize = 100_000;
/// Told to all after notifications may have been missed.
const RESYNC: &str = "resync";

/// All clients of the service. A clone is the same hub.
#[derive(Clone)]
pub struct Hub {
    io: SocketIo,
}

impl Hub {
    /// A hub without clients, and the layer that serves `/socket.io`.
    pub fn new(tokens: Option<TokenCheck>) -> (Self, SocketIoLayer) {
        let (layer, io) = SocketIo::builder()
            .max_payload(MAX_PAYLOAD as u64)
            .ws_max_message_size(MAX_PAYLOAD)
            .ws_max_frame_size(MAX_PAYLOAD)
            .build_layer();

        let tokens = tokens.map(Arc::new);
        let authorize = move |TryData(handshake): TryData<Handshake>| {
            let tokens = tokens.clone();
            async move {
                let Some(tokens) = tokens else { return Ok(()) };
                let handshake = handshake.map_err(|_| Unauthorized)?;
                tokens.check(handshake.token.as_deref())
            }
        };
        io.ns("/", welcome.with(authorize));
        (Self { io }, layer)
    }

    /// Tells a message to its room, or to everybody.
    ///
    /// A client that reads too slowly misses it; its heartbeat then fails too, so that it
    /// connects anew and can catch up.
    pub async fn tell(&self, message: Message) {
        let event = message.event.as_str();
        // Socket.IO would spread a bare array over several arguments.
        let arguments = (message.data,);
        let told = match message.room {
            Some(room) => {
                let room = room.into_string();
                self.io.within(room).emit(event, &arguments).await
            }
            None => self.io.emit(event, &arguments).await,
        };
        if let Err(error) = told {
            tracing::warn!(event, %error, "some clients missed a message");
        }
    }

    /// Tells everybody that messages may have been missed, so that pages load anew what they show.
    pub async fn resync(&self) {
        if let Err(error) = self.io.emit(RESYNC, &()).await {
            tracing::warn!(%error, "some clients were not told to load anew");
        }
    }

    /// Closes every connection; clients take it as a lost connection and come back on their own.
    pub async fn close(&self) {
        self.io.close().await;
    }
}

async fn welcome(socket: SocketRef) {
    tracing::debug!(client = %socket.id, "connected");
    socket.on("join", async |socket: SocketRef, TryData(name): TryData<RoomName>, ack: AckSender| {
        answer(ack, join(&socket, name.ok()));
    });
    socket.on("leave", async |socket: SocketRef, TryData(name): TryData<RoomName>, ack: AckSender| {
        answer(ack, leave(&socket, name.ok()));
    });
}

fn join(socket: &SocketRef, name: Option<RoomName>) -> Ack {
    let Some(name) = name else {
        return Ack::Error("invalid_room");
    };
    let rooms = socket.rooms();
    if rooms.iter().any(|room| room == name.as_str()) {
        return Ack::Ok;
    }
    if rooms.len() >= MAX_ROOMS {
        return Ack::Error("too_many_rooms");
    }
    socket.join(name.into_string());
    Ack::Ok
}

fn leave(socket: &SocketRef, name: Option<RoomName>) -> Ack {
    let Some(name) = name else {
        return Ack::Error("invalid_room");
    };
    socket.leave(name.into_string());
    Ack::Ok
}

fn answer(sender: AckSender, ack: Ack) {
    if let Err(error) = sender.send(&ack) {
        tracing::debug!(%error, "an acknowledgement was not delivered");
    }
}

//! The Socket.IO service of a site, and the words it shares with other Socket.IO servers.
//!
//! Without the feature `service` only [`Ack`], [`Handshake`] and [`RoomName`] remain: what a
//! server of the workspace needs to speak to browsers in the same way.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that cannot go on has failed"))]

mod ack;
mod handshake;
mod room;

#[cfg(feature = "service")]
mod database;
#[cfg(feature = "service")]
mod farewell;
#[cfg(feature = "service")]
mod http;
#[cfg(feature = "service")]
mod hub;
#[cfg(feature = "service")]
mod message;
#[cfg(feature = "service")]
mod serve;
#[cfg(feature = "service")]
mod settings;
#[cfg(feature = "service")]
mod token;

pub use ack::Ack;
pub use handshake::Handshake;
pub use room::{MAX_ROOM_NAME, RoomName, RoomNameError};

#[cfg(feature = "service")]
pub use database::DatabaseState;
#[cfg(feature = "service")]
pub use message::{EventName, EventNameError, Message};
#[cfg(feature = "service")]
pub use serve::{ServeError, serve};
#[cfg(feature = "service")]
pub use settings::{DatabaseSettings, Settings, SettingsError};

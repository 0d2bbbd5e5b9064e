//! What a program of the site wants to tell its browsers.

use serde::Deserialize;
use serde_json::Value;

use crate::RoomName;

/// The longest name of an event, in bytes.
const MAX_EVENT_NAME: usize = 64;

/// Names that Socket.IO clients keep for themselves.
const RESERVED: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

/// One message: `{"event": "...", "room": "...", "data": ...}`.
///
/// Unknown fields are refused, so that a misspelt `room` never reaches everybody.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// The name that browsers listen for.
    pub event: EventName,
    /// Who gets it; everybody when absent.
    #[serde(default)]
    pub room: Option<RoomName>,
    /// The only argument of the browsers' handlers; `null` when absent.
    #[serde(default)]
    pub data: Value,
}

/// An event's name: 1 to 64 bytes, no control characters, none that Socket.IO reserves.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct EventName(String);

/// Why a text is no event name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EventNameError {
    /// Empty, longer than 64 bytes, or with control characters.
    #[error("an event name has 1 to {MAX_EVENT_NAME} bytes and no control characters")]
    Malformed,
    /// `connect`, `disconnect` and their like.
    #[error("this event name is reserved by Socket.IO")]
    Reserved,
}

impl EventName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for EventName {
    type Error = EventNameError;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        if name.is_empty() || name.len() > MAX_EVENT_NAME || name.chars().any(char::is_control) {
            Err(EventNameError::Malformed)
        } else if RESERVED.contains(&name.as_str()) {
            Err(EventNameError::Reserved)
        } else {
            Ok(Self(name))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<Message, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn room_and_data_may_be_left_out() {
        let message = parse(r#"{"event":"tick"}"#).unwrap();
        assert_eq!(message.event.as_str(), "tick");
        assert_eq!(message.room, None);
        assert_eq!(message.data, Value::Null);
    }

    #[test]
    fn a_misspelt_room_is_refused_instead_of_told_to_everybody() {
        assert!(parse(r#"{"event":"tick","rooms":"admins"}"#).is_err());
    }

    #[test]
    fn what_clients_could_not_listen_for_is_refused() {
        for json in [
            r#"{"data":1}"#,
            r#"{"event":""}"#,
            r#"{"event":"disconnect"}"#,
            r#"{"event":"tick","room":""}"#,
            "tick",
            "[]",
        ] {
            assert!(parse(json).is_err(), "{json}");
        }
    }
}

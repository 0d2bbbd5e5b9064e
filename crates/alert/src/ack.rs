//! The answer a client gets to what it asked over the socket.

use serde::ser::{Serialize, SerializeMap, Serializer};

/// An acknowledgement: `{"ok": true}` or `{"error": "code"}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ack {
    /// It was done.
    Ok,
    /// It was refused; the code is stable and in snake_case.
    Error(&'static str),
}

impl Serialize for Ack {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        match self {
            Self::Ok => map.serialize_entry("ok", &true)?,
            Self::Error(code) => map.serialize_entry("error", code)?,
        }
        map.end()
    }
}

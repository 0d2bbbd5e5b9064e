//! Names of rooms, as clients and messages give them.

use std::fmt;

use serde::Deserialize;

/// The longest name of a room, in bytes.
pub const MAX_ROOM_NAME: usize = 100;

/// A room's name: 1 to [`MAX_ROOM_NAME`] bytes without control characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct RoomName(String);

/// Why a text is no room name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RoomNameError {
    /// Nothing was given.
    #[error("a room name cannot be empty")]
    Empty,
    /// More than [`MAX_ROOM_NAME`] bytes.
    #[error("a room name has at most {MAX_ROOM_NAME} bytes")]
    TooLong,
    /// A line break or another control character.
    #[error("a room name has no control characters")]
    ControlCharacter,
}

impl RoomName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as the text it was made from.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl TryFrom<String> for RoomName {
    type Error = RoomNameError;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        if name.is_empty() {
            Err(RoomNameError::Empty)
        } else if name.len() > MAX_ROOM_NAME {
            Err(RoomNameError::TooLong)
        } else if name.chars().any(char::is_control) {
            Err(RoomNameError::ControlCharacter)
        } else {
            Ok(Self(name))
        }
    }
}

impl fmt::Display for RoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(name: &str) -> Result<RoomName, RoomNameError> {
        RoomName::try_from(name.to_owned())
    }

    #[test]
    fn ordinary_names_are_rooms() {
        for name in ["a", "orders:42", "Küche", &"x".repeat(MAX_ROOM_NAME)] {
            assert_eq!(parse(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn empty_long_and_broken_names_are_refused() {
        assert_eq!(parse(""), Err(RoomNameError::Empty));
        assert_eq!(parse(&"x".repeat(101)), Err(RoomNameError::TooLong));
        assert_eq!(parse("a\nb"), Err(RoomNameError::ControlCharacter));
    }
}
